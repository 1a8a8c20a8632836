/** Picture scores from a report of `boardsharp evaluate`, as the pilot report shows them. */
import { readFile } from 'node:fs/promises';
import { AppError } from '../errors.ts';

/** One model against bicubic, on boards whose true picture is known. */
export interface PictureScores {
  readonly model: string;
  readonly scale: number;
  /** Which degradation tiers the boards are of. */
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
}

const REFERENCE = 'bicubic';
/** Rows of the report that are no models. */
const NOT_MODELS = new Set([REFERENCE, 'lanczos', 'truth']);

/** @throws AppError EVALUATION_FILE for a file that is missing or not such a report */
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
  const reference = rows.find(({ name }) => name === REFERENCE);
  if (!rows.every(isScores) || reference === undefined) throw wrong('its methods have no PSNR and SSIM');
  return rows
    .filter(({ name }) => !NOT_MODELS.has(name))
    .map(({ name, psnr, ssim }) => ({
      ...{ model: name, scale, tier: 'all tiers', boards },
      psnr: { bicubic: reference.psnr, result: psnr },
      ssim: { bicubic: reference.ssim, result: ssim },
    }));
}

function isScores(row: Scores): boolean {
  return typeof row?.name === 'string' && typeof row.psnr === 'number' && typeof row.ssim === 'number';
}
