/** Picture scores from a report of `boardsharp evaluate`, as the pilot report shows them. */
import { readFile } from 'node:fs/promises';
import { AppError } from '../errors.ts';

/** One model against bicubic, on boards whose true picture is known. */
export interface PictureScores {
  readonly model: string;
  readonly scale: number;
  /** Which degradation tier the boards are of, or all. */
  readonly tier: string;
  readonly boards: number;
  /** Decibel, on Y. */
  readonly psnr: { readonly bicubic: number; readonly result: number };
  readonly ssim: { readonly bicubic: number; readonly result: number };
}

interface Scores {
  readonly name: string;
  readonly psnr: number;
  readonly ssim: number;
  /** `all`, `tier: …` and others. */
  readonly pictures: readonly PictureCell[];
}

interface PictureCell {
  readonly name: string;
  readonly boards: number;
  readonly psnr: { readonly value: number };
  readonly ssim: { readonly value: number };
}

const REFERENCE = 'bicubic';
const ALL = 'all tiers';
const TIER = 'tier: ';
/** Rows of the report that are no models. */
const NOT_MODELS = new Set([REFERENCE, 'bicubic-again', 'lanczos', 'truth']);

/** Of each model: on each degradation tier, where there are several, and on all boards. @throws AppError EVALUATION_FILE */
export async function readPictureScores(path: string): Promise<PictureScores[]> {
  const wrong = (why: string, cause?: unknown): AppError =>
    new AppError('EVALUATION_FILE', `${path}: ${why}`, { cause });
  let report: { scale?: unknown; boards?: unknown; methods?: unknown };
  try {
    report = JSON.parse(await readFile(path, 'utf8')) as typeof report;
  } catch (cause) {
    throw wrong((cause as Error).message, cause);
  }
  const { scale, boards, methods } = report;
  if (typeof scale !== 'number' || typeof boards !== 'number' || !Array.isArray(methods)) {
    throw wrong('it has no scale, boards and methods');
  }
  const rows = methods as Scores[];
  if (!rows.every(isScores)) throw wrong('its methods have no PSNR and SSIM by tier: evaluate once more');
  const reference = rows.find(({ name }) => name === REFERENCE);
  if (reference === undefined) throw wrong('bicubic is not among its methods');
  /** On each tier, and on all boards where there are several. */
  const cellsOf = ({ psnr, ssim, pictures }: Scores) => {
    const tiers = pictures
      .filter(({ name }) => name.startsWith(TIER))
      .map(({ name, boards: count, ...scores }) => ({
        ...{ tier: name.slice(TIER.length), boards: count },
        ...{ psnr: scores.psnr.value, ssim: scores.ssim.value },
      }));
    return tiers.length === 1 ? tiers : [...tiers, { tier: ALL, boards, psnr, ssim }];
  };
  const base = new Map(cellsOf(reference).map((cell) => [cell.tier, cell]));
  return rows
    .filter(({ name }) => !NOT_MODELS.has(name))
    .flatMap((row) =>
      cellsOf(row).flatMap(({ tier, boards: count, psnr, ssim }): PictureScores[] => {
        const bicubic = base.get(tier);
        if (bicubic === undefined) return [];
        return [
          {
            ...{ model: row.name, scale, tier, boards: count },
            psnr: { bicubic: bicubic.psnr, result: psnr },
            ssim: { bicubic: bicubic.ssim, result: ssim },
          },
        ];
      }),
    );
}

function isScores(row: Scores): boolean {
  const areNumbers = [row?.psnr, row?.ssim].every((value) => typeof value === 'number');
  return typeof row?.name === 'string' && areNumbers && Array.isArray(row.pictures);
}
