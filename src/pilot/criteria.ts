/** The pilot's criteria: what was promised, and whether the figures say that it was kept. Pure. */
import type { Count, PhotoFigures } from '../storage/pilot-records.ts';
import type { PictureScores } from './evaluation-file.ts';
import { type Estimate, shareOf } from './intervals.ts';
import type { TrialFigures, TrialResults } from './trial-statistics.ts';

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
export const ENOUGH = { photos: 30, ratings: 20, items: 30, groupItems: 10, readers: 5, boards: 5 } as const;

/** Whether one group of the trial's words says anything: of fewer words an interval is a guess itself. */
export function isEnough({ items, readers }: Pick<TrialFigures, 'items' | 'readers'>): boolean {
  return items >= ENOUGH.groupItems && readers >= ENOUGH.readers;
}

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

export function judgeReading(trial: TrialResults | null): Criterion {
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

/** A photo that was given up because it took too long came not in time; what failed otherwise says nothing of time. */
export function judgeTime({ done, inTime, timedOut, totalSeconds }: PhotoFigures): Criterion {
  const name = 'Photos whose result is there within two minutes';
  const target = '≥ 95 %';
  const sample = `${done + timedOut} photos`;
  const share = shareOf(inTime, done + timedOut);
  if (share === null || totalSeconds === null || done + timedOut < ENOUGH.photos)
    return tooFew(name, target, sample, 'photos');
  const { median, p95, longest } = totalSeconds;
  const given = timedOut === 0 ? '' : `; ${timedOut} given up because they took too long`;
  const remark = `median ${seconds(median)}, 95th percentile ${seconds(p95)}, longest ${seconds(longest)}${given}`;
  return { name, target, value: percent(share), sample, verdict: judge(share, TARGETS.inTimeShare), remark };
}

export function judgeSuccess({ done, failed }: PhotoFigures, failures: readonly Count[]): Criterion {
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

export function judgePictures(scores: readonly PictureScores[]): Criterion[] {
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
    const value = `${gain < 0 ? '−' : '+'}${Math.abs(100 * gain).toFixed(1)} %`;
    const verdict = gain >= TARGETS.pictureGain ? 'met' : 'missed';
    const room = verdict === 'met' ? '' : `; ${tellRoom(name.startsWith('SSIM') ? 'SSIM' : 'PSNR', bicubic)}`;
    const remark = `bicubic ${show(bicubic)}, result ${show(result)}${room}`;
    return { name, target, value, sample, verdict, remark };
  }
}

/** How far the measure could have moved: both scales have an end, or bend. */
function tellRoom(measure: 'PSNR' | 'SSIM', bicubic: number): string {
  if (measure === 'SSIM') {
    const most = (100 * (1 / bicubic - 1)).toFixed(1);
    return bicubic * (1 + TARGETS.pictureGain) > 1
      ? `it ends at 1, so that from here it can move by ${most} % at most, and not by 20 %`
      : `it ends at 1: from here it can move by ${most} % at most`;
  }
  const wanted = TARGETS.pictureGain * bicubic;
  return `decibels are a logarithm: 20 % of them are ${wanted.toFixed(1)} dB, which leaves one part in ${(10 ** (wanted / 10)).toFixed(1)} of bicubic's squared error, noise and lost strokes included`;
}

export function judgeRatings(
  ratings: readonly { model: string; positive: number; all: number }[],
): Criterion {
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

export function tellUsers(activeUsers: readonly { month: string; users: number }[]): Criterion {
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
function seconds(value: number): string {
  return `${value.toFixed(1)} s`;
}
