/** The pilot report: every criterion with its target, value, sample size and verdict, and what lies behind it. */
import type { Queryable } from '../storage/database.ts';
import {
  type Count,
  countActiveUsers,
  countFailures,
  countLetterHeights,
  countModels,
  countRatings,
  countVerdicts,
  findPhotoFigures,
  type PhotoFigures,
} from '../storage/pilot-records.ts';
import type { PictureScores } from './evaluation-file.ts';
import { type Estimate, shareOf } from './intervals.ts';
import type { TrialResults } from './trial-statistics.ts';

/** What the pilot promised. */
export const TARGETS = {
  recoveredShare: 0.5,
  seconds: 120,
  inTimeShare: 0.95,
  successShare: 0.98,
  pictureGain: 0.2,
  positiveShare: 0.8,
} as const;

/** Fewer say nothing yet. */
export const ENOUGH = { photos: 30, ratings: 20, items: 30, readers: 5, boards: 5 } as const;

/** `undecided`: the value reaches the target or misses it, but its confidence interval holds the target. */
export type Verdict = 'met' | 'missed' | 'undecided' | 'not enough data' | 'told';

export interface Criterion {
  readonly name: string;
  readonly target: string;
  /** Null: not enough data, and a guess is not told. */
  readonly value: string | null;
  readonly sample: string;
  readonly verdict: Verdict;
  readonly remark: string;
}

/** One word of the trial in both forms, as PNG files, with how many read each. */
export interface Case {
  readonly truth: string;
  readonly board: string;
  readonly letterHeight: number | null;
  readonly original: CaseForm;
  readonly result: CaseForm;
}

export interface CaseForm {
  readonly read: number;
  readonly of: number;
  readonly png: Uint8Array;
}

/** Everything the three forms of the report are made of. */
export interface PilotReport {
  readonly title: string;
  readonly since: string;
  readonly until: string;
  readonly criteria: readonly Criterion[];
  readonly photos: PhotoFigures;
  readonly failures: readonly Count[];
  readonly verdicts: readonly Count[];
  readonly models: readonly Count[];
  readonly letterHeights: readonly Count[];
  readonly ratings: readonly { model: string; positive: number; all: number }[];
  readonly activeUsers: readonly { month: string; users: number }[];
  readonly trial: TrialResults | null;
  readonly pictureScores: readonly PictureScores[];
  readonly goodCases: readonly Case[];
  readonly badCases: readonly Case[];
  readonly costs: readonly string[];
  readonly problems: readonly string[];
  readonly recommendations: readonly string[];
}

export interface ReportParts {
  readonly since: Date;
  readonly until: Date;
  /** Null: no trial was held. */
  readonly trial: TrialResults | null;
  readonly goodCases: readonly Case[];
  readonly badCases: readonly Case[];
  /** From a report of `boardsharp evaluate`; empty: none was given. */
  readonly pictureScores: readonly PictureScores[];
  /** What one hour of a machine costs, in any money; undefined: not known. */
  readonly pricePerHour: number | undefined;
}

/** Asks the database and judges. */
export async function makePilotReport(db: Queryable, parts: ReportParts): Promise<PilotReport> {
  const { since, until, trial, pictureScores, goodCases, badCases } = parts;
  const photos = await findPhotoFigures(db, since, TARGETS.seconds);
  const failures = await countFailures(db, since);
  const verdicts = await countVerdicts(db, since);
  const letterHeights = await countLetterHeights(db, since);
  const ratings = await countRatings(db, since);
  const activeUsers = await countActiveUsers(db, since);
  const criteria = [
    judgeReading(trial),
    judgeTime(photos),
    judgeSuccess(photos, failures),
    ...judgePictures(pictureScores),
    judgeRatings(ratings),
    tellUsers(activeUsers),
  ];
  return {
    title: 'Boardsharp: report of the pilot',
    ...{ since: dayOf(since), until: dayOf(until), criteria, photos, failures, verdicts, letterHeights },
    models: await countModels(db, since),
    ...{ ratings, activeUsers, trial, pictureScores, goodCases, badCases },
    costs: tellCosts(photos, parts.pricePerHour),
    ...findProblems({ criteria, photos, failures, verdicts, letterHeights, trial }),
  };
}

/** The verdict on a share that is to be at least `target`. */
export function judge(share: Estimate, target: number): Verdict {
  if (share.low >= target) return 'met';
  return share.high < target ? 'missed' : 'undecided';
}

/** `63.2 % (95 %: 55.0 … 70.7)`. */
export function percent({ value, low, high }: Estimate): string {
  const of = (share: number): string => (100 * share).toFixed(1);
  return `${of(value)} % (95 %: ${of(low)} … ${of(high)})`;
}

function judgeReading(trial: TrialResults | null): Criterion {
  const name = 'Words and formulas that could not be read in the photo and are read in the result';
  const target = '> 50 %';
  const { items = 0, readers = 0, readings = 0, recovered = null } = trial?.all ?? {};
  const sample = `${items} words, ${readers} readers, ${readings} readings`;
  if (trial === null || recovered === null || items < ENOUGH.items || readers < ENOUGH.readers) {
    const remark = `needs ${ENOUGH.items} words that were read in both forms and ${ENOUGH.readers} readers`;
    return { name, target, value: null, sample, verdict: 'not enough data', remark };
  }
  const { harmed, recoveredByChance } = trial.all;
  const remarks = [
    harmed === null ? '' : `made worse: ${percent(harmed)} of the words that were read in the photo`,
    recoveredByChance === null
      ? 'how much of it is mere difference between readers is not known: no photo had two readers'
      : `two readers of the same photo differ by ${(100 * recoveredByChance).toFixed(1)} % of it`,
  ];
  const verdict = judge(recovered, TARGETS.recoveredShare);
  return {
    name,
    target,
    value: percent(recovered),
    sample,
    verdict,
    remark: remarks.filter(Boolean).join('; '),
  };
}

function judgeTime({ done, inTime, totalSeconds }: PhotoFigures): Criterion {
  const name = 'Photos whose result is there within two minutes';
  const target = '≥ 95 %';
  const sample = `${done} photos`;
  const share = shareOf(inTime, done);
  if (share === null || totalSeconds === null || done < ENOUGH.photos)
    return tooFew(name, target, sample, 'photos');
  const { median, p95, longest } = totalSeconds;
  const remark = `median ${seconds(median)}, 95th percentile ${seconds(p95)}, longest ${seconds(longest)}`;
  return { name, target, value: percent(share), sample, verdict: judge(share, TARGETS.inTimeShare), remark };
}

function judgeSuccess({ done, failed }: PhotoFigures, failures: readonly Count[]): Criterion {
  const name = 'Photos that came to a result';
  const target = '≥ 98 %';
  const sample = `${done + failed} photos`;
  const share = shareOf(done, done + failed);
  if (share === null || done + failed < ENOUGH.photos) return tooFew(name, target, sample, 'photos');
  const remark =
    failures.length === 0
      ? 'none failed'
      : `failed: ${failures.map(({ name: code, photos }) => `${code} ${photos}`).join(', ')}`;
  return { name, target, value: percent(share), sample, verdict: judge(share, TARGETS.successShare), remark };
}

function judgePictures(scores: readonly PictureScores[]): Criterion[] {
  const target = '≥ +20 % over bicubic';
  if (scores.length === 0) {
    const remark = 'give the report of `boardsharp evaluate` with --evaluation';
    const name = 'PSNR and SSIM against the photo enlarged by bicubic';
    return [{ name, target, value: null, sample: 'no evaluation', verdict: 'not enough data', remark }];
  }
  return scores.flatMap(({ model, scale, tier, boards, psnr, ssim }) => {
    const sample = `${boards} boards`;
    return [
      judgeGain(
        `PSNR, ${model} ×${scale}, ${tier}`,
        sample,
        boards,
        psnr,
        (value) => `${value.toFixed(2)} dB`,
      ),
      judgeGain(`SSIM, ${model} ×${scale}, ${tier}`, sample, boards, ssim, (value) => value.toFixed(4)),
    ];
  });

  function judgeGain(
    name: string,
    sample: string,
    boards: number,
    { bicubic, result }: { bicubic: number; result: number },
    show: (value: number) => string,
  ): Criterion {
    if (boards < ENOUGH.boards) return tooFew(name, target, sample, 'boards');
    const gain = result / bicubic - 1;
    // SSIM ends at 1: from 0.9 on it cannot move by a fifth, whatever is done.
    const cannot = name.startsWith('SSIM') && bicubic * (1 + TARGETS.pictureGain) > 1;
    const value = `${gain < 0 ? '−' : '+'}${Math.abs(100 * gain).toFixed(1)} %`;
    const remark = `bicubic ${show(bicubic)}, result ${show(result)}${
      cannot ? '; it ends at 1, so that it cannot move by 20 % from here' : ''
    }`;
    const verdict = gain >= TARGETS.pictureGain ? 'met' : 'missed';
    return { name, target, value, sample, verdict, remark };
  }
}

function judgeRatings(ratings: PilotReport['ratings']): Criterion {
  const name = 'Positive ratings';
  const target = '≥ 80 %';
  const all = ratings.reduce((sum, rating) => sum + rating.all, 0);
  const positive = ratings.reduce((sum, rating) => sum + rating.positive, 0);
  const share = shareOf(positive, all);
  if (share === null || all < ENOUGH.ratings) return tooFew(name, target, `${all} ratings`, 'ratings');
  const remark = ratings.map(({ model, ...of }) => `${model}: ${of.positive} of ${of.all}`).join(', ');
  const verdict = judge(share, TARGETS.positiveShare);
  return { name, target, value: percent(share), sample: `${all} ratings`, verdict, remark };
}

function tellUsers(activeUsers: PilotReport['activeUsers']): Criterion {
  const last = activeUsers.at(-1);
  return {
    name: 'Active users a month',
    target: 'told',
    value: last === undefined ? null : `${last.users} in ${last.month}`,
    sample: `${activeUsers.length} months`,
    verdict: last === undefined ? 'not enough data' : 'told',
    remark: activeUsers.map(({ month, users }) => `${month}: ${users}`).join(', '),
  };
}

function tooFew(
  name: string,
  target: string,
  sample: string,
  what: 'photos' | 'ratings' | 'boards',
): Criterion {
  return {
    ...{ name, target, value: null, sample, verdict: 'not enough data' as const },
    remark: `needs ${ENOUGH[what]} ${what}`,
  };
}

function tellCosts({ meanWorkSeconds }: PhotoFigures, pricePerHour: number | undefined): string[] {
  if (meanWorkSeconds === null) return ['No photo was worked on: nothing is known of the costs.'];
  const hours = (1000 * meanWorkSeconds) / 3600;
  const work = `One photo takes ${meanWorkSeconds.toFixed(2)} s of work, 1,000 photos ${hours.toFixed(2)} hours of one worker.`;
  if (pricePerHour === undefined) return [work, 'The price of an hour was not given (--price-per-hour).'];
  return [work, `At ${pricePerHour} an hour 1,000 photos cost ${(hours * pricePerHour).toFixed(2)}.`];
}

/** What stands out in the figures, and what to do about it; nothing is said that no figure says. */
function findProblems(
  figures: Pick<PilotReport, 'criteria' | 'photos' | 'failures' | 'verdicts' | 'letterHeights' | 'trial'>,
): Pick<PilotReport, 'problems' | 'recommendations'> {
  const { criteria, photos, failures, verdicts, letterHeights, trial } = figures;
  const problems: string[] = [];
  const recommendations: string[] = [];
  const shareIn = (counts: readonly Count[], name: string): number => {
    const all = counts.reduce((sum, count) => sum + count.photos, 0);
    return all === 0 ? 0 : (counts.find((count) => count.name === name)?.photos ?? 0) / all;
  };

  for (const { name, verdict, value } of criteria) {
    if (verdict === 'missed') problems.push(`Missed: ${name} (${value}).`);
  }
  if (criteria.some(({ verdict }) => verdict === 'not enough data')) {
    recommendations.push('Go on with the pilot where the table says that there is not enough data.');
  }
  if (criteria.some(({ verdict }) => verdict === 'undecided')) {
    recommendations.push('Collect more where a verdict is undecided: the interval still holds the target.');
  }
  const small = shareIn(letterHeights, '< 5 px');
  if (small > 0.2) {
    problems.push(
      `${(100 * small).toFixed(0)} % of the photos have letters under 5 pixels, too small to be saved.`,
    );
    recommendations.push('Ask users to come closer or to zoom in before they crop.');
  }
  const fallback = shareIn(verdicts, 'fallback');
  if (fallback > 0.05) {
    problems.push(`The quality gate fell back to bicubic on ${(100 * fallback).toFixed(0)} % of the photos.`);
    recommendations.push(
      'Look at the photos the gate refuses: blur or glare the network was not trained on.',
    );
  }
  const [worst] = failures;
  if (worst !== undefined && photos.failed > 0) {
    problems.push(`The most frequent failure is ${worst.name} (${worst.photos} photos).`);
    recommendations.push(`See docs/errors.md for ${worst.name} and what can be done about it.`);
  }
  for (const [height, group] of Object.entries(trial?.byLetterHeight ?? {})) {
    const { recovered, harmed } = group;
    if (recovered !== null && harmed !== null && harmed.low > recovered.high) {
      problems.push(`Letters of ${height} are made worse more often than they are recovered.`);
      recommendations.push(`Damp the correction for letters of ${height}.`);
    }
  }
  return { problems, recommendations };
}

function seconds(value: number): string {
  return `${value.toFixed(1)} s`;
}

function dayOf(date: Date): string {
  return date.toISOString().slice(0, 10);
}
