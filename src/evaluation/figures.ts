/** All figures of one evaluation, from what was measured: the one structure that every form of the report shows. Pure. */
import { bootstrap, type Interval } from './bootstrap.ts';
import { addCounts, countLine, type LetterCounts } from './letter-scores.ts';
import type { Measured } from './measure.ts';
import type { TruthBoard, TruthFolder, TruthLine } from './truth-folder.ts';

/** The readers; decisions are taken by the patient one, which is closer to a person. */
export type Reader = 'plain' | 'patient';

/** Letters of one method in one part of the set. */
export interface Cell {
  /** What the lines have in common: 'all', or `dimension: value`. */
  readonly name: string;
  readonly lines: number;
  readonly counts: LetterCounts;
  /** Letter errors per true letter. */
  readonly cer: number;
  readonly cerInterval: Interval;
  /** How much more than bicubic's, drawn on the same boards. */
  readonly overBicubic: Interval;
}

export interface MethodFigures {
  readonly name: string;
  readonly psnr: number;
  readonly psnrInterval: Interval;
  readonly ssim: number;
  readonly textPsnr: number;
  /** Median seconds for a photo, and most memory of the process in MB. */
  readonly seconds: number;
  readonly memoryMb: number;
  /** Empty where no reader is installed. */
  readonly cells: Readonly<Record<Reader, readonly Cell[]>>;
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

export interface Figures {
  readonly scale: number;
  readonly seed: number;
  readonly boards: number;
  readonly lines: number;
  readonly photoPixels: number;
  readonly reader: string | null;
  readonly methods: readonly MethodFigures[];
  /** Lines of models that lost most letters against bicubic, worst first. */
  readonly worst: readonly WorstLine[];
}

type CountedLine = { readonly names: readonly string[]; readonly counts: LetterCounts };

/** @param shown how many of the worst lines are listed for each model */
export function figuresOf(
  { scale, boards }: TruthFolder,
  measured: ReadonlyMap<string, readonly Measured[]>,
  about: { seed: number; reader: string | undefined; photoPixels: number; shown: number },
): Figures {
  const { seed, reader, photoPixels, shown } = about;
  const counted = (name: string, kind: Reader): CountedLine[][] =>
    boards.map((board, b) =>
      board.lines.map((line, i) => {
        const text = (method: string): string => measured.get(method)?.[b]?.[kind]?.[i] ?? '';
        const [here, bicubic, truth] = [text(name), text('bicubic'), text('truth')];
        return {
          names: cellsOf(board, line),
          counts: countLine({ wanted: line.text, here, bicubic, truth }),
        };
      }),
    );
  function cells(name: string, kind: Reader): Cell[] {
    if (reader === undefined) return [];
    const [ours, base] = [counted(name, kind), counted('bicubic', kind)];
    const names = [...new Set(ours.flat().flatMap((line) => line.names))].sort();
    return names.map((cell) => {
      const within = (lines: CountedLine[][]): LetterCounts[][] =>
        lines.map((board) => board.filter((line) => line.names.includes(cell)).map((line) => line.counts));
      const [here, there] = [within(ours), within(base)];
      const pairs = here.map((counts, i) => [addCounts(counts), addCounts(there[i] ?? [])] as const);
      const rate = (drawn: readonly (readonly LetterCounts[])[], side: number): number =>
        cerOf(addCounts(drawn.map((pair) => pair[side] as LetterCounts)));
      const counts = addCounts(here.flat());
      return {
        ...{ name: cell, lines: here.flat().length, counts, cer: cerOf(counts) },
        cerInterval: bootstrap(pairs, (drawn) => rate(drawn, 0), seed),
        overBicubic: bootstrap(pairs, (drawn) => rate(drawn, 0) - rate(drawn, 1), seed),
      };
    });
  }
  const methods = [...measured].map(([name, rows]): MethodFigures => {
    const psnrs = rows.map(({ psnr }) => psnr);
    return {
      ...{ name, psnr: mean(psnrs), psnrInterval: bootstrap(psnrs, mean, seed) },
      ssim: mean(rows.map(({ ssim }) => ssim)),
      textPsnr: mean(rows.flatMap(({ textPsnr }) => textPsnr ?? [])),
      seconds:
        rows.map(({ ms }) => ms / 1000).sort((a, b) => a - b)[Math.floor(rows.length / 2)] ?? Number.NaN,
      memoryMb: Math.max(...rows.map(({ rssBytes }) => rssBytes)) / 1e6,
      cells: { plain: cells(name, 'plain'), patient: cells(name, 'patient') },
    };
  });
  const lines = boards.reduce((sum, board) => sum + board.lines.length, 0);
  const worst = reader === undefined ? [] : worstLines(boards, measured, shown);
  return { scale, seed, boards: boards.length, lines, photoPixels, reader: reader ?? null, methods, worst };
}

function worstLines(
  boards: readonly TruthBoard[],
  measured: ReadonlyMap<string, readonly Measured[]>,
  shown: number,
): WorstLine[] {
  const models = [...measured.keys()].filter((name) => !['bicubic', 'lanczos', 'truth'].includes(name));
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

function cellsOf({ kind, tier }: TruthBoard, { xHeight, language }: TruthLine): string[] {
  const height = xHeight < 5 ? '< 5 px' : xHeight < 8 ? '5–8 px' : '≥ 8 px';
  return ['all', `letters: ${height}`, `board: ${kind}`, `language: ${language}`, `tier: ${tier}`];
}

function cerOf({ wrong, letters }: LetterCounts): number {
  return wrong / letters;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
