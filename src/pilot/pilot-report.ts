/** The pilot report: every criterion with its target, value, sample size and verdict, and what lies behind it. */
import type { Queryable } from '../storage/database.ts';
import {
  type Count,
  countActiveUsers,
  countFailures,
  countLetterHeights,
  countModels,
  countRatings,
  countRatingsByHeight,
  countReasons,
  countVerdicts,
  findPhotoFigures,
  type PhotoFigures,
} from '../storage/pilot-records.ts';
import {
  type Criterion,
  isEnough,
  judgePictures,
  judgeRatings,
  judgeReading,
  judgeSuccess,
  judgeTime,
  TARGETS,
  tellUsers,
} from './criteria.ts';
import type { PictureScores } from './evaluation-file.ts';
import type { TrialResults } from './trial-statistics.ts';

/** One word of the trial in both forms, as PNG files, with how many read each. */
export interface Case {
  readonly truth: string;
  readonly board: string;
  readonly letterHeight: number | null;
  /** What can be seen that explains it; empty: nothing. */
  readonly causes: readonly string[];
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
  readonly ratingsByHeight: readonly { height: string; positive: number; all: number }[];
  /** Why results were not good, as people said. */
  readonly reasons: readonly { reason: string; ratings: number }[];
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
  const ratingsByHeight = await countRatingsByHeight(db, since);
  const reasons = await countReasons(db, since);
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
    ...{ ratings, ratingsByHeight, reasons, activeUsers, trial, pictureScores, goodCases, badCases },
    costs: tellCosts(photos, parts.pricePerHour),
    ...findProblems({ criteria, photos, failures, verdicts, letterHeights, reasons, trial }),
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
  figures: Pick<
    PilotReport,
    'criteria' | 'photos' | 'failures' | 'verdicts' | 'letterHeights' | 'reasons' | 'trial'
  >,
): Pick<PilotReport, 'problems' | 'recommendations'> {
  const { criteria, photos, failures, verdicts, letterHeights, reasons, trial } = figures;
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
  const wrong = reasons.find(({ reason }) => reason === 'letters')?.ratings ?? 0;
  if (wrong > 0) {
    problems.push(`Letters were wrong, as people said of ${wrong} ${wrong === 1 ? 'result' : 'results'}.`);
    recommendations.push('Look at each result whose letters were called wrong before anything else.');
  }
  const [worst] = failures;
  if (worst !== undefined && photos.failed > 0) {
    problems.push(`The most frequent failure is ${worst.name} (${worst.photos} photos).`);
    recommendations.push(`See docs/errors.md for ${worst.name} and what can be done about it.`);
  }
  for (const [height, group] of Object.entries(trial?.byLetterHeight ?? {})) {
    const { recovered, harmed } = group;
    if (isEnough(group) && recovered !== null && harmed !== null && harmed.low > recovered.high) {
      problems.push(`Letters of ${height} are made worse more often than they are recovered.`);
      recommendations.push(`Damp the correction for letters of ${height}.`);
    }
  }
  return { problems, recommendations };
}

function dayOf(date: Date): string {
  return date.toISOString().slice(0, 10);
}
