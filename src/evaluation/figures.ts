/** All figures of one evaluation, from what was measured: the one structure that every form of the report shows. Pure. */
import { type Estimate, estimate, type Interval } from './bootstrap.ts';
import { type Cell, cellsOf, type Reader } from './letter-cells.ts';
import { AGAIN, countLine } from './letter-scores.ts';
import type { Measured } from './measure.ts';
import type { TruthBoard, TruthFolder, TruthLine } from './truth-folder.ts';

/** Rows of the report that are no models. */
export const REFERENCES: readonly string[] = ['bicubic', AGAIN, 'lanczos', 'truth'];

/** Picture scores of one method on all boards, or on those of a tier or a kind. */
export interface PictureCell {
  /** 'all' or `dimension: value`. */
  readonly name: string;
  readonly boards: number;
  readonly psnr: Estimate;
  readonly ssim: Estimate;
  readonly textPsnr: Estimate;
  readonly textSsim: Estimate;
  /** More than bicubic's on the same boards: decibels, and for SSIM its own unit. */
  readonly psnrOverBicubic: Estimate;
  readonly textPsnrOverBicubic: Estimate;
  readonly ssimOverBicubic: Estimate;
}

export interface MethodFigures {
  readonly name: string;
  /** On all boards, for those who want one number. */
  readonly psnr: number;
  readonly psnrInterval: Interval;
  readonly ssim: number;
  readonly textPsnr: number;
  readonly pictures: readonly PictureCell[];
  /** Median seconds for a photo, and most memory of the process in MB. */
  readonly seconds: number;
  readonly memoryMb: number;
  /** By one dimension; empty where no reader is installed. */
  readonly cells: Readonly<Record<Reader, readonly Cell[]>>;
  /** By letter height × board × language × tier, patient reader. */
  readonly crossed: readonly Cell[];
}

export interface WorstLine {
  readonly method: string;
  readonly board: string;
  readonly line: TruthLine;
  readonly bicubic: string;
  readonly result: string;
  readonly truth: string;
  /** Letter errors of the result minus bicubic's. */
  readonly moreErrors: number;
}

/** The answer of the rule that chooses the default. */
export interface Choice {
  /** Undefined: no model qualifies, and bicubic is the safe answer. */
  readonly model: string | undefined;
  /** Why each other candidate lost, in a sentence without a full stop. */
  readonly lost: readonly { readonly model: string; readonly why: string }[];
}

export interface Figures {
  readonly scale: number;
  readonly seed: number;
  readonly boards: number;
  readonly lines: number;
  readonly photoPixels: number;
  readonly reader: string | null;
  /** The method that `overRival` compares with. */
  readonly rival: string | null;
  readonly methods: readonly MethodFigures[];
  /** Lines of models that lost most letters against bicubic, worst first. */
  readonly worst: readonly WorstLine[];
  /** The rule's answer, where it was asked for. */
  readonly choice?: Choice;
}

export interface FiguresOptions {
  readonly seed: number;
  readonly reader: string | undefined;
  readonly rival: string | undefined;
  readonly photoPixels: number;
  /** How many of the worst lines are listed for each model. */
  readonly shown: number;
}

/** What was measured, summed up. */
export function figuresOf(
  { scale, boards }: TruthFolder,
  measured: ReadonlyMap<string, readonly Measured[]>,
  { seed, reader, rival, photoPixels, shown }: FiguresOptions,
): Figures {
  const about = { boards, measured, rival, seed };
  const cells = (name: string, kind: Reader, crossed = false): Cell[] =>
    reader === undefined ? [] : cellsOf(name, kind, about, crossed);
  const bicubic = measured.get('bicubic') ?? [];
  const methods = [...measured].map(([name, rows]): MethodFigures => {
    const pictures = pictureCells(boards, rows, bicubic, seed);
    const [{ psnr, ssim, textPsnr }] = pictures as [PictureCell];
    return {
      ...{ name, psnr: psnr.value, psnrInterval: { low: psnr.low, high: psnr.high } },
      ...{ ssim: ssim.value, textPsnr: textPsnr.value, pictures },
      seconds:
        rows.map(({ ms }) => ms / 1000).sort((a, b) => a - b)[Math.floor(rows.length / 2)] ?? Number.NaN,
      memoryMb: Math.max(...rows.map(({ rssBytes }) => rssBytes)) / 1e6,
      cells: { plain: cells(name, 'plain'), patient: cells(name, 'patient') },
      crossed: cells(name, 'patient', true),
    };
  });
  const lines = boards.reduce((sum, board) => sum + board.lines.length, 0);
  const worst = reader === undefined ? [] : worstLines(boards, measured, shown);
  return {
    ...{ scale, seed, boards: boards.length, lines, photoPixels, reader: reader ?? null },
    ...{ rival: rival ?? null, methods, worst },
  };
}

/** 'all' first, then tiers and kinds by name. */
function pictureCells(
  boards: readonly TruthBoard[],
  rows: readonly Measured[],
  bicubic: readonly Measured[],
  seed: number,
): PictureCell[] {
  const names = boards.map(({ tier, kind }) => ['all', `board: ${kind}`, `tier: ${tier}`]);
  return [...new Set(names.flat())].sort().map((name) => {
    const pairs = rows.flatMap((here, b) => {
      const base = bicubic[b];
      return base !== undefined && names[b]?.includes(name) ? [{ here, base }] : [];
    });
    const scores = estimate(
      pairs,
      (drawn) => {
        const over = (score: 'psnr' | 'ssim' | 'textPsnr'): number =>
          mean(drawn.map(({ here, base }) => minus(here[score], base[score])));
        return {
          psnr: mean(drawn.map(({ here }) => here.psnr)),
          ssim: mean(drawn.map(({ here }) => here.ssim)),
          textPsnr: mean(drawn.map(({ here }) => here.textPsnr)),
          textSsim: mean(drawn.map(({ here }) => here.textSsim)),
          psnrOverBicubic: over('psnr'),
          textPsnrOverBicubic: over('textPsnr'),
          ssimOverBicubic: over('ssim'),
        };
      },
      seed,
    );
    return { name, boards: pairs.length, ...scores };
  });
}

function minus(one: number | null, two: number | null): number | null {
  return one === null || two === null ? null : one - two;
}

function worstLines(
  boards: readonly TruthBoard[],
  measured: ReadonlyMap<string, readonly Measured[]>,
  shown: number,
): WorstLine[] {
  const models = [...measured.keys()].filter((name) => !REFERENCES.includes(name));
  return models
    .flatMap((method) =>
      boards
        .flatMap((board, b) =>
          board.lines.map((line, i): WorstLine => {
            const text = (name: string): string => measured.get(name)?.[b]?.patient?.[i] ?? '';
            const [bicubic, result, truth] = [text('bicubic'), text(method), text('truth')];
            const wrong = (here: string): number =>
              countLine({ wanted: line.text, here, bicubic, truth }).wrong;
            const moreErrors = wrong(result) - wrong(bicubic);
            return { method, board: board.name, line, bicubic, result, truth, moreErrors };
          }),
        )
        .sort((a, b) => b.moreErrors - a.moreErrors)
        .slice(0, shown),
    )
    .sort((a, b) => b.moreErrors - a.moreErrors);
}

/** Of the values that are there; boards without lines have no text. */
function mean(values: readonly (number | null)[]): number {
  const known = values.filter((value) => value !== null);
  return known.reduce((sum, value) => sum + value, 0) / known.length;
}
