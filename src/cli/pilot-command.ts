/** `boardsharp trial` and `boardsharp report`: the reading trial and the pilot report, on the service's database. */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Config } from '../config.ts';
import { AppError } from '../errors.ts';
import { findWithdrawn, readGivenPhotos } from '../pilot/consent.ts';
import { readPictureScores } from '../pilot/evaluation-file.ts';
import { makePilotReport } from '../pilot/pilot-report.ts';
import { findCases, type LoadedBoard, loadTrial, removeTrial, trialResults } from '../pilot/reading-trial.ts';
import { htmlReport, jsonReport, markdownReport } from '../pilot/report-pages.ts';
import { readTrialFolder } from '../pilot/trial-folder.ts';
import { listTrials, setTrialClosed } from '../storage/trial-records.ts';
import { type Command, type CommandContext, readArguments, type Stores, usage } from './command.ts';
import { inputError } from './photos.ts';

const DEFAULT_DAYS = 30;
const SHOWN_CASES = 6;
/** Written at once, the newest first. */
const MAX_GIVEN = 1000;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** `trial`, `trial photos|load <folder>`, `trial close|open|remove <id>`. */
export const runTrial: Command = async (args, context) => {
  const { values, positionals } = readArguments(args, {
    allowPositionals: true,
    options: { name: { type: 'string' } },
  });
  const [verb, subject, ...more] = positionals;
  const known = verb === undefined || ['photos', 'load', 'close', 'open', 'remove'].includes(verb);
  if (!known || more.length > 0 || (verb !== undefined && subject === undefined)) {
    throw usage('there are trial, trial photos or load <folder>, and trial close, open or remove <id>');
  }
  const config = context.loadConfig();
  if (verb === 'load') return load(context, subject as string, values.name ?? basename(subject as string));
  if (verb === 'photos') return writeGivenPhotos(context, subject as string);
  if (verb !== undefined && !UUID.test(subject as string))
    throw new AppError('TRIAL_NOT_FOUND', subject as string);
  const stores = await context.openStores(config);
  try {
    if (verb === undefined) return await list(stores, context, config);
    const id = subject as string;
    const trials = await listTrials(stores.db);
    if (!trials.some((trial) => trial.id === id)) throw new AppError('TRIAL_NOT_FOUND', id);
    if (verb === 'remove') await removeTrial(stores, id);
    else await setTrialClosed(stores.db, id, verb === 'close');
    return 0;
  } finally {
    await stores.close();
  }
};

async function load(context: CommandContext, folder: string, name: string): Promise<number> {
  const config = context.loadConfig();
  // Mistakes of the folder are told before anything is opened.
  const boards = await readTrialFolder(folder);
  async function* read(): AsyncGenerator<LoadedBoard> {
    for (const board of boards) {
      const path = join(folder, board.photo);
      context.stderr.write(`${board.photo}\n`);
      const bytes = await readFile(path).catch((error: unknown) => {
        throw inputError(path, error);
      });
      yield { ...board, bytes };
    }
  }
  const stores = await context.openStores(config);
  try {
    const engine = await context.openEngine(config);
    try {
      const { id, code, items } = await loadTrial({ ...stores, upscaler: engine.upscaler }, name, read());
      context.stdout.write(`${id}: ${items} words and formulas of ${boards.length} boards\n`);
      context.stdout.write(`Volunteers read at ${pageOf(config, code)}, or by /read in the bot\n`);
      return 0;
    } finally {
      await engine.close();
    }
  } finally {
    await stores.close();
  }
}

/**
 * The photos whose owners agreed, to be annotated: each is named by its upscale, which `load` asks about once more. Those in
 * the folder whose owners have taken it back since are removed.
 */
async function writeGivenPhotos(context: CommandContext, folder: string): Promise<number> {
  const stores = await context.openStores(context.loadConfig());
  try {
    await mkdir(folder, { recursive: true });
    let written = 0;
    for await (const { upscaleId, format, bytes } of readGivenPhotos(stores, MAX_GIVEN)) {
      await writeFile(join(folder, `${upscaleId}.${format}`), bytes);
      written++;
    }
    context.stdout.write(`${written} photos whose owners agreed: ${folder}\n`);
    const { withdrawn, unknown } = await findWithdrawn(stores.db, await readdir(folder));
    for (const name of withdrawn) await rm(join(folder, name));
    if (withdrawn.length > 0) context.stdout.write(`${withdrawn.length} removed: taken back since\n`);
    if (unknown.length > 0) {
      context.stderr.write(
        `Nobody here knows these any more: erase them, if they are from here: ${unknown.join(', ')}\n`,
      );
    }
    return 0;
  } finally {
    await stores.close();
  }
}

/** Where volunteers read; the path alone where nobody said under which address people reach it. */
function pageOf({ publicUrl = '' }: Pick<Config, 'publicUrl'>, code: string): string {
  return `${publicUrl}/reading/${code}`;
}

async function list({ db }: Stores, { stdout }: CommandContext, config: Config): Promise<number> {
  for (const { id, name, code, items, closedAt } of await listTrials(db)) {
    const { all } = await trialResults(db, id);
    const state = closedAt === null ? 'open' : 'closed';
    stdout.write(
      `${id}  ${name}: ${items} words, ${all.readings} readings by ${all.readers} people, ${state}, ${pageOf(config, code)}\n`,
    );
  }
  return 0;
}

/** `report [--since date] [--out folder] [--evaluation report.json] [--price-per-hour price]`. */
export const runReport: Command = async (args, context) => {
  const { values } = readArguments(args, {
    options: {
      since: { type: 'string' },
      out: { type: 'string', default: 'pilot-report' },
      evaluation: { type: 'string', multiple: true, default: [] },
      'price-per-hour': { type: 'string' },
    },
  });
  const until = new Date();
  const since =
    values.since === undefined
      ? new Date(until.getTime() - DEFAULT_DAYS * 86_400_000)
      : new Date(values.since);
  if (Number.isNaN(since.getTime()))
    throw usage(`--since must be a date like 2026-09-01, not "${values.since}"`);
  const price = values['price-per-hour'];
  const pricePerHour = price === undefined ? undefined : Number(price);
  if (pricePerHour !== undefined && !(pricePerHour >= 0))
    throw usage(`--price-per-hour must be a number, not "${price}"`);
  const pictureScores = (await Promise.all(values.evaluation.map(readPictureScores))).flat();
  const stores = await context.openStores(context.loadConfig());
  try {
    const held = (await listTrials(stores.db)).length > 0;
    const report = await makePilotReport(stores.db, {
      ...{ since, until, pictureScores, pricePerHour },
      trial: held ? await trialResults(stores.db) : null,
      ...(await findCases(stores, SHOWN_CASES)),
    });
    await mkdir(values.out, { recursive: true });
    const markdown = markdownReport(report);
    await writeFile(join(values.out, 'report.html'), htmlReport(report));
    await writeFile(join(values.out, 'report.md'), markdown);
    await writeFile(join(values.out, 'report.json'), jsonReport(report));
    context.stdout.write(`${markdown}\nReport: ${join(values.out, 'report.html')}\n`);
    return 0;
  } finally {
    await stores.close();
  }
};
