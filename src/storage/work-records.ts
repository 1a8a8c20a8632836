/** SQL for upscales as workers see them: claims, progress, results. Whoever lost the claim changes nothing. */
import { type Failure, STATUS, type Upscale } from '../job.ts';
import type { Queryable } from './database.ts';
import { notifyUpscale, UPSCALE_CHANNEL } from './notifications.ts';
import { UPSCALE_COLUMNS } from './upscale-records.ts';

/** Advisory locks of this space are workers that live. */
export const WORKER_LOCKS = 6278;

/** An attempt at an upscale: `id` is the upscale's, `claim` its own. */
export interface Attempt {
  readonly id: string;
  readonly claim: string;
}

export type ClaimedUpscale = Upscale & {
  /** Milliseconds of work in earlier attempts. */
  readonly workedMs: number;
  /** Whether there were any. */
  readonly resumed: boolean;
  /** How many of them ended with a fault of ours. */
  readonly faults: number;
};

/** Makes `attempt` the owner of the upscale; undefined if it has ended. An owner there was loses it. */
export async function claimUpscale(
  tx: Queryable,
  { id, claim }: Attempt,
  worker: number,
): Promise<ClaimedUpscale | undefined> {
  const [claimed] = await tx.query<ClaimedUpscale & { turn: number }>(
    `update upscales set status = 'processing', claim = $2, worker = $3, started_at = coalesce(started_at, now())
     where id = $1 and status in ('queued', 'processing') 
     returning worked_ms as "workedMs", started_at < now() as resumed, faults, turn, ${UPSCALE_COLUMNS}`,
    [id, claim, worker],
  );
  if (claimed === undefined) return undefined;
  const { turn, ...upscale } = claimed;
  await tx.query('update queue_clock set turn = $1 where turn < $1', [turn]);
  await notifyUpscale(tx, id, STATUS.processing);
  return upscale;
}

/** Whether the attempt still owns its upscale. */
export async function ownsUpscale(db: Queryable, { id, claim }: Attempt): Promise<boolean> {
  return (await db.query('select 1 from upscales where id = $1 and claim = $2', [id, claim])).length > 0;
}

/** Records how far an attempt is. False if it does not own the upscale any more. */
export async function saveProgress(
  db: Queryable,
  { id, claim }: Attempt,
  { progress, workedMs }: { progress: number; workedMs: number },
): Promise<boolean> {
  const saved = await db.query(
    `with saved as (
       update upscales set progress = $3, worked_ms = $4, crashes = 0 where id = $1 and claim = $2 returning id
     )
     select pg_notify($5, id || ' processing') from saved`,
    [id, claim, progress, workedMs, UPSCALE_CHANNEL],
  );
  return saved.length > 0;
}

/** What a finished attempt knows of its upscale. */
export type Finish = Pick<
  Upscale,
  'input' | 'output' | 'reducedTo' | 'quality' | 'timings' | 'model' | 'scale'
> & {
  readonly workedMs: number;
};

/** Ends the upscale as done. False if the attempt does not own it any more. */
export async function finishUpscale(tx: Queryable, { id, claim }: Attempt, finish: Finish): Promise<boolean> {
  const { input, output, reducedTo, quality, timings, model, scale, workedMs } = finish;
  const done = await tx.query(
    `update upscales set status = 'done', progress = 1, finished_at = now(), claim = null, worker = null,
       input = $3::jsonb, output = $4::jsonb, reduced_to = $5::jsonb, quality = $6::jsonb, timings = $7::jsonb,
       model = $8, scale = $9, worked_ms = $10
     where id = $1 and claim = $2 returning id`,
    [id, claim, ...[input, output, reducedTo, quality, timings].map(json), model, scale, workedMs],
  );
  if (done.length === 0) return false;
  await notifyUpscale(tx, id, STATUS.done);
  return true;
}

/** Gives the upscale back to the queue. False if the attempt does not own it any more. */
export async function requeueUpscale(
  tx: Queryable,
  { id, claim }: Attempt,
  { workedMs = null, because }: { workedMs?: number | null; because?: 'crash' | 'fault' },
): Promise<boolean> {
  const requeued = await tx.query(
    `update upscales set status = 'queued', claim = null, worker = null, worked_ms = coalesce($3, worked_ms),
       crashes = crashes + $4, faults = faults + $5 where id = $1 and claim = $2 returning id`,
    [id, claim, workedMs, because === 'crash' ? 1 : 0, because === 'fault' ? 1 : 0],
  );
  if (requeued.length === 0) return false;
  await notifyUpscale(tx, id, STATUS.queued);
  return true;
}

/** Ends the upscale as failed. False if the attempt does not own it any more. */
export async function failUpscale(
  tx: Queryable,
  { id, claim }: Attempt,
  error: Failure,
  workedMs: number | null = null,
): Promise<boolean> {
  const failed = await tx.query(
    `update upscales set status = 'failed', error = $3::jsonb, finished_at = now(), claim = null, worker = null,
       worked_ms = coalesce($4, worked_ms) where id = $1 and claim = $2 returning id`,
    [id, claim, json(error), workedMs],
  );
  if (failed.length === 0) return false;
  await notifyUpscale(tx, id, STATUS.failed);
  return true;
}

/** Locks of workers that live. */
const LIVING = `select objid::bigint from pg_locks where locktype = 'advisory' and classid::bigint = $1 and objsubid = 2
  and database = (select oid from pg_database where datname = current_database())`;

/** How many workers live. */
export async function countWorkers(db: Queryable): Promise<number> {
  return (await db.query(LIVING, [WORKER_LOCKS])).length;
}

/** Attempts whose worker does not live any more, with how often that happened to the upscale in a row before. */
export function findOrphans(
  db: Queryable,
  { except }: { except: number },
): Promise<(Attempt & { crashes: number })[]> {
  return db.query(
    `select id, claim, crashes from upscales where status = 'processing' and claim is not null and worker <> $2
       and worker::bigint not in (${LIVING})`,
    [WORKER_LOCKS, except],
  );
}

function json(value: unknown): string | null {
  return value === null ? null : JSON.stringify(value);
}
