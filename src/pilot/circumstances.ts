/** Why a word of the trial was read or not: what can be seen of it in the photo, and what the quality gate said. Pure. */
import { CHANNELS, type Raster } from '../engine/pixels.ts';
import { quantileOf } from './intervals.ts';

/** What was seen of a word when it was loaded, as `TrialCircumstances` keeps it. */
export interface Circumstances {
  /** Between ink and board, in 1/255. */
  readonly contrast: number;
  /** Of the board around the word, in 1/255. */
  readonly brightness: number;
  /** Standard deviation of the blur that would make the steepest edge as soft as it is, in pixels of the photo. */
  readonly blur: number;
  /** Height of a small letter of the whole board in pixels, as the product measured it; null where it found no writing. */
  readonly boardLetterHeight: number | null;
  readonly verdict: 'accepted' | 'softened' | 'fallback';
}

/** What the word's own pixels tell. */
export function seeWord(photo: Raster): Pick<Circumstances, 'contrast' | 'brightness' | 'blur'> {
  const luma = lumaOf(photo);
  const sorted = luma.toSorted();
  const [dark, middle, light] = [0.02, 0.5, 0.98].map((share) => quantileOf([...sorted], share)) as [
    number,
    number,
    number,
  ];
  const contrast = light - dark;
  const steepest = quantileOf([...slopesOf(luma, photo.width).sort()], 0.98);
  // A step of height h, blurred by a Gaussian of deviation s, rises by h / (s √(2π)) a pixel at most.
  const blur = steepest > 0 ? contrast / (steepest * Math.sqrt(2 * Math.PI)) : Number.POSITIVE_INFINITY;
  // Ink is the smaller part of a word's box: the median is the board.
  return { contrast, brightness: middle, blur: Math.min(blur, MOST_BLUR) };
}

const MOST_BLUR = 20;

/** Letters under this many pixels are the smallest class everywhere. */
const SMALL_LETTERS = 5;
/**
 * Blur as a share of the letters' height. On simulated boards (`training/score.py render`, seeds 9000.., x2 and x4) half of
 * the words of hard photos reach it, of mild and typical ones the tenth with the smallest letters.
 */
const BLURRED = 0.16;
/** Ink that differs from its board by less, in 1/255, is faint: nine of ten words of simulated boards differ by 57 or more. */
const FAINT = 40;
/** A word lies in glare where its board is so much brighter than around the board's other words, and so much fainter. */
const GLARE = { brighter: 20, contrastShare: 0.6 };

export interface SeenWord {
  readonly letterHeight: number | null;
  readonly circumstances: Circumstances | null;
}

/**
 * What can have kept people from reading the word, or the network from mending it, the most likely first; empty: nothing
 * that could be seen.
 * @param others the words of the same board
 */
export function findCauses(word: SeenWord, others: readonly SeenWord[]): string[] {
  const { circumstances: seen } = word;
  if (seen === null) return [];
  const causes: string[] = [];
  const height = word.letterHeight ?? seen.boardLetterHeight;
  if (height !== null && height < SMALL_LETTERS) causes.push(`letters too small (${height} px)`);
  if (height !== null && seen.blur / height >= BLURRED) {
    causes.push(`blur (${seen.blur.toFixed(1)} px at letters of ${height} px)`);
  }
  if (liesInGlare(seen, others)) causes.push('glare');
  else if (seen.contrast < FAINT) causes.push(`faint writing (${Math.round(seen.contrast)} of 255 levels)`);
  if (seen.verdict === 'fallback') causes.push('the quality gate let nothing through: the result is bicubic');
  if (seen.verdict === 'softened') causes.push('the quality gate put parts of the board back to bicubic');
  return causes;
}

function liesInGlare({ brightness, contrast }: Circumstances, others: readonly SeenWord[]): boolean {
  const around = others.flatMap(({ circumstances }) => circumstances ?? []);
  // Of two words nobody can say which of them is as the board is.
  if (around.length < 3) return false;
  const middle = (values: number[]): number =>
    quantileOf(
      values.sort((a, b) => a - b),
      0.5,
    );
  return (
    brightness - middle(around.map((one) => one.brightness)) >= GLARE.brighter &&
    contrast <= GLARE.contrastShare * middle(around.map((one) => one.contrast))
  );
}

function lumaOf({ data }: Raster): Float64Array {
  const luma = new Float64Array(data.length / CHANNELS);
  for (let at = 0; at < luma.length; at++) {
    const [red = 0, green = 0, blue = 0] = data.subarray(at * CHANNELS, at * CHANNELS + CHANNELS);
    luma[at] = 0.299 * red + 0.587 * green + 0.114 * blue;
  }
  return luma;
}

/** How steep the brightness is at each inner pixel, by central differences. */
function slopesOf(luma: Float64Array, width: number): Float64Array {
  const height = luma.length / width;
  const slopes = new Float64Array(Math.max(0, (width - 2) * (height - 2)));
  let count = 0;
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const at = y * width + x;
      const across = ((luma[at + 1] as number) - (luma[at - 1] as number)) / 2;
      const down = ((luma[at + width] as number) - (luma[at - width] as number)) / 2;
      slopes[count++] = Math.hypot(across, down);
    }
  }
  return slopes;
}
