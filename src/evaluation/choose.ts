/** The rule that chooses the default model of a scale from the figures; docs/evaluation.md has it in words. Pure. */
import { type Choice, type Figures, type MethodFigures, REFERENCES } from './figures.ts';

/** The photo that the budget is meant for. */
const BUDGET_PIXELS = 1280 * 960;
/** A cell of all four dimensions counts from so many boards on: of fewer an interval says little. */
const MIN_CROSSED_BOARDS = 5;

/**
 * @param budgetSeconds for a photo of 1280×960; times are carried over by the number of pixels
 * @param compared models that were measured for comparison and cannot be chosen
 */
export function chooseModel(
  { methods, photoPixels, reader }: Figures,
  budgetSeconds: number,
  compared: readonly string[] = [],
): Choice {
  const candidates = methods.filter(({ name }) => ![...REFERENCES, ...compared].includes(name));
  const lost: { model: string; why: string }[] = [];
  const fit = candidates.filter((candidate) => {
    const why = reader === null ? 'no letters were read' : objection(candidate, photoPixels, budgetSeconds);
    if (why !== undefined) lost.push({ model: candidate.name, why });
    return why === undefined;
  });
  fit.sort((a, b) => errorsOf(a) - errorsOf(b) || a.seconds - b.seconds);
  const [best, ...others] = fit;
  for (const other of others) {
    const why = `${errorsOf(other)} letter errors, ${best?.name} has ${best && errorsOf(best)}`;
    lost.push({ model: other.name, why });
  }
  return { model: best?.name, lost };
}

function objection(
  { cells, crossed, seconds }: MethodFigures,
  photoPixels: number,
  budget: number,
): string | undefined {
  const counted = [...cells.patient, ...crossed.filter(({ boards }) => boards >= MIN_CROSSED_BOARDS)];
  const worse = counted.find(({ overBicubic }) => overBicubic.low > 0);
  if (worse !== undefined) {
    return `more letter errors than bicubic beyond the interval in "${worse.name}" (at least ${worse.overBicubic.low.toFixed(3)})`;
  }
  const expected = (seconds * BUDGET_PIXELS) / photoPixels;
  return expected > budget ? `${expected.toFixed(1)} s for 1280×960, the budget is ${budget} s` : undefined;
}

function errorsOf({ cells }: MethodFigures): number {
  return cells.patient.find(({ name }) => name === 'all')?.counts.wrong ?? 0;
}
