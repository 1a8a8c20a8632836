/** `boardsharp upscale`: photos in, pictures out, no services. */
import { readFile, stat } from 'node:fs/promises';
import pMap from 'p-map';
import { type Config, showsStackTraces } from '../config.ts';
import { OUTPUT_FORMATS, type OutputFormat } from '../engine/image-format.ts';
import type { Catalogue, Scale } from '../engine/models.ts';
import type { UpscaleResult } from '../engine/upscale.ts';
import { AppError, toAppError } from '../errors.ts';
import { LOOKS, type Look } from '../job.ts';
import { type Command, type CommandContext, choice, type Engine, readArguments, usage } from './command.ts';
import { chooseTarget, type PhotoTask, planOutputs } from './outputs.ts';
import { findPhotos, identitiesOf, inputError, notAFile } from './photos.ts';
import { createProgressBar } from './progress-bar.ts';
import { preparePlace, writeResult } from './result-file.ts';
import { traceOf, visible } from './terminal-text.ts';

interface Options {
  readonly scale: Scale | undefined;
  readonly model: string | undefined;
  readonly look: Look;
  readonly force: boolean;
}

/** How many photos are worked on at once: one is read or encoded while the network has another. */
const AT_ONCE = 2;

export const runUpscale: Command = async (args, context) => {
  const { paths, output, json, format, options } = readOptions(args);
  const config = context.loadConfig();
  const photos = await findPhotos(paths);
  const target = await chooseTarget(output, photos.length, format);
  const tasks = await planOutputs(photos, target);
  const engine = await context.openEngine(config);
  try {
    checkModel(engine.catalogue, options, config.model);
    return await runTasks(tasks, {
      ...{ engine, config, context, options, json },
      format: target.format,
      originals: identitiesOf(photos),
    });
  } finally {
    await engine.close();
  }
};

function readOptions(args: readonly string[]): {
  paths: string[];
  output: string | undefined;
  json: boolean;
  format: OutputFormat | undefined;
  options: Options;
} {
  const { values, positionals } = readArguments(args, {
    allowPositionals: true,
    options: {
      output: { type: 'string', short: 'o' },
      scale: { type: 'string' },
      look: { type: 'string' },
      model: { type: 'string' },
      format: { type: 'string' },
      json: { type: 'boolean', default: false },
      force: { type: 'boolean', default: false },
    },
  });
  if (positionals.length === 0) throw usage('upscale needs at least one photo or folder');
  const look = choice('--look', values.look, LOOKS);
  const scale = choice('--scale', values.scale, ['2', '4']);
  const format = choice('--format', values.format, OUTPUT_FORMATS);
  return {
    paths: positionals,
    output: values.output,
    json: values.json,
    format,
    options: {
      scale: scale === undefined ? undefined : (Number(scale) as Scale),
      model: values.model,
      look: look ?? 'natural',
      force: values.force,
    },
  };
}

/** What is wrong for every photo is said once, before the first. @throws AppError USAGE, SETTINGS */
function checkModel(
  { models }: Catalogue,
  { model: name, scale }: Options,
  preset: string | undefined,
): void {
  const known = `there are ${[...models.keys()].join(', ')}`;
  const action = 'See `boardsharp models` for what each is for';
  if (name === undefined) {
    if (preset !== undefined && !models.has(preset))
      throw new AppError('SETTINGS', `MODEL=${preset} names no model; ${known}`, { action });
    return;
  }
  const model = models.get(name);
  if (model === undefined)
    throw new AppError('USAGE', `--model ${name} names no model; ${known}`, { action });
  if (scale !== undefined && scale !== model.scale)
    throw new AppError('USAGE', `${name} enlarges by ${model.scale}, not by ${scale}`, { action });
}

interface Run {
  readonly engine: Engine;
  readonly config: Config;
  readonly context: CommandContext;
  readonly options: Options;
  readonly json: boolean;
  readonly format: OutputFormat;
  readonly originals: ReadonlySet<string>;
}

/** Does every task, whatever happens to the others. @returns the exit code */
async function runTasks(tasks: readonly PhotoTask[], run: Run): Promise<number> {
  const { context, json } = run;
  const bar = createProgressBar(context.stderr);
  const progress = tasks.map(() => 0);
  let failed = 0;
  let started = false;

  await pMap(
    tasks,
    async (task, index) => {
      const show = (done: number): void => {
        started = true;
        progress[index] = done;
        bar.show(progress.reduce((sum, share) => sum + share, 0) / tasks.length, task.input);
      };
      try {
        // Not before the first tile of all: until then the log says where networks run, on the same terminal.
        if (started) show(0);
        const result = await doTask(task, run, show);
        bar.clear();
        context.stdout.write(
          json
            ? `${jsonOfResult(task, result, run.options.look)}\n`
            : `${visible(lineOfResult(task, result))}\n`,
        );
      } catch (thrown) {
        failed++;
        const error = toAppError(thrown);
        bar.clear();
        if (json) context.stdout.write(`${jsonOfFailure(task, error)}\n`);
        // A cancelled run says so once, not for every photo.
        if (error.code === 'CANCELLED') return;
        context.stderr.write(`${visible(`${task.input}: ${error.message}`)}\n`);
        if (showsStackTraces(run.config.logLevel)) context.stderr.write(`${traceOf(error)}\n`);
      }
      progress[index] = 1;
    },
    { concurrency: AT_ONCE },
  );
  bar.clear();
  if (context.signal.aborted)
    context.stderr.write('Cancelled: finished results are kept, nothing is half-written.\n');
  return failed === 0 ? 0 : 1;
}

async function doTask(task: PhotoTask, run: Run, show: (done: number) => void): Promise<UpscaleResult> {
  const { engine, config, options, format, originals } = run;
  const { signal } = run.context;
  if (task.error !== undefined || task.output === undefined) throw task.error;
  if (signal.aborted) throw new AppError('CANCELLED', task.input);
  await preparePlace(task.output, { replace: options.force });
  const bytes = await readPhoto(task, config.maxInputBytes);
  const { scale, model, look } = options;
  const result = await engine.upscaler.upscale({
    bytes,
    scale,
    model,
    look,
    format,
    signal,
    onProgress: show,
  });
  await writeResult(task.output, result.bytes, { replace: options.force, keep: originals, signal });
  return result;
}

async function readPhoto({ input, file }: PhotoTask, maxBytes: number): Promise<Uint8Array> {
  try {
    const info = await stat(file);
    // Reading a pipe would wait for somebody to write into it, for ever and beyond any Ctrl-C.
    if (!info.isFile()) throw notAFile(input);
    const { size } = info;
    if (size > maxBytes) throw new AppError('TOO_MANY_BYTES', `${size}, the limit is ${maxBytes}`);
    return await readFile(file);
  } catch (error) {
    throw error instanceof AppError ? error : inputError(input, error);
  }
}

function lineOfResult(task: PhotoTask, result: UpscaleResult): string {
  const { input, reducedTo, output, quality, model, timings } = result;
  const seconds =
    Object.entries(timings).reduce((sum, [name, ms]) => sum + (name === 'network' ? 0 : ms), 0) / 1000;
  const reduced =
    reducedTo === null ? '' : ` reduced to ${reducedTo.width}×${reducedTo.height} (MAX_INPUT_SIDE)`;
  const sizes = `${input.width}×${input.height}${reduced} → ${output.width}×${output.height}`;
  const advice = quality.tooSmall
    ? `; its letters are about ${quality.letterHeight} pixels high, too small to be saved: come closer or zoom in`
    : '';
  return `${task.input} → ${task.output}  ${sizes}, ${model}, ${quality.verdict}, ${seconds.toFixed(1)} s${advice}`;
}

function jsonOfResult(
  task: PhotoTask,
  { bytes: _, input, output, ...rest }: UpscaleResult,
  look: Look,
): string {
  return JSON.stringify({
    status: 'done',
    ...rest,
    look,
    input: { path: task.input, ...input },
    output: { path: task.output, ...output },
    error: null,
  });
}

function jsonOfFailure(task: PhotoTask, { code, message }: AppError): string {
  const status = code === 'CANCELLED' ? 'cancelled' : 'failed';
  return JSON.stringify({
    status,
    input: { path: task.input },
    output: null,
    quality: null,
    error: { code, message },
  });
}
