/** A folder of boards with known text, as an administrator loads them into the reading trial. */
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { AppError } from '../errors.ts';
import type { ItemKind } from './reading-score.ts';

/** The file in the folder that says what is written where. */
export const TRUTH_FILE = 'trial.json';

/** A word or formula on a board. */
export interface KnownText {
  readonly text: string;
  readonly kind: ItemKind;
  readonly language: string | null;
  /** Pixels of the upright photo; right and bottom are the first ones outside. */
  readonly box: {
    readonly left: number;
    readonly top: number;
    readonly right: number;
    readonly bottom: number;
  };
  /** Height of a small letter in pixels of the photo. */
  readonly letterHeight: number | null;
}

export interface KnownBoard {
  /** The photo's file in the folder. */
  readonly photo: string;
  readonly boardKind: string;
  readonly texts: readonly KnownText[];
}

/**
 * Reads `trial.json`: `{ boards: [{ photo, kind, items: [{ text, box: [left, top, right, bottom], formula?, language?,
 * letterHeight? }] }] }`.
 * @throws AppError TRIAL_FOLDER naming the place in the file
 */
export async function readTrialFolder(folder: string): Promise<KnownBoard[]> {
  const path = join(folder, TRUTH_FILE);
  let content: unknown;
  try {
    content = JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw new AppError('TRIAL_FOLDER', `${path} cannot be read (${(cause as Error).message})`, { cause });
  }
  const boards = listAt(content, 'boards', path);
  if (boards.length === 0) throw new AppError('TRIAL_FOLDER', `${path} names no boards`);
  return boards.map((board, index) => readBoard(board, `${path}: boards[${index}]`));
}

function readBoard(board: unknown, place: string): KnownBoard {
  const { photo, kind } = fieldsOf(board, place);
  // A name, never a way out of the folder.
  if (typeof photo !== 'string' || photo === '' || basename(photo) !== photo) {
    throw new AppError('TRIAL_FOLDER', `${place}.photo must be the name of a file in the folder`);
  }
  const boardKind = word(kind, `${place}.kind`);
  const texts = listAt(board, 'items', place).map((item, at) => readText(item, `${place}.items[${at}]`));
  return { photo, boardKind, texts };
}

function readText(item: unknown, place: string): KnownText {
  const { text, box, formula = false, language = null, letterHeight = null } = fieldsOf(item, place);
  if (typeof formula !== 'boolean')
    throw new AppError('TRIAL_FOLDER', `${place}.formula must be true or false`);
  if (letterHeight !== null && !(typeof letterHeight === 'number' && letterHeight > 0)) {
    throw new AppError('TRIAL_FOLDER', `${place}.letterHeight must be a number of pixels`);
  }
  const [left, top, right, bottom] = Array.isArray(box) ? box : [];
  if (
    ![left, top, right, bottom].every(Number.isInteger) ||
    left < 0 ||
    top < 0 ||
    right <= left ||
    bottom <= top
  ) {
    throw new AppError('TRIAL_FOLDER', `${place}.box must be [left, top, right, bottom] in whole pixels`);
  }
  return {
    text: word(text, `${place}.text`),
    kind: formula ? 'formula' : 'word',
    language: language === null ? null : word(language, `${place}.language`),
    box: { left, top, right, bottom },
    letterHeight,
  };
}

function fieldsOf(value: unknown, place: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw new AppError('TRIAL_FOLDER', `${place} must be an object`);
}

function listAt(value: unknown, name: string, place: string): unknown[] {
  const list = fieldsOf(value, place)[name];
  if (Array.isArray(list)) return list;
  throw new AppError('TRIAL_FOLDER', `${place}.${name} must be a list`);
}

function word(value: unknown, place: string): string {
  if (typeof value === 'string' && value.trim() !== '') return value.trim();
  throw new AppError('TRIAL_FOLDER', `${place} must be a text that is not empty`);
}
