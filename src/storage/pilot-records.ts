/** SQL for the pilot report: what became of the photos, how long it took, and what users said. */
import type { Queryable } from './database.ts';

/** Photos that ended in the time looked at. Cancelled ones are counted apart: nobody waited for them. */
export interface PhotoFigures {
  readonly done: number;
  readonly failed: number;
  readonly cancelled: number;
  /** From acceptance to the end, of those that were done. */
  readonly totalSeconds: { readonly median: number; readonly p95: number; readonly longest: number } | null;
  /** Of those that were done: how many took no longer than the limit asked about. */
  readonly inTime: number;
  /** Of those that failed: how many because they took too long. */
  readonly timedOut: number;
  /** Computing time of one photo; null before the first. */
  readonly meanWorkSeconds: number | null;
}

/** @param limitSeconds what counts as in time */
export async function findPhotoFigures(
  db: Queryable,
  since: Date,
  limitSeconds: number,
): Promise<PhotoFigures> {
  const [row] = await db.query<{
    done: number;
    failed: number;
    cancelled: number;
    median: number | null;
    p95: number | null;
    longest: number | null;
    inTime: number;
    timedOut: number;
    meanWorkSeconds: number | null;
  }>(
    `with ended as (
       select status, worked_ms, error->>'code' as code, extract(epoch from finished_at - created_at)::float as seconds
       from upscales where finished_at >= $1 and status in ('done', 'failed', 'cancelled'))
     select count(*) filter (where status = 'done')::int as done,
       count(*) filter (where status = 'failed')::int as failed,
       count(*) filter (where status = 'cancelled')::int as cancelled,
       percentile_cont(0.5) within group (order by seconds) filter (where status = 'done') as median,
       percentile_cont(0.95) within group (order by seconds) filter (where status = 'done') as p95,
       max(seconds) filter (where status = 'done') as longest,
       count(*) filter (where status = 'done' and seconds <= $2)::int as "inTime",
       count(*) filter (where status = 'failed' and code = 'TIMEOUT')::int as "timedOut",
       (avg(worked_ms) filter (where status = 'done') / 1000)::float as "meanWorkSeconds"
     from ended`,
    [since, limitSeconds],
  );
  if (row === undefined) throw new Error('an aggregate returned no row');
  const { median, p95, longest, ...counts } = row;
  const measured = median !== null && p95 !== null && longest !== null;
  return { ...counts, totalSeconds: measured ? { median, p95, longest } : null };
}

/** How many photos fell into each of the classes named by `name`. */
export interface Count {
  readonly name: string;
  readonly photos: number;
}

/** Failed photos by the code of their error, the most frequent first. */
export function countFailures(db: Queryable, since: Date): Promise<Count[]> {
  return countBy(db, since, `error->>'code'`, `status = 'failed'`);
}

/** Finished photos by what the quality gate let through. */
export function countVerdicts(db: Queryable, since: Date): Promise<Count[]> {
  return countBy(db, since, `quality->>'verdict'`, `status = 'done'`);
}

/** Finished photos by model. */
export function countModels(db: Queryable, since: Date): Promise<Count[]> {
  return countBy(db, since, 'model', `status = 'done'`);
}

/** Finished photos by the height of their letters in pixels, where it was measured. */
export function countLetterHeights(db: Queryable, since: Date): Promise<Count[]> {
  const height = `(quality->>'letterHeight')::float`;
  return countBy(
    db,
    since,
    heightClasses(height),
    `status = 'done' and quality->>'letterHeight' is not null`,
  );
}

/** `height` is SQL of this file's own. */
function heightClasses(height: string): string {
  return `case when ${height} is null then 'unknown' when ${height} < 5 then '< 5 px' when ${height} <= 8 then '5–8 px'
    else '> 8 px' end`;
}

/** `expression` and `condition` are SQL of this file's own. */
function countBy(db: Queryable, since: Date, expression: string, condition: string): Promise<Count[]> {
  return db.query<Count>(
    `select coalesce(${expression}, 'unknown') as name, count(*)::int as photos from upscales
     where finished_at >= $1 and ${condition} group by 1 order by 2 desc, 1`,
    [since],
  );
}

/** Why results were not good, as people said after 👎, the most frequent first. */
export function countReasons(db: Queryable, since: Date): Promise<{ reason: string; ratings: number }[]> {
  return db.query(
    `select coalesce(reason, 'not said') as reason, count(*)::int as ratings from feedback
     where created_at >= $1 and rating < 0 group by 1 order by 2 desc, 1`,
    [since],
  );
}

/** Ratings by the height of the letters in the photo, in the classes used everywhere. */
export function countRatingsByHeight(
  db: Queryable,
  since: Date,
): Promise<{ height: string; positive: number; all: number }[]> {
  return db.query(
    `select ${heightClasses('letter_height')} as height, count(*) filter (where rating > 0)::int as positive,
       count(*)::int as all from feedback where created_at >= $1 and rating <> 0 group by 1 order by 1`,
    [since],
  );
}

/** Ratings by the model that made the rated result. */
export function countRatings(
  db: Queryable,
  since: Date,
): Promise<{ model: string; positive: number; all: number }[]> {
  return db.query(
    `select coalesce(f.model, u.model, 'unknown') as model, count(*) filter (where f.rating > 0)::int as positive,
       count(*)::int as all
     from feedback f left join upscales u on u.id = f.upscale_id
     where f.created_at >= $1 and f.rating <> 0 group by 1 order by 3 desc, 1`,
    [since],
  );
}

/** Users with at least one photo in each month (UTC), the months in order. */
export function countActiveUsers(db: Queryable, since: Date): Promise<{ month: string; users: number }[]> {
  return db.query(
    `select to_char(created_at at time zone 'utc', 'YYYY-MM') as month, count(distinct user_id)::int as users
     from upscales where created_at >= $1 group by 1 order by 1`,
    [since],
  );
}
