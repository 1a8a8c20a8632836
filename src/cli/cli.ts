/** The command line: which command is meant, help and version. */
import { type Command, type CommandContext, usage } from './command.ts';
import { readPackageFile } from './package-file.ts';

const HELP = `Boardsharp makes photos of boards readable.

Usage: boardsharp <command> [options]

  upscale <photo or folder…>   larger, sharper pictures whose letters are the letters that were written
    -o, --output <path>        a file for one photo, a folder for several; default: beside each photo
        --scale <2|4>          default: 4 for small crops, 2 for large photos
        --model <name>         one of \`boardsharp models\`
        --format <name>        jpeg (default), png or webp
        --look <natural|clean> clean: light evened out, the board plain; default: natural
        --force                replace results that exist
        --json                 one JSON object per photo instead of text
  models [--json]              what is known, what is installed, what is the default and why
  models pull <name>           fetch a model from the hub
  evaluate <folder>            measure models on photos with known truth; docs/evaluation.md has the format
    --models <a,b>             default: the installed ones of the folder's scale;
                               results of larger scales are reduced to it
    --out <folder>             for report and measurements; default: evaluation
    --lines <n>                lines read on each board at most; default: 12
    --reader-jobs <n>          readers at once; default: 2
    --against <model>          compare every method with this one too, letter by letter
    --choose                   say which model should be the default by the written rule
    --budget-seconds <n>       for a 1280×960 photo, for --choose; default: 3
  dataset slice <video>        a lecture video cut into pictures of its distinct boards; needs ffmpeg
    -o, --output <folder>      default: <video>-boards
        --every <seconds>      how far apart the frames are that are looked at; default: 1
        --force                replace pictures that exist
  start                        page, API, worker and bot in one process, at http://127.0.0.1:8080
  api, worker                  one of them alone; needs DATABASE_URL
  bot                          the Telegram bot alone; needs BOT_TOKEN and API_URL
  migrate                      bring the database up to date and end; the roles do it too when they start
  trial                        the reading trial: what there is, and how much was read
  trial photos <folder>        the photos whose owners let them be used
  trial load <folder>          boards with known text for volunteers; docs/pilot.md has the format
  trial close|open|remove <id>
  report                       the pilot report: report.html, .md and .json
    --since <date>             default: the last 30 days
    --out <folder>             default: pilot-report
    --evaluation <file>        a report.json of evaluate, for PSNR and SSIM; may be given twice
    --price-per-hour <n>       of one worker's machine, for the costs
  doctor                       check settings, database, storage, models, execution providers and Telegram

  -h, --help                   this text
      --version                the version

Settings come from the environment or .env; .env.example lists them.
Exit codes: 0 all done, 1 something failed (the others are still done), 2 wrong usage or settings.
`;

/** Loaded when asked for, so that each command starts with what it needs alone. */
const COMMANDS: ReadonlyMap<string, () => Promise<Command>> = new Map([
  ['upscale', async () => (await import('./upscale-command.ts')).runUpscale],
  [
    'models',
    async () => {
      const { runModels } = await import('./models-command.ts');
      return (args, context) => runModels(args, { ...context, config: context.loadConfig() });
    },
  ],
  ['evaluate', async () => (await import('./evaluate-command.ts')).runEvaluate],
  ['dataset', async () => (await import('./dataset-command.ts')).runDataset],
  ['start', async () => (await import('./serve-command.ts')).runStart],
  ['api', async () => (await import('./serve-command.ts')).runApi],
  ['worker', async () => (await import('./serve-command.ts')).runWorker],
  ['bot', async () => (await import('./serve-command.ts')).runBot],
  ['migrate', async () => (await import('./serve-command.ts')).runMigrate],
  ['trial', async () => (await import('./pilot-command.ts')).runTrial],
  ['report', async () => (await import('./pilot-command.ts')).runReport],
  ['doctor', async () => (await import('./doctor-command.ts')).runDoctor],
]);

/**
 * Runs one command.
 * @param argv the arguments after the program's name
 * @returns the exit code
 * @throws AppError USAGE, SETTINGS, or whatever stopped the command as a whole
 */
export async function runCommandLine(argv: readonly string[], context: CommandContext): Promise<number> {
  const [name, ...args] = argv;
  if (name === '--version') {
    context.stdout.write(`${readPackageFile().version}\n`);
    return 0;
  }
  if (
    name === '-h' ||
    name === '--help' ||
    name === 'help' ||
    args.includes('--help') ||
    args.includes('-h')
  ) {
    context.stdout.write(HELP);
    return 0;
  }
  if (name === undefined) throw usage('no command was given');
  const load = COMMANDS.get(name);
  if (load === undefined) throw usage(`there is no command "${name}"`);
  const command = await load();
  return await command(args, context);
}
