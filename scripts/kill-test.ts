/** Kills processes at random while photos are on their way, and says what became of them: `npm run kill-test -- --help`. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createPostgresDatabase } from '../test/helpers/database.ts';
import { sendWhileKilling } from '../test/helpers/killing.ts';

const HELP = `npm run kill-test [-- options]

  --roles together   one process with the embedded database, or
          apart      an api and two workers on a PostgreSQL (scripts/with-postgres.sh starts one)
  --photos 60 --kills 30
  --width 480 --height 360
  --seed 1           when which process is killed
`;

const { values } = parseArgs({
  options: {
    roles: { type: 'string', default: 'together' },
    photos: { type: 'string', default: '60' },
    kills: { type: 'string', default: '30' },
    width: { type: 'string', default: '480' },
    height: { type: 'string', default: '360' },
    seed: { type: 'string', default: '1' },
    help: { type: 'boolean', default: false },
  },
});
const { roles } = values;
if (values.help || (roles !== 'together' && roles !== 'apart')) {
  process.stdout.write(HELP);
  process.exit(values.help ? 0 : 2);
}

let state = Number(values.seed);
const random = () => {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return state / 2 ** 32;
};
const photos = Number(values.photos);
const folder = mkdtempSync(join(tmpdir(), 'boardsharp-kill-'));
const database = roles === 'apart' ? await createPostgresDatabase() : undefined;
let exitCode = 1;
try {
  const report = await sendWhileKilling({
    roles,
    photos,
    kills: Number(values.kills),
    folder,
    ...(database === undefined ? {} : { databaseUrl: database.url }),
    photo: { width: Number(values.width), height: Number(values.height) },
    random,
    say: (line) => process.stdout.write(`${line}\n`),
  });
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  const held = report.ends.done === photos && report.rows === photos && report.done === photos;
  exitCode = held && report.wrong.length === 0 ? 0 : 1;
} finally {
  await database?.remove();
  rmSync(folder, { recursive: true, force: true });
}
process.exit(exitCode);
