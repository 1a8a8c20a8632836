/** Letters of each method in each part of the set, with intervals, from what the readers read. Pure. */
import { type Estimate, estimate, type Interval } from './bootstrap.ts';
import { AGAIN, addCounts, countLine, type LetterCounts } from './letter-scores.ts';
import type { Measured } from './measure.ts';
import type { TruthBoard, TruthLine } from './truth-folder.ts';

/** The readers; decisions are taken by the patient one, which is closer to a person. */
export type Reader = 'plain' | 'patient';

/** Figures of a cell that are shares or decibels. */
export type CellFigure =
  /** Words read, of all. */
  | 'wordAccuracy'
  /** Of the words that can be recovered, and of those that can be harmed. */
  | 'recovered'
  | 'harmed'
  /** `harmed` less what the reader harms in the truth itself. */
  | 'harmedBeyondNoise'
  /**
   * Of the words read in `bicubic-again`, the share that is not read in the result, less the share that is not read in
   * bicubic. Net: words that read better make up for words that read worse.
   */
  | 'harmedBeyondChance'
  /** Of the letter errors that bicubic has more than the truth. */
  | 'gapClosed'
  /** Letter errors per letter more than the rival's; not a number without one. */
  | 'overRival'
  /** Means over the lines, on their boxes two pixels wider. */
  | 'textPsnr'
  | 'textSsim';

/** Letters of one method in one part of the set. */
export interface Cell {
  /** What the lines have in common: 'all', `dimension: value`, or all four values with ` · ` between. */
  readonly name: string;
  readonly boards: number;
  readonly lines: number;
  readonly counts: LetterCounts;
  /** Letter errors per true letter. */
  readonly cer: number;
  readonly cerInterval: Interval;
  /** How much more than bicubic's, drawn on the same boards. */
  readonly overBicubic: Estimate;
  readonly figures: Readonly<Record<CellFigure, Estimate>>;
}

/** A cell of letter height × board × language × tier, for the patient reader. */
export const CROSSED_MARK = ' · ';

export interface CellOptions {
  readonly boards: readonly TruthBoard[];
  readonly measured: ReadonlyMap<string, readonly Measured[]>;
  /** A method that every other one is compared with. */
  readonly rival: string | undefined;
  readonly seed: number;
}

interface Line {
  readonly names: readonly string[];
  readonly here: LetterCounts;
  readonly bicubic: LetterCounts;
  readonly truth: LetterCounts;
  /** What is harmed of the words that bicubic read again has: by the method, and by bicubic in its usual size. */
  readonly again: LetterCounts;
  readonly alone: LetterCounts;
  readonly rival: LetterCounts | undefined;
  readonly psnr: number;
  readonly ssim: number;
}

/** The cells of one dimension, and with `crossed` those of all four at once; sorted by name, 'all' first. */
export function cellsOf(method: string, reader: Reader, options: CellOptions, crossed: boolean): Cell[] {
  const boards = linesOf(method, reader, options);
  const names = [...new Set(boards.flat().flatMap((line) => line.names))].sort();
  return names
    .filter((name) => crossed === name.includes(CROSSED_MARK))
    .map((name) => {
      const within = boards
        .map((lines) => lines.filter((line) => line.names.includes(name)))
        .filter((lines) => lines.length > 0);
      const counts = addCounts(within.flat().map(({ here }) => here));
      const { cer, overBicubic, ...figures } = estimate(within.map(sumUp), figuresOf, options.seed);
      return {
        ...{ name, boards: within.length, lines: within.flat().length, counts },
        ...{ cer: cer.value, cerInterval: intervalOf(cer), overBicubic, figures },
      };
    });
}

function linesOf(method: string, reader: Reader, { boards, measured, rival }: CellOptions): Line[][] {
  return boards.map((board, b) =>
    board.lines.map((line, i): Line => {
      const text = (name: string): string => measured.get(name)?.[b]?.[reader]?.[i] ?? '';
      const truth = text('truth');
      const count = (name: string, base = 'bicubic'): LetterCounts =>
        countLine({ wanted: line.text, here: text(name), bicubic: text(base), truth });
      // Against itself the figure is not a number: the words of no method are none.
      const other = method === AGAIN ? '' : AGAIN;
      const scores = measured.get(method)?.[b]?.lines[i];
      return {
        names: namesOf(board, line),
        ...{ here: count(method), bicubic: count('bicubic'), truth: count('truth') },
        ...{ again: count(method, other), alone: count('bicubic', other) },
        rival: rival === undefined ? undefined : count(rival),
        ...{ psnr: scores?.psnr ?? Number.NaN, ssim: scores?.ssim ?? Number.NaN },
      };
    }),
  );
}

/** Everything the figures need of one board, so that a draw adds few numbers. */
function sumUp(lines: readonly Line[]) {
  const add = (pick: (line: Line) => LetterCounts | undefined): LetterCounts =>
    addCounts(lines.flatMap((line) => pick(line) ?? []));
  const sums = (pick: (line: Line) => number): { sum: number; count: number } => {
    const known = lines.map(pick).filter(Number.isFinite);
    return { sum: known.reduce((sum, value) => sum + value, 0), count: known.length };
  };
  return {
    ...{ here: add((line) => line.here), bicubic: add((line) => line.bicubic) },
    ...{ truth: add((line) => line.truth), rival: add((line) => line.rival) },
    ...{ again: add((line) => line.again), alone: add((line) => line.alone) },
    ...{ psnr: sums((line) => line.psnr), ssim: sums((line) => line.ssim) },
  };
}

type Sums = ReturnType<typeof sumUp>;

function figuresOf(drawn: readonly Sums[]): Record<CellFigure | 'cer' | 'overBicubic', number> {
  const total = (pick: (sums: Sums) => number): number => drawn.reduce((sum, board) => sum + pick(board), 0);
  const letters = total(({ here }) => here.letters);
  const cer = total(({ here }) => here.wrong) / letters;
  const bicubic = total((sums) => sums.bicubic.wrong) / letters;
  const truth = total((sums) => sums.truth.wrong) / letters;
  const harmable = total(({ here }) => here.harmable);
  const harmed = total(({ here }) => here.harmed) / harmable;
  return {
    ...{
      cer,
      overBicubic: cer - bicubic,
      gapClosed: bicubic > truth ? (bicubic - cer) / (bicubic - truth) : NaN,
    },
    // Without a rival no letters were counted for it.
    overRival: cer - total(({ rival }) => rival.wrong) / total(({ rival }) => rival.letters),
    wordAccuracy: total(({ here }) => here.read) / total(({ here }) => here.words),
    recovered: total(({ here }) => here.recovered) / total(({ here }) => here.recoverable),
    ...{ harmed, harmedBeyondNoise: harmed - total((sums) => sums.truth.harmed) / harmable },
    // Of readings in different sizes alone: in the same size equal pictures would fail at the same words.
    harmedBeyondChance:
      total(({ again, alone }) => again.harmed - alone.harmed) / total(({ again }) => again.harmable),
    textPsnr: total(({ psnr }) => psnr.sum) / total(({ psnr }) => psnr.count),
    textSsim: total(({ ssim }) => ssim.sum) / total(({ ssim }) => ssim.count),
  };
}

function intervalOf({ low, high }: Estimate): Interval {
  return { low, high };
}

function namesOf({ kind, tier }: TruthBoard, { xHeight, language }: TruthLine): string[] {
  const height = xHeight < 5 ? '< 5 px' : xHeight < 8 ? '5–8 px' : '≥ 8 px';
  return [
    ...['all', `letters: ${height}`, `board: ${kind}`, `language: ${language}`, `tier: ${tier}`],
    [height, kind, language, tier].join(CROSSED_MARK),
  ];
}
