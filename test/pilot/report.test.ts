/** The pilot report: verdicts, what it says without data, and its three forms. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Criterion, judge } from '../../src/pilot/criteria.ts';
import { readPictureScores } from '../../src/pilot/evaluation-file.ts';
import { makePilotReport } from '../../src/pilot/pilot-report.ts';
import { htmlReport, jsonReport, markdownReport } from '../../src/pilot/report-pages.ts';
import type { Database } from '../../src/storage/database.ts';
import { openEmbedded } from '../../src/storage/embedded-database.ts';
import { migrate } from '../../src/storage/migrations.ts';
import { insertUpscale } from '../../src/storage/upscale-records.ts';
import { onEachDatabase } from '../helpers/database.ts';
import { png, temporaryFolder } from '../helpers/engine.ts';
import { drawBoard } from '../helpers/pictures.ts';
import { boardsharp } from '../helpers/program.ts';
import { createUser, newUpscale } from '../helpers/service.ts';

const SINCE = new Date(Date.now() - 86_400_000);
const UNTIL = new Date();
const NOTHING = { trial: null, goodCases: [], badCases: [], pictureScores: [], pricePerHour: undefined };

/** So many photos that ended in a way, each after so many seconds. */
async function addPhotos(
  db: Database,
  count: number,
  status: 'done' | 'failed',
  seconds: number,
  rating = 0,
): Promise<void> {
  for (let photo = 0; photo < count; photo++) {
    const userId = await createUser(db);
    const { upscale } = await insertUpscale(db, newUpscale(userId));
    await db.query(
      `update upscales set status = $2, model = 'boardsharp-x2', worked_ms = 2000, finished_at = created_at + make_interval(secs => $3),
         error = $4::jsonb, quality = $5::jsonb where id = $1`,
      [
        upscale.id,
        status,
        seconds,
        status === 'failed' ? JSON.stringify({ code: 'TIMEOUT', message: 'x' }) : null,
        status === 'done' ? JSON.stringify({ verdict: 'accepted', letterHeight: 4 }) : null,
      ],
    );
    if (rating !== 0) {
      await db.query(
        'insert into feedback (id, user_id, upscale_id, rating) values (gen_random_uuid(), $1, $2, $3)',
        [userId, upscale.id, rating],
      );
    }
  }
}

async function openEmptyDatabase(t: TestContext): Promise<Database> {
  const db = await openEmbedded();
  t.after(() => db.close());
  await migrate(db);
  return db;
}

function named(criteria: readonly Criterion[], words: RegExp): Criterion {
  const found = criteria.find(({ name }) => words.test(name));
  assert.ok(found, `no criterion ${words}`);
  return found;
}

onEachDatabase('the pilot report', (open) => {
  test('says that there is not enough data, and guesses nothing', async () => {
    const report = await makePilotReport(await open(), { since: SINCE, until: UNTIL, ...NOTHING });
    for (const { verdict, value } of report.criteria)
      assert.deepEqual([verdict, value], ['not enough data', null]);
    for (const form of [markdownReport(report), htmlReport(report)]) assert.match(form, /not enough data/);
  });

  test('judges time, success, ratings and users by what happened', async () => {
    const db = await open();
    await addPhotos(db, 150, 'done', 20, 1);
    await addPhotos(db, 2, 'done', 300, -1);
    await db.query(`update feedback set reason = 'letters', letter_height = 4 where rating < 0`);
    await addPhotos(db, 20, 'failed', 130);
    const parts = { ...NOTHING, since: SINCE, until: UNTIL, pricePerHour: 0.5 };
    const report = await makePilotReport(db, parts);
    const { criteria, photos, problems, costs, reasons, ratingsByHeight } = report;
    assert.deepEqual([photos.done, photos.failed, photos.inTime, photos.timedOut], [152, 20, 150, 20]);
    const time = named(criteria, /two minutes/);
    // 150 of 172: who was given up after two minutes did not get a result within them.
    assert.deepEqual([time.verdict, time.value?.slice(0, 4), time.sample], ['missed', '87.2', '172 photos']);
    assert.match(time.remark, /median 20\.0 s, 95th percentile 20\.0 s, longest 300\.0 s; 20 given up/);
    const success = named(criteria, /came to a result/);
    assert.deepEqual([success.verdict, success.value?.slice(0, 4)], ['missed', '88.4']);
    assert.match(success.remark, /TIMEOUT 20/);
    assert.equal(named(criteria, /ratings/).verdict, 'met');
    assert.match(named(criteria, /users/).value ?? '', /^172 in /);
    assert.ok(problems.some((line) => /letters under 5 pixels/.test(line)));
    assert.deepEqual(reasons, [{ reason: 'letters', ratings: 2 }]);
    assert.deepEqual(ratingsByHeight, [
      { height: '< 5 px', positive: 0, all: 2 },
      { height: 'unknown', positive: 150, all: 150 },
    ]);
    assert.ok(problems.some((line) => /Letters were wrong, as people said of 2 results/.test(line)));
    assert.match(markdownReport(report), /letters wrong \| 2 \|/);
    // 2 s a photo: 1,000 take 0.56 hours.
    assert.match(costs.join(' '), /0\.56 hours.*cost 0\.28/);
  });
});

test('a verdict needs the whole interval on one side', () => {
  assert.equal(judge({ value: 0.6, low: 0.52, high: 0.7 }, 0.5), 'met');
  assert.equal(judge({ value: 0.6, low: 0.45, high: 0.7 }, 0.5), 'undecided');
  assert.equal(judge({ value: 0.4, low: 0.3, high: 0.49 }, 0.5), 'missed');
});

test('picture scores come from a report of evaluate', async (t) => {
  const path = join(temporaryFolder(t), 'report.json');
  const method = (name: string, psnr: number, ssim: number) => ({
    ...{ name, psnr, ssim },
    pictures: [
      { name: 'all', boards: 24, psnr: { value: psnr }, ssim: { value: ssim } },
      { name: 'board: white', boards: 24, psnr: { value: psnr }, ssim: { value: ssim } },
      { name: 'tier: hard', boards: 8, psnr: { value: psnr - 2 }, ssim: { value: ssim / 2 } },
      { name: 'tier: mild', boards: 16, psnr: { value: psnr + 1 }, ssim: { value: ssim } },
    ],
  });
  writeFileSync(
    path,
    JSON.stringify({
      scale: 2,
      boards: 24,
      methods: [
        ...[method('bicubic', 25, 0.9), method('bicubic-again', 25, 0.9), method('lanczos', 25.2, 0.91)],
        ...[method('boardsharp-x2', 29, 0.97), method('truth', 99, 1)],
      ],
    }),
  );
  const scores = await readPictureScores(path);
  assert.deepEqual(
    scores.map(({ model, tier, boards, psnr }) => [model, tier, boards, psnr.bicubic, psnr.result]),
    [
      ['boardsharp-x2', 'hard', 8, 23, 27],
      ['boardsharp-x2', 'mild', 16, 26, 30],
      ['boardsharp-x2', 'all tiers', 24, 25, 29],
    ],
  );
  const { criteria } = await makePilotReport(await openEmptyDatabase(t), {
    ...{ ...NOTHING, since: SINCE, until: UNTIL, pictureScores: scores },
  });
  const [hard, mild] = [named(criteria, /PSNR.*hard/), named(criteria, /SSIM.*mild/)];
  assert.deepEqual([hard.value, hard.verdict, hard.sample], ['+17.4 %', 'missed', '8 boards']);
  // 20 % of 23 dB are 4.6 dB, a factor of 2.9.
  assert.match(hard.remark, /20 % of them are 4\.6 dB, which leaves one part in 2\.9/);
  assert.match(mild.remark, /ends at 1, so that from here it can move by 11\.1 % at most, and not by 20 %/);
  assert.match(named(criteria, /SSIM.*hard/).remark, /ends at 1: from here it can move by 122\.2 % at most/);
  writeFileSync(
    path,
    JSON.stringify({ scale: 2, boards: 5, methods: [{ name: 'bicubic', psnr: 25, ssim: 0.9 }] }),
  );
  await assert.rejects(readPictureScores(path), { code: 'EVALUATION_FILE', detail: /evaluate once more/ });
  writeFileSync(path, '{}');
  await assert.rejects(readPictureScores(path), { code: 'EVALUATION_FILE' });
});

test('from a folder of boards to the report, on the command line', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'one.png'), await png(drawBoard(96, 48)));
  const item = { text: 'вектор', box: [5, 5, 40, 30], language: 'ru' };
  writeFileSync(
    join(folder, 'trial.json'),
    JSON.stringify({ boards: [{ photo: 'one.png', kind: 'white', items: [item] }] }),
  );
  const env = { DATA_DIR: join(folder, 'data'), EXECUTION_PROVIDER: 'cpu' };
  const run = (...args: string[]) => boardsharp(args, { folder, env });
  const loaded = await run('trial', 'load', '.', '--name', 'first');
  assert.equal(loaded.exitCode, 0, loaded.stderr);
  assert.match(loaded.stdout, /1 words and formulas of 1 boards/);
  assert.match((await run('trial')).stdout, /first: 1 words, 0 readings by 0 people, open/);
  const [id = ''] = loaded.stdout.split(':');
  assert.equal((await run('trial', 'close', id)).exitCode, 0);
  assert.match((await run('trial', 'close', 'x')).stderr, /There is no such trial/);
  const reported = await run('report', '--out', 'out', '--since', '2026-01-01');
  assert.equal(reported.exitCode, 0, reported.stderr);
  const html = readFileSync(join(folder, 'out', 'report.html'), 'utf8');
  assert.match(html, /^<!doctype html>/);
  assert.doesNotMatch(html, /src="(?!data:)|href=|<script/);
  const data = JSON.parse(readFileSync(join(folder, 'out', 'report.json'), 'utf8')) as {
    criteria: unknown[];
  };
  assert.ok(data.criteria.length >= 5);
  assert.equal((await run('report', '--since', 'yesterday')).exitCode, 2);
});

test('pictures are inside the HTML file, and words cannot break it', async () => {
  const picture = await png(drawBoard(8, 8));
  const form = { read: 1, of: 2, png: picture };
  const causes = ['glare'];
  const one = { truth: '<b>x', board: 'a.jpg', letterHeight: 5, causes, original: form, result: form };
  const report = {
    ...{
      title: 'R',
      since: '2026-01-01',
      until: '2026-02-01',
      criteria: [],
      failures: [],
      verdicts: [],
      models: [],
    },
    ...{
      letterHeights: [],
      ratings: [],
      ratingsByHeight: [],
      reasons: [],
      activeUsers: [],
      trial: null,
      pictureScores: [],
      costs: ['x'],
      problems: [],
    },
    photos: {
      done: 0,
      failed: 0,
      cancelled: 0,
      totalSeconds: null,
      inTime: 0,
      timedOut: 0,
      meanWorkSeconds: null,
    },
    ...{ recommendations: [], goodCases: [one], badCases: [] },
  };
  const html = htmlReport(report);
  assert.match(html, /data:image\/png;base64,/);
  assert.match(html, /In spite of: glare\./);
  assert.ok(html.includes('&lt;b&gt;x') && !html.includes('<b>x'));
  assert.ok(!jsonReport(report).includes('base64'));
});
