/** The reading trial: volunteers are shown words of boards, as photographed or as the result, and type what they read. */
import { createHash, randomUUID } from 'node:crypto';
import { enlarge } from '../engine/bicubic.ts';
import { decode, encode, reduce } from '../engine/image-codec.ts';
import { sniffFormat } from '../engine/image-format.ts';
import { cutOut, expandWithin, type Raster, type Rect, scaleRect } from '../engine/pixels.ts';
import type { Upscaler } from '../engine/upscale.ts';
import { AppError } from '../errors.ts';
import { CROP_PREFIX } from '../job.ts';
import type { Blobs } from '../storage/blobs.ts';
import type { Database, Queryable } from '../storage/database.ts';
import { newCode } from '../storage/new-code.ts';
import {
  countReadings,
  deleteTrial,
  findCandidates,
  findReadings,
  findShown,
  findTrialItems,
  findUnanswered,
  insertReading,
  insertTrial,
  saveAnswer,
  type TrialForm,
  type TrialItemKind,
  type TrialItemRecord,
} from '../storage/trial-records.ts';
import { isGiven } from '../storage/user-records.ts';
import { type Circumstances, findCauses, seeWord } from './circumstances.ts';
import { upscaleOf } from './consent.ts';
import { isReadRight, normalise } from './reading-score.ts';
import type { KnownBoard, KnownText } from './trial-folder.ts';
import { summarise, type TrialResults } from './trial-statistics.ts';

/** Around a word, in pixels of the photo: enough to see where it stands, too little to guess it from its neighbours. */
const MARGIN = 4;

/** Where an item's crop is kept. */
export function cropKey(itemId: string, form: TrialForm): string {
  return `${CROP_PREFIX}${itemId}/${form}`;
}

/** A board to be loaded: its photo as a file, and what is written on it. */
export interface LoadedBoard extends KnownBoard {
  readonly bytes: Uint8Array;
}

/**
 * Adds a trial: every board is upscaled by the product itself, and each word cut out of the photo, enlarged by bicubic
 * to the same size, and out of the result.
 * @throws AppError TRIAL_FOLDER for a box outside its photo, and the engine's errors; nothing of the trial is kept then
 */
export async function loadTrial(
  { db, blobs, upscaler }: { db: Database; blobs: Blobs; upscaler: Upscaler },
  name: string,
  boards: AsyncIterable<LoadedBoard>,
): Promise<{ id: string; code: string; items: number }> {
  const [id, code] = [randomUUID(), newCode()];
  const items: TrialItemRecord[] = [];
  const stored: string[] = [];
  try {
    for await (const board of boards) {
      const upscaleId = await ownedBy(db, board.photo);
      const pictures = await bothForms(upscaler, board);
      for (const text of board.texts) {
        const itemId = randomUUID();
        for (const form of ['original', 'result'] as const) {
          const key = cropKey(itemId, form);
          await blobs.put(key, await encode(cutText(pictures, text, form), 'png'));
          stored.push(key);
        }
        items.push({
          ...{ id: itemId, trialId: id, board: board.photo, truth: text.text, kind: text.kind },
          wordKey: normalise(text.text, text.kind),
          ...{ language: text.language, boardKind: board.boardKind, letterHeight: text.letterHeight },
          ...{ scale: pictures.scale, model: pictures.model, upscaleId },
          circumstances: {
            ...seeWord(cutOut(pictures.photo, placeOf(pictures, text, 0))),
            ...{ boardLetterHeight: pictures.letterHeight, verdict: pictures.verdict },
          },
        });
      }
    }
    await db.transaction(async (tx) => {
      // Working on the boards took its time: who has taken their photo back meanwhile is not in it.
      for (const photo of new Set(items.map(({ board }) => board))) await ownedBy(tx, photo);
      await insertTrial(tx, { id, name, code }, items);
    });
  } catch (error) {
    for (const key of stored) await blobs.delete(key);
    throw error;
  }
  return { id, code, items: items.length };
}

/**
 * The upscale that a photo is named by, as `trial photos` names them: its owner must agree. Null for any other name: the
 * administrator's own. @throws AppError TRIAL_FOLDER
 */
async function ownedBy(db: Queryable, photo: string): Promise<string | null> {
  const id = upscaleOf(photo);
  if (id === undefined) return null;
  if (await isGiven(db, id)) return id;
  throw new AppError('TRIAL_FOLDER', `${photo} may not be used: its owner does not agree, or has erased it`);
}

interface BothForms {
  readonly name: string;
  readonly photo: Raster;
  readonly result: Raster;
  readonly scale: number;
  readonly model: string;
  /** What the photo was reduced by before upscaling. */
  readonly reduction: number;
  /** Of a small letter of the board, as the product measured it. */
  readonly letterHeight: number | null;
  readonly verdict: Circumstances['verdict'];
}

const ANY_PIXELS = 2 ** 28;

async function bothForms(upscaler: Upscaler, { bytes, photo: name }: LoadedBoard): Promise<BothForms> {
  const upscaled = await upscaler.upscale({ bytes, format: 'png' });
  const format = sniffFormat(bytes) ?? upscaled.input.format;
  const whole = await decode(bytes, format, { maxPixels: ANY_PIXELS });
  const { scale, model, reducedTo } = upscaled;
  const photo = reducedTo === null ? whole : await reduce(whole, Math.max(reducedTo.width, reducedTo.height));
  const result = await decode(upscaled.bytes, 'png', { maxPixels: ANY_PIXELS });
  const { letterHeight, verdict } = upscaled.quality;
  return { name, photo, result, scale, model, reduction: whole.width / photo.width, letterHeight, verdict };
}

function cutText(pictures: BothForms, text: KnownText, form: TrialForm): Raster {
  const { photo, result, scale } = pictures;
  const kept = placeOf(pictures, text, MARGIN);
  return form === 'original' ? enlarge(photo, scale, kept, null) : cutOut(result, scaleRect(kept, scale));
}

/** Where the text stands in the photo, and so much around it. @throws AppError TRIAL_FOLDER */
function placeOf({ name, photo, reduction }: BothForms, text: KnownText, margin: number): Rect {
  const box = Object.values(text.box).map((side) => Math.round(side / reduction));
  const [left = 0, top = 0, right = 0, bottom = 0] = box;
  if (right > photo.width || bottom > photo.height || right <= left || bottom <= top) {
    throw new AppError('TRIAL_FOLDER', `the box of "${text.text}" does not lie within ${name}`);
  }
  const rect: Rect = { left, top, width: right - left, height: bottom - top };
  return expandWithin(rect, margin, photo.width, photo.height);
}

/** What a volunteer is asked. */
export interface Question {
  readonly itemId: string;
  readonly kind: TrialItemKind;
  /** How many this person has answered, and how many more there are for them at least. */
  readonly answered: number;
  readonly left: number;
}

/**
 * What to show this person next: the item they were shown and did not answer, else one they have not seen in any form,
 * of those read least; in the form read less. Undefined: there is nothing left for them.
 * @param trialId of this trial alone
 */
export async function nextQuestion(
  db: Database,
  userId: string,
  trialId: string | null = null,
): Promise<Question | undefined> {
  for (;;) {
    const answered = await countReadings(db, userId);
    const open = await findUnanswered(db, userId, { trialId });
    const candidates = await findCandidates(db, userId, trialId);
    const words = new Set(candidates.map(({ trialId, wordKey }) => `${trialId} ${wordKey}`)).size;
    if (open !== undefined) return { itemId: open.id, kind: open.kind, answered, left: words + 1 };
    const [item] = candidates
      .map((candidate) => ({ ...candidate, order: lot(userId, candidate.id) }))
      .sort((a, b) => a.originals + a.results - (b.originals + b.results) || a.order - b.order);
    if (item === undefined) return undefined;
    const form = chooseForm(item, userId);
    // Somebody who asks twice at the same moment is answered with the same item.
    if (await insertReading(db, item, userId, form)) {
      return { itemId: item.id, kind: item.kind, answered, left: words };
    }
  }
}

function chooseForm(
  { id, originals, results }: { id: string; originals: number; results: number },
  userId: string,
): TrialForm {
  if (originals !== results) return originals < results ? 'original' : 'result';
  return lot(id, userId) < 0.5 ? 'original' : 'result';
}

/** A number 0…1 that nobody can foresee and that stays the same: the order is random, and no state is kept for it. */
function lot(...words: readonly string[]): number {
  return createHash('sha256').update(words.join(' ')).digest().readUInt32BE() / 2 ** 32;
}

/** The crop this person was shown. @throws AppError TRIAL_ITEM_NOT_FOUND, also for an item that was shown to others only */
export async function readCrop(
  { db, blobs }: { db: Queryable; blobs: Blobs },
  itemId: string,
  userId: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const shown = await findShown(db, itemId, userId);
  if (shown === undefined) throw new AppError('TRIAL_ITEM_NOT_FOUND', itemId);
  return blobs.read(cropKey(itemId, shown.form));
}

/**
 * Scores what a person read; null is "can't read". The first answer counts, later ones change nothing.
 * @throws AppError TRIAL_ITEM_NOT_FOUND for an item this person was not shown
 */
export async function answerQuestion(
  db: Queryable,
  { itemId, userId, answer }: { itemId: string; userId: string; answer: string | null },
): Promise<void> {
  const shown = await findShown(db, itemId, userId);
  if (shown === undefined) throw new AppError('TRIAL_ITEM_NOT_FOUND', itemId);
  const isRight = answer !== null && isReadRight(answer, shown.truth, shown.kind);
  await saveAnswer(db, { itemId, userId, answer, isRight });
}

/** The figures of one trial, or of all together. */
export async function trialResults(db: Queryable, trialId?: string): Promise<TrialResults> {
  const items = await findTrialItems(db, trialId);
  const readings = await findReadings(db, trialId);
  return summarise(
    items,
    readings.map(({ userId: readerId, ...reading }) => ({ ...reading, readerId })),
  );
}

/** Removes a trial, its pictures and everything that was read in it. */
export async function removeTrial({ db, blobs }: { db: Database; blobs: Blobs }, id: string): Promise<void> {
  const items = await db.transaction((tx) => deleteTrial(tx, id));
  await eraseCrops(blobs, items);
}

/** The pictures of items that are gone. */
export async function eraseCrops(blobs: Blobs, itemIds: readonly string[]): Promise<void> {
  for (const item of itemIds) {
    for (const form of ['original', 'result'] as const) await blobs.delete(cropKey(item, form));
  }
}

/** How often one item was read in each form. */
interface Tally {
  readonly original: { read: number; of: number };
  readonly result: { read: number; of: number };
}

/** An item of the trial in both forms, as pictures and with how many read each. */
export interface TrialCase {
  readonly truth: string;
  readonly board: string;
  readonly letterHeight: number | null;
  /** What can be seen that explains it; empty: nothing. */
  readonly causes: readonly string[];
  readonly original: { readonly read: number; readonly of: number; readonly png: Uint8Array };
  readonly result: { readonly read: number; readonly of: number; readonly png: Uint8Array };
}

/** The words that gained most and those that lost most, of those read in both forms; `most` of each. */
export async function findCases(
  { db, blobs }: { db: Queryable; blobs: Blobs },
  most: number,
): Promise<{ goodCases: TrialCase[]; badCases: TrialCase[] }> {
  const tallies = new Map<string, Tally>();
  for (const { itemId, form, isRight } of await findReadings(db)) {
    const tally = tallies.get(itemId) ?? { original: { read: 0, of: 0 }, result: { read: 0, of: 0 } };
    tally[form].of++;
    if (isRight) tally[form].read++;
    tallies.set(itemId, tally);
  }
  const items = await findTrialItems(db);
  const judged = items.flatMap((item) => {
    const { original, result } = tallies.get(item.id) ?? {};
    if (!original?.of || !result?.of) return [];
    return [{ item, original, result, gain: result.read / result.of - original.read / original.of }];
  });
  judged.sort((a, b) => b.gain - a.gain);
  async function show({ item, original, result }: (typeof judged)[number]): Promise<TrialCase> {
    const { truth, board, letterHeight, trialId } = item;
    const others = items.filter((other) => other.trialId === trialId && other.board === board);
    return {
      ...{ truth, board, letterHeight, causes: findCauses(item, others) },
      original: { ...original, png: await blobs.read(cropKey(item.id, 'original')) },
      result: { ...result, png: await blobs.read(cropKey(item.id, 'result')) },
    };
  }
  const good = judged.filter(({ gain }) => gain > 0).slice(0, most);
  const bad = judged
    .filter(({ gain }) => gain < 0)
    .slice(-most)
    .reverse();
  return { goodCases: await Promise.all(good.map(show)), badCases: await Promise.all(bad.map(show)) };
}
