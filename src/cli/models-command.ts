/** `boardsharp models`: what is known, installed and used by default, and `models pull` to fetch one. */
import { stat } from 'node:fs/promises';
import type { Config } from '../config.ts';
import { locateModel, type Progress, pullModel } from '../engine/model-files.ts';
import { type Catalogue, loadCatalogue, type Model } from '../engine/models.ts';
import { AppError } from '../errors.ts';
import { type CommandContext, readArguments, usage } from './command.ts';
import { createProgressBar } from './progress-bar.ts';

/** What the command is given: of the settings, those it uses. */
export interface ModelsContext extends Pick<CommandContext, 'stdout' | 'stderr' | 'signal'> {
  readonly config: Pick<Config, 'model' | 'modelsDir' | 'hfEndpoint' | 'hfToken'>;
}

/** One model as `models --json` prints it. */
interface Listed {
  readonly name: string;
  readonly summary: string;
  readonly scale: number;
  readonly state: 'embedded' | 'own' | 'pulled' | 'not installed' | 'unusable';
  /** Why it is unusable, and what to do. */
  readonly problem: string | null;
  readonly path: string | null;
  readonly default: boolean;
  readonly licence: string;
  readonly bytes: number | null;
  readonly parameters: number | null;
  readonly source: string;
}

/**
 * Runs `models` or `models pull <name>`; answers with exit code 0.
 * @param args what follows `models` on the command line
 * @throws AppError USAGE, CATALOGUE, MODEL_UNKNOWN, and those of `pullModel`
 */
export async function runModels(args: readonly string[], context: ModelsContext): Promise<number> {
  const { values, positionals } = readArguments(args, {
    options: { json: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  const [verb, name, ...more] = positionals;
  if (verb === undefined) return await list(values.json, context);
  if (verb !== 'pull') throw usage(`models ${verb} is not known; there are models and models pull <name>`);
  if (name === undefined || more.length > 0) throw usage('models pull takes the name of one model');
  return await pull(name, values.json, context);
}

async function list(json: boolean, { config, stdout }: ModelsContext): Promise<number> {
  const catalogue = await loadCatalogue(config);
  const models: Listed[] = [];
  for (const model of catalogue.models.values()) {
    models.push(await describe(model, catalogue, config.modelsDir));
  }
  const defaults = ([2, 4] as const).map((scale) => {
    const { model, why } = catalogue.defaultFor(scale);
    const small = catalogue.smallDefaultFor(scale);
    return {
      ...{ scale, model: model.name, why },
      small: small ? { model: small.model.name, why: small.why, upToPixels: small.upToPixels } : null,
    };
  });
  if (json) {
    stdout.write(
      `${JSON.stringify({ models, defaults, chosen: config.model ?? null, modelsDir: config.modelsDir })}\n`,
    );
    return 0;
  }
  stdout.write(`${table(models)}\n\n`);
  for (const { scale, model, why, small } of defaults) {
    stdout.write(`Default for x${scale}: ${model} (${why}).\n`);
    if (small === null) continue;
    stdout.write(`  Up to ${small.upToPixels} pixels: ${small.model} (${small.why}).\n`);
  }
  if (config.model !== undefined) {
    const known = catalogue.models.has(config.model);
    stdout.write(
      `MODEL=${config.model} ${known ? 'is used instead of the default of its scale' : 'names none of these'}.\n`,
    );
  }
  stdout.write(`Pulled models live in ${config.modelsDir}. Fetch one: boardsharp models pull <name>\n`);
  return 0;
}

async function pull(name: string, json: boolean, context: ModelsContext): Promise<number> {
  const { config, stdout, stderr, signal } = context;
  const model = (await loadCatalogue(config)).get(name);
  const bar = createProgressBar(stderr);
  const onProgress = ({ receivedBytes, totalBytes }: Progress): void =>
    bar.show(receivedBytes / totalBytes, `${name}, ${size(totalBytes)}`);
  const { path, fetched, record } = await pullModel(model, { ...config, signal, onProgress }).finally(
    bar.clear,
  );
  if (json) {
    stdout.write(`${JSON.stringify({ name, path, fetched, record: record ?? null })}\n`);
  } else if (fetched && record) {
    const commit = record.commit === null ? '' : `, commit ${record.commit}`;
    stdout.write(`Pulled ${name} (${size(record.bytes)}, SHA-256 ${record.sha256}${commit}) to ${path}\n`);
  } else {
    stdout.write(`${name} is installed already: ${path}\n`);
  }
  return 0;
}

async function describe(model: Model, catalogue: Catalogue, modelsDir: string): Promise<Listed> {
  const { name, summary, scale, licence, parameters, source } = model;
  let { bytes } = model;
  let state: Listed['state'] = source.kind === 'hub' ? 'pulled' : source.kind;
  let problem: string | null = null;
  let path: string | null = null;
  try {
    path = await locateModel(model, { modelsDir });
    bytes = (await stat(path)).size;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const expected = error.code === 'MODEL_MISSING' && source.kind === 'hub';
    state = expected ? 'not installed' : 'unusable';
    problem = expected ? null : error.message;
  }
  return {
    ...{ name, summary, scale, state, problem, path },
    default: catalogue.defaultFor(scale).model === model,
    ...{ licence, bytes, parameters },
    source: source.kind === 'hub' ? `${source.repository}@${source.revision}:${source.file}` : source.path,
  };
}

function table(models: readonly Listed[]): string {
  const rows = models.map((model) => [
    model.name,
    `x${model.scale}${model.default ? ' default' : ''}`,
    model.state,
    model.bytes === null ? '-' : size(model.bytes),
    model.licence,
    model.problem ?? model.summary,
  ]);
  rows.unshift(['NAME', 'SCALE', 'STATE', 'SIZE', 'LICENCE', 'WHAT IT IS FOR']);
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function size(bytes: number): string {
  return bytes < 1_000_000 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
