/** `boardsharp evaluate`: measures models on photos with known truth and writes a report. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readSize } from '../engine/image-codec.ts';
import { locateModel } from '../engine/model-files.ts';
import type { Catalogue, Model, Scale } from '../engine/models.ts';
import { AppError } from '../errors.ts';
import { chooseModel } from '../evaluation/choose.ts';
import { figuresOf } from '../evaluation/figures.ts';
import { picturesOf } from '../evaluation/line-pictures.ts';
import { measureAll, planMethods } from '../evaluation/measure.ts';
import { htmlReport, markdownReport } from '../evaluation/report.ts';
import { findTesseract } from '../evaluation/tesseract.ts';
import { readTruthFolder } from '../evaluation/truth-folder.ts';
import { type Command, readArguments, usage } from './command.ts';
import { createProgressBar } from './progress-bar.ts';

const SEED = 1;
const WORST_SHOWN = 12;

/** A crop of a sixth of the pixels is still sooner done in four times the time. */
const SMALL_CROPS_TIMES = 4;

export const runEvaluate: Command = async (args, context) => {
  const { values, positionals } = readArguments(args, {
    allowPositionals: true,
    options: {
      models: { type: 'string' },
      out: { type: 'string', default: 'evaluation' },
      lines: { type: 'string', default: '12' },
      against: { type: 'string' },
      choose: { type: 'boolean', default: false },
      'budget-seconds': { type: 'string', default: '3' },
      'reader-jobs': { type: 'string', default: '2' },
    },
  });
  const [place, ...more] = positionals;
  if (place === undefined || more.length > 0) throw usage('evaluate takes one folder of photos with truth');
  const maxLines = positive('--lines', values.lines, true);
  const budgetSeconds = positive('--budget-seconds', values['budget-seconds'], false);
  const readerJobs = positive('--reader-jobs', values['reader-jobs'], true);
  const config = context.loadConfig();
  const { stdout, stderr, signal } = context;
  const folder = await readTruthFolder(place, maxLines);
  const reader = await findTesseract();
  if (reader === undefined)
    stderr.write(
      'Tesseract with rus and eng is not installed: letters are left out, pictures are measured.\n',
    );
  const engine = await context.openEngine(config);
  const bar = createProgressBar(stderr);
  try {
    const models = await chosenModels(engine.catalogue, values.models, folder.scale, config.modelsDir);
    const limits = { maxPixels: config.maxInputPixels, signal };
    const methods = planMethods(folder, models, engine.upscaler, limits);
    if (values.against !== undefined && !methods.some(({ name }) => name === values.against))
      throw usage(
        `--against ${values.against} is not measured; there are ${methods.map(({ name }) => name).join(', ')}`,
      );
    const cacheDir = join(values.out, 'measured');
    const measured = await measureAll(folder, methods, {
      ...{ ...limits, cacheDir, reader, readerJobs, onProgress: bar.show },
    });
    const sizes = await Promise.all(folder.boards.map(({ photo }) => readSize(photo)));
    const photoPixels = sizes.reduce((sum, { width, height }) => sum + width * height, 0) / sizes.length;
    const rival = values.against;
    const sums = figuresOf(folder, measured, { seed: SEED, reader, rival, photoPixels, shown: WORST_SHOWN });
    // One of another scale is measured for comparison, and cannot be the default of this one.
    const compared = models.filter(({ scale }) => scale !== folder.scale).map(({ name }) => name);
    const figures = values.choose ? { ...sums, choice: chooseModel(sums, budgetSeconds, compared) } : sums;
    const pictures = await picturesOf(figures.worst, folder, methods);
    bar.clear();
    const markdown = markdownReport(figures);
    await mkdir(values.out, { recursive: true });
    await writeFile(join(values.out, 'report.json'), `${JSON.stringify(figures, null, 1)}\n`);
    await writeFile(join(values.out, 'report.md'), markdown);
    await writeFile(join(values.out, 'report.html'), htmlReport(figures, pictures));
    stdout.write(`${markdown}\nReport: ${join(values.out, 'report.html')}\n`);
    if (figures.choice !== undefined) {
      const { model, lost } = figures.choice;
      stdout.write(
        model === undefined
          ? `No model qualifies for x${folder.scale}: bicubic is the safe answer.\n`
          : `Default for x${folder.scale} by the rule: ${model}. Set defaults.${folder.scale}.model in models/catalogue.json to it.\n`,
      );
      for (const { model: name, why } of lost) stdout.write(`${name} lost: ${why}.\n`);
      const small = chooseModel(sums, SMALL_CROPS_TIMES * budgetSeconds, compared).model;
      if (small !== model) {
        stdout.write(
          `For small crops, by the same rule with ${SMALL_CROPS_TIMES} times the time: ${small}. Set defaults.${folder.scale}.small.model to it.\n`,
        );
      }
    }
    return 0;
  } finally {
    bar.clear();
    await engine.close();
  }
};

/** Those named, of the scale or a multiple of it, else the installed ones of the scale. @throws AppError MODEL_UNKNOWN, USAGE */
async function chosenModels(
  catalogue: Catalogue,
  names: string | undefined,
  scale: Scale,
  modelsDir: string,
): Promise<Model[]> {
  if (names !== undefined) {
    const models = [...new Set(names.split(','))].map((name) => catalogue.get(name.trim()));
    const other = models.find((model) => model.scale % scale !== 0);
    if (other === undefined) return models;
    throw usage(`${other.name} enlarges by ${other.scale}, the folder's truth is ${scale} times its photos`);
  }
  const models: Model[] = [];
  for (const model of catalogue.models.values()) {
    if (model.scale !== scale) continue;
    try {
      await locateModel(model, { modelsDir });
      models.push(model);
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'MODEL_MISSING') throw error;
    }
  }
  return models;
}

function positive(option: string, text: string, whole: boolean): number {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value) && (!whole || Number.isInteger(value))) return value;
  throw usage(`${option} must be a ${whole ? 'whole ' : ''}number above 0, not "${text}"`);
}
