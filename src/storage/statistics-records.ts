/** SQL for the administrator's figures. */
import type { Queryable } from './database.ts';
import { USES_SERVICE } from './user-records.ts';

export interface Statistics {
  /** Without volunteers of the reading page: a browser that read a word has not used the service. */
  readonly users: { readonly all: number; readonly new: number; readonly active: number };
  readonly photos: {
    readonly done: number;
    readonly failed: number;
    readonly cancelled: number;
    readonly open: number;
  };
  /** Of the photos that were done; null while there is none. */
  readonly waitSeconds: { readonly p50: number | null; readonly p95: number | null };
  readonly totalSeconds: { readonly p50: number | null; readonly p95: number | null };
  readonly ratings: { readonly positive: number; readonly negative: number };
  readonly failures: readonly { readonly code: string; readonly photos: number }[];
  readonly models: readonly { readonly model: string; readonly photos: number }[];
}

/** Of the last `days` days. */
export async function findStatistics(db: Queryable, days: number): Promise<Statistics> {
  const since = `now() - make_interval(days => $1)`;
  const [users] = await db.query<Statistics['users']>(
    `select count(*)::int as all, count(*) filter (where created_at >= ${since})::int as new,
       (select count(distinct user_id)::int from upscales where created_at >= ${since}) as active
     from users where ${USES_SERVICE}`,
    [days],
  );
  const [photos] = await db.query<
    Statistics['photos'] & { wait50: number; wait95: number; total50: number; total95: number }
  >(
    `select count(*) filter (where status = 'done')::int as done,
       count(*) filter (where status = 'failed')::int as failed,
       count(*) filter (where status = 'cancelled')::int as cancelled,
       count(*) filter (where status in ('queued', 'processing'))::int as open,
       percentile_cont(0.5) within group (order by extract(epoch from started_at - created_at))
         filter (where status = 'done') as "wait50",
       percentile_cont(0.95) within group (order by extract(epoch from started_at - created_at))
         filter (where status = 'done') as "wait95",
       percentile_cont(0.5) within group (order by extract(epoch from finished_at - created_at))
         filter (where status = 'done') as "total50",
       percentile_cont(0.95) within group (order by extract(epoch from finished_at - created_at))
         filter (where status = 'done') as "total95"
     from upscales where created_at >= ${since}`,
    [days],
  );
  const [ratings] = await db.query<Statistics['ratings']>(
    `select count(*) filter (where rating > 0)::int as positive, count(*) filter (where rating < 0)::int as negative
     from feedback where created_at >= ${since}`,
    [days],
  );
  if (users === undefined || photos === undefined || ratings === undefined) {
    throw new Error('an aggregate returned no row');
  }
  const { wait50, wait95, total50, total95, ...counts } = photos;
  return {
    users,
    photos: counts,
    waitSeconds: { p50: wait50, p95: wait95 },
    totalSeconds: { p50: total50, p95: total95 },
    ratings,
    failures: await db.query(
      `select coalesce(error->>'code', 'unknown') as code, count(*)::int as photos from upscales
       where status = 'failed' and created_at >= ${since} group by 1 order by 2 desc, 1`,
      [days],
    ),
    models: await db.query(
      `select coalesce(model, 'unknown') as model, count(*)::int as photos from upscales
       where status = 'done' and created_at >= ${since} group by 1 order by 2 desc, 1`,
      [days],
    ),
  };
}
