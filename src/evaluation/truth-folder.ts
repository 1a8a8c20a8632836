/** Reads a folder of photos with known truth, as `training/score.py render` writes it; docs/evaluation.md has the format. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import type { Scale } from '../engine/models.ts';
import { AppError } from '../errors.ts';

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const lineSchema = v.object({
  text: v.string(),
  language: v.string(),
  box: v.pipe(
    v.tuple([count, count, count, count]),
    v.check(([left, top, right, bottom]) => left < right && top < bottom, 'must be left, top, right, bottom'),
  ),
  x_height: v.pipe(v.number(), v.gtValue(0)),
});
const folderSchema = v.object({
  scale: v.picklist([2, 4]),
  boards: v.pipe(
    v.array(
      v.object({
        name: v.pipe(v.string(), v.regex(/^[\w-]+$/, 'must be letters, digits, hyphens')),
        tier: v.string(),
        kind: v.string(),
        lines: v.array(lineSchema),
      }),
    ),
    v.nonEmpty(),
  ),
});

/** One line of writing. The box is left, top, right, bottom in pixels of the truth; the x-height in pixels of the photo. */
export interface TruthLine {
  readonly text: string;
  readonly language: string;
  readonly box: readonly [number, number, number, number];
  readonly xHeight: number;
}

export interface TruthBoard {
  readonly name: string;
  readonly tier: string;
  readonly kind: string;
  /** Lines of one letter are left out: no reader can be judged by them. */
  readonly lines: readonly TruthLine[];
  readonly photo: Uint8Array;
  readonly truth: Uint8Array;
}

export interface TruthFolder {
  readonly scale: Scale;
  readonly boards: readonly TruthBoard[];
}

/**
 * Reads and checks the folder; of each board at most `maxLines` lines.
 * @throws AppError INPUT_NOT_FOUND, INPUT_UNREADABLE, USAGE, each naming the file
 */
export async function readTruthFolder(folder: string, maxLines: number): Promise<TruthFolder> {
  const path = join(folder, 'truth.json');
  const parsed = v.safeParse(folderSchema, parseJson(path, String(await read(path))));
  if (!parsed.success) {
    const [issue] = parsed.issues;
    throw malformed(path, `${v.getDotPath(issue) ?? 'the whole'}: ${issue.message}`);
  }
  const { scale, boards } = parsed.output;
  return {
    scale,
    boards: await Promise.all(
      boards.map(async ({ name, tier, kind, lines }) => ({
        ...{ name, tier, kind },
        lines: lines
          .filter(({ text }) => text.length > 1)
          .slice(0, maxLines)
          .map(({ x_height: xHeight, ...line }) => ({ ...line, xHeight })),
        photo: await read(join(folder, `${name}.photo.jpg`), join(folder, `${name}.photo.png`)),
        truth: await read(join(folder, `${name}.truth.png`)),
      })),
    ),
  };
}

/** The first of the files that is there. */
async function read(path: string, other?: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    if (missing && other !== undefined) return await read(other);
    throw new AppError(missing ? 'INPUT_NOT_FOUND' : 'INPUT_UNREADABLE', path, { cause: error });
  }
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw malformed(path, (error as Error).message, error);
  }
}

function malformed(path: string, detail: string, cause?: unknown): AppError {
  return new AppError('USAGE', `${path}: ${detail}`, {
    cause,
    action: 'See docs/evaluation.md for the format',
  });
}
