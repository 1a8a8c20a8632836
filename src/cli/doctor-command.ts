/** `boardsharp doctor`: checks settings, database, storage, models, execution providers and Telegram, and says what to do about each failure. */
import { constants } from 'node:fs';
import { access, mkdir } from 'node:fs/promises';
import type { Config } from '../config.ts';
import { locateModel } from '../engine/model-files.ts';
import { type Model, modelFor } from '../engine/models.ts';
import { networkOf } from '../engine/upscale.ts';
import { AppError, toAppError } from '../errors.ts';
import { type Command, type Engine, readArguments } from './command.ts';
import { readPackageFile } from './package-file.ts';
import { visible } from './terminal-text.ts';

/** As of every command whose settings are wrong. */
const EXIT_SETTINGS = 2;

/** One thing checked: answers with what it found. */
interface Check {
  readonly name: string;
  readonly run: () => Promise<string>;
}

export const runDoctor: Command = async (args, { loadConfig, openEngine, openStorage, stdout }) => {
  readArguments(args, { options: {} });
  let failures = 0;
  async function examine({ name, run }: Check): Promise<void> {
    try {
      stdout.write(`ok    ${name}: ${visible(await run())}\n`);
    } catch (thrown) {
      failures++;
      stdout.write(`FAIL  ${name}: ${visible(toAppError(thrown).message)}\n`);
    }
  }

  await examine({ name: 'Node', run: checkNode });
  let config: Config | undefined;
  await examine({
    name: 'settings',
    run: async () => {
      config = loadConfig();
      return `photos up to ${config.maxInputSide} pixels a side, models in ${config.modelsDir}`;
    },
  });
  if (config === undefined) return EXIT_SETTINGS;
  const { dataDir } = config;
  await examine({ name: 'data folder', run: () => checkFolder(dataDir) });
  const storage = await openStorage(config);
  await examine({ name: 'database', run: () => storage.checkDatabase() });
  await examine({ name: 'storage', run: () => storage.checkBlobs() });
  if (config.botToken !== undefined) await examine({ name: 'Telegram', run: () => storage.checkTelegram() });
  let engine: Engine | undefined;
  const settings = config;
  await examine({
    name: 'catalogue',
    run: async () => {
      engine = await openEngine(settings);
      return `${engine.catalogue.models.size} models known`;
    },
  });
  if (engine === undefined) return 1;
  try {
    for (const scale of [2, 4] as const) {
      await examine(checkDefault(engine, settings, scale));
      const small = engine.catalogue.smallDefaultFor(scale)?.model;
      if (small !== undefined) await examine(checkModel(engine, settings, `scale ${scale}, small`, small));
    }
  } finally {
    await engine.close();
  }
  return failures === 0 ? 0 : 1;
};

async function checkNode(): Promise<string> {
  const major = Number(process.versions.node.split('.', 1)[0]);
  const oldest = Number(readPackageFile().engines.node.replace('>=', ''));
  if (major >= oldest) return process.version;
  throw new AppError('SETTINGS', `${process.version} runs this, ${oldest} or later is needed`, {
    action:
      'Start it with `npm start` or `npx boardsharp`, which bring their own Node, or install a later one',
  });
}

async function checkFolder(folder: string): Promise<string> {
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
    return `${folder} can be written`;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new AppError('OUTPUT_UNWRITABLE', `${folder} (${code ?? message})`, {
      action: 'Set DATA_DIR to a folder you may write',
    });
  }
}

/** The model that a whole photo of this scale gets. */
function checkDefault(engine: Engine, config: Config, scale: 2 | 4): Check {
  const model = modelFor(engine.catalogue, scale, { preset: config.model });
  return checkModel(engine, config, `scale ${scale}`, model);
}

/** A model's file is right, and it runs where the setting wants. */
function checkModel({ inference }: Engine, config: Config, name: string, model: Model): Check {
  return {
    name,
    run: async () => {
      const path = await locateModel(model, config);
      const device = await inference.prepare(networkOf(model, path));
      return `${model.name} is the file the catalogue describes, and runs on ${device.provider} (${device.reason})`;
    },
  };
}
