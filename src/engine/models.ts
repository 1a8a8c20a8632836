/** The model catalogue: a typed, checked view of `models/catalogue.json` and of the user's own, and the choice of scale. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import { AppError } from '../errors.ts';
import type { Damping } from './damping.ts';

export type Scale = 2 | 4;

/** Where a model's file comes from. Paths are absolute; `own` is a file of the user's beside their catalogue. */
export type ModelSource =
  | { readonly kind: 'embedded' | 'own'; readonly path: string }
  | { readonly kind: 'hub'; readonly repository: string; readonly revision: string; readonly file: string };

/** One network as data. All the engine knows about it is here; nothing follows from its name. */
export interface Model {
  readonly name: string;
  readonly summary: string;
  readonly scale: Scale;
  readonly source: ModelSource;
  /** SHA-256 of the file in hex. `null` on a hub model: pinned by the first pull. */
  readonly sha256: string | null;
  /** Size of the file, where known before it is there. */
  readonly bytes: number | null;
  /** Name of the input tensor, and what its height and width must be multiples of. */
  readonly input: { readonly name: string; readonly multiple: number };
  readonly output: { readonly name: string };
  /** The float that stands for white in the input and output. */
  readonly range: 1 | 255;
  /** `bicubic`: the output is a correction to be added to the bicubic enlargement. `none`: it is the picture. */
  readonly base: 'bicubic' | 'none';
  /** Photo pixels a tile reads beyond what it keeps: the receptive-field radius or more. */
  readonly halo: number;
  /** Whether the halo covers all that the network looks at, so that tiles join without any difference. */
  readonly tiling: 'exact' | 'approximate';
  /** Most photo pixels one tile may read, halo included. */
  readonly tilePixels: number;
  /** Where a correction keeps quiet: small letters, which networks change more than they clear up. Empty: nowhere. */
  readonly damping?: Damping | undefined;
  readonly licence: string;
  readonly parameters: number | null;
}

/** The models there are. */
export interface Catalogue {
  readonly models: ReadonlyMap<string, Model>;
  /** @throws AppError MODEL_UNKNOWN naming those there are */
  get(name: string): Model;
  /** The model used for a scale when none is asked for; without `pixels`, a photo's size, the one for whole photos. */
  defaultFor(scale: Scale, pixels?: number): Choice;
  /** The model for small crops, where a slower and better network costs next to nothing; undefined: the same. */
  smallDefaultFor(scale: Scale): (Choice & { readonly upToPixels: number }) | undefined;
}

/** A model and the reason to take it, in a sentence without a full stop. */
export interface Choice {
  readonly model: Model;
  readonly why: string;
}

const EMBEDDED_DIR = fileURLToPath(new URL('../../models/', import.meta.url));
const FILE_NAME = 'catalogue.json';

const positive = v.pipe(v.number(), v.integer(), v.minValue(1));
const text = v.pipe(v.string(), v.nonEmpty());
// Files, repositories and revisions become parts of paths and addresses: no "..", no escapes, no query.
const relativePath = v.pipe(
  v.string(),
  v.regex(/^(?!.*(^|\/)\.+(\/|$))[\w.-]+(\/[\w.-]+)*$/, 'must be a plain relative path'),
);

const entrySchema = v.pipe(
  v.strictObject({
    summary: text,
    scale: v.picklist([2, 4]),
    source: v.union(
      [
        v.strictObject({ file: relativePath }),
        v.strictObject({
          repository: v.pipe(relativePath, v.regex(/^[^/]+\/[^/]+$/, 'must be "owner/name"')),
          revision: relativePath,
          file: relativePath,
        }),
      ],
      'must be {"file"} or {"repository", "revision", "file"}, each a plain relative path',
    ),
    sha256: v.nullable(v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'must be 64 small hex digits or null'))),
    bytes: v.nullable(positive),
    input: v.strictObject({ name: text, multiple: positive }),
    output: v.strictObject({ name: text }),
    range: v.picklist([1, 255]),
    base: v.picklist(['bicubic', 'none']),
    halo: v.pipe(v.number(), v.integer(), v.minValue(0)),
    tiling: v.picklist(['exact', 'approximate']),
    tilePixels: positive,
    damping: v.optional(
      v.pipe(
        v.strictObject({
          share: v.pipe(v.number(), v.minValue(0), v.maxValue(1)),
          smallPixels: positive,
          largePixels: positive,
        }),
        v.check(
          ({ smallPixels, largePixels }) => smallPixels < largePixels,
          'largePixels must be above smallPixels',
        ),
      ),
    ),
    licence: text,
    parameters: v.nullable(positive),
  }),
  v.forward(
    v.check(
      (entry) => entry.damping === undefined || entry.base === 'bicubic',
      'damps corrections: base must be bicubic',
    ),
    ['damping'],
  ),
  v.forward(
    v.check((entry) => entry.halo % entry.input.multiple === 0, 'must be a multiple of input.multiple'),
    ['halo'],
  ),
);

// A name is also a file name in MODELS_DIR, on file systems that know no capitals; catalogue.json is taken there.
const name = v.pipe(
  v.string(),
  v.regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'must be small letters, digits and hyphens'),
  v.notValue('catalogue', 'is reserved'),
);
const modelsSchema = v.record(name, entrySchema);
const choice = { model: v.string(), why: text };
const defaultSchema = v.strictObject({
  ...choice,
  small: v.optional(v.strictObject({ ...choice, upToPixels: positive })),
});
const embeddedSchema = v.strictObject({
  defaults: v.strictObject({ 2: defaultSchema, 4: defaultSchema }),
  models: modelsSchema,
});
const ownSchema = v.strictObject({
  defaults: v.optional(v.never('belongs to the embedded catalogue; choose yours with MODEL')),
  models: modelsSchema,
});

/**
 * Reads the embedded catalogue, and `catalogue.json` in `modelsDir` where there is one, which only adds.
 * @param options `embeddedDir` is another folder to take the embedded catalogue and its files from
 * @throws AppError CATALOGUE naming the file and every wrong place in it
 */
export async function loadCatalogue(options: {
  modelsDir: string;
  embeddedDir?: string;
}): Promise<Catalogue> {
  const embeddedDir = options.embeddedDir ?? EMBEDDED_DIR;
  const embeddedPath = join(embeddedDir, FILE_NAME);
  const ownPath = join(options.modelsDir, FILE_NAME);
  const embedded = await readCatalogue(embeddedPath, embeddedSchema);
  if (embedded === undefined) throw new AppError('CATALOGUE', `${embeddedPath} is not there`);
  const own = await readCatalogue(ownPath, ownSchema);

  const models = new Map<string, Model>();
  for (const [name, entry] of Object.entries(embedded.models)) {
    models.set(name, toModel(name, entry, 'embedded', embeddedDir));
  }
  const choose = (scale: Scale, { model: name, why }: { model: string; why: string }): Choice => {
    const model = models.get(name);
    if (model?.scale === scale) return { model, why };
    throw new AppError(
      'CATALOGUE',
      `${embeddedPath}: the default for ${scale} is ${name}, which is no model of that scale`,
    );
  };
  const defaultOf = (scale: Scale) => {
    const { small, ...whole } = embedded.defaults[scale];
    return {
      whole: choose(scale, whole),
      small: small && { ...choose(scale, small), upToPixels: small.upToPixels },
    };
  };
  const defaults = { 2: defaultOf(2), 4: defaultOf(4) };
  for (const [name, entry] of Object.entries(own?.models ?? {})) {
    if (models.has(name)) {
      throw new AppError(
        'CATALOGUE',
        `${ownPath} describes ${name}, which is the name of a model Boardsharp knows already`,
      );
    }
    models.set(name, toModel(name, entry, 'own', options.modelsDir));
  }
  return {
    models,
    get(name) {
      const model = models.get(name);
      if (model !== undefined) return model;
      throw new AppError('MODEL_UNKNOWN', `${name}; there are ${[...models.keys()].join(', ')}`);
    },
    defaultFor(scale, pixels = Number.POSITIVE_INFINITY) {
      const { whole, small } = defaults[scale];
      return small !== undefined && pixels <= small.upToPixels ? small : whole;
    },
    smallDefaultFor: (scale) => defaults[scale].small,
  };
}

/**
 * The model of a photo for which none is asked for: the setting `MODEL` where it fits the scale, else the default.
 * @throws AppError MODEL_UNKNOWN: there is no model of the setting's name
 */
export function modelFor(
  catalogue: Catalogue,
  scale: Scale,
  { preset, pixels }: { preset: string | undefined; pixels?: number },
): Model {
  const model = preset === undefined ? undefined : catalogue.get(preset);
  return model?.scale === scale ? model : catalogue.defaultFor(scale, pixels).model;
}

/** The longest side in pixels that is still enlarged four times by default. */
export const LONGEST_SIDE_FOR_X4 = 800;

/**
 * The scale for a photo when none is asked for; its size is that after `MAX_INPUT_SIDE`.
 *
 * A whole photo arrives from a chat at 1280 pixels or more: its letters are mostly readable, four times would make
 * 20 megapixels and up for a phone to show, and cost a multiple of the time. A crop of one formula or one line is a
 * few hundred pixels, where letters are small and x4 is cheap. 800 lies well below the first and above the second,
 * and bounds the result at 3200 pixels a side, 10 megapixels.
 */
export function chooseScale(width: number, height: number): Scale {
  return Math.max(width, height) <= LONGEST_SIDE_FOR_X4 ? 4 : 2;
}

/** The file parsed and checked; `undefined` when there is none. */
async function readCatalogue<T extends v.GenericSchema>(
  path: string,
  schema: T,
): Promise<v.InferOutput<T> | undefined> {
  let content: string;
  try {
    content = await readFile(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new AppError('CATALOGUE', `${path} cannot be read (${code})`, {
      cause: error,
    });
  }
  let json: unknown;
  try {
    json = JSON.parse(content);
  } catch (error) {
    throw new AppError('CATALOGUE', `${path} is not JSON: ${(error as Error).message}`, { cause: error });
  }
  const result = v.safeParse(schema, json);
  if (result.success) return result.output;
  const problems = result.issues.map((issue) => `${v.getDotPath(issue) ?? 'the whole'}: ${issue.message}`);
  throw new AppError('CATALOGUE', `${path}: ${problems.join('; ')}`);
}

function toModel(
  name: string,
  entry: v.InferOutput<typeof entrySchema>,
  kind: 'embedded' | 'own',
  folder: string,
): Model {
  const source: ModelSource =
    'repository' in entry.source
      ? { kind: 'hub', ...entry.source }
      : { kind, path: join(folder, entry.source.file) };
  return Object.freeze({ ...entry, name, source });
}
