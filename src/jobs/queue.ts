/** The queue of photos: accepted with their rows in one transaction, claimed in turns. The only doorway to pg-boss. */
import { randomUUID } from 'node:crypto';
import { type Db, PgBoss } from 'pg-boss';
import { AppError } from '../errors.ts';
import type { Failure, Upscale } from '../job.ts';
import type { Log } from '../log.ts';
import type { Database, Queryable } from '../storage/database.ts';
import { notifyWork } from '../storage/notifications.ts';
import {
  countByStatus,
  countOpen,
  endUpscale,
  findByIdempotencyKey,
  insertUpscale,
  type NewUpscale,
  reopenUpscale,
} from '../storage/upscale-records.ts';
import { addUsage, lockUser } from '../storage/user-records.ts';
import {
  type Attempt,
  type ClaimedUpscale,
  claimUpscale,
  type Finish,
  failUpscale,
  findOrphans,
  finishUpscale,
  ownsUpscale,
  requeueUpscale,
  saveProgress,
} from '../storage/work-records.ts';

/** Counts for the administrator and the metrics. */
export interface QueueState {
  readonly queued: number;
  readonly processing: number;
  /** Jobs given up after faults of ours. */
  readonly dead: number;
  /** Seconds the oldest queued photo has waited; 0 when none waits. */
  readonly oldestSeconds: number;
}

/** A job that was given up: which upscale, since when, and why. */
export interface DeadJob {
  readonly upscaleId: string;
  readonly at: Date;
  readonly error: Failure;
}

/** A photo in the hands of a worker. */
export interface Claim extends Attempt {
  readonly upscale: ClaimedUpscale;
  /** Which attempt this is, as pg-boss counts them. */
  readonly retryCount: number;
}

export interface Queue {
  /**
   * Stores the upscale and its job in one transaction, after the photo itself is stored.
   * The same idempotency key of the same user gives the upscale that was made first (`created: false`).
   * @param limit most open photos the user may have; empty: any number
   * @throws AppError QUOTA_EXCEEDED, DATABASE
   */
  enqueue(upscale: NewUpscale, limit?: number): Promise<{ upscale: Upscale; created: boolean }>;
  /** Ends an open upscale as `cancelled`; its worker stops before the next tile. False if it had ended already. */
  cancel(id: string): Promise<boolean>;
  state(): Promise<QueueState>;
  /** The jobs that were given up, the newest first. */
  deadJobs(limit?: number): Promise<DeadJob[]>;
  /** Works once more on a photo that was given up. False if it is not among the dead, or its photo is erased. */
  revive(id: string): Promise<boolean>;

  /** For the worker whose number is given: the next photo in turn; undefined if none waits. */
  claim(worker: number): Promise<Claim | undefined>;
  /** Says that the claim is alive. False if it is lost. */
  heartbeat(claim: Claim): Promise<boolean>;
  /** False if the claim is lost. */
  progress(claim: Claim, state: { progress: number; workedMs: number }): Promise<boolean>;
  /** Ends it as done. False if the claim is lost. */
  finish(claim: Claim, finish: Finish): Promise<boolean>;
  /** Ends it as failed; a fault of ours is tried again later while there are retries left. False if the claim is lost. */
  fail(claim: Claim, error: AppError, workedMs: number): Promise<boolean>;
  /** Gives it back unfinished, for any worker to go on at once. False if the claim is lost. */
  handBack(claim: Claim, workedMs: number): Promise<boolean>;
  /** Takes photos back from workers that died; `worker` is who asks, and lives. Returns how many. */
  recover(worker: number): Promise<number>;
  /** Stops it; the database stays open. Idempotent. */
  close(): Promise<void>;
}

const JOBS = 'upscale';
const DEAD = 'upscale-dead';
/** A photo is given up at the fault of ours after this many. */
const MAX_FAULTS = 4;
/** Where the store or the database is away nothing is wrong with the photo: about half an hour is waited for them. */
const MAX_OUTAGES = 30;
/** pg-boss counts every attempt, also one that was handed back or died: it decides only when to retry, not whether. */
const RETRIES = { retryLimit: 10_000, retryDelay: 1, retryBackoff: true, retryDelayMax: 60 };
/** A worker says three times as often that it lives. For those that hang: of those that died the lock tells at once. */
const HEARTBEAT_SECONDS = 60;
export const HEARTBEAT_EVERY_MS = 20_000;
/** A photo at which this many workers in a row died, without finishing one tile, is given up. */
const MAX_CRASHES = 8;
/** JOB_TIMEOUT ends a photo; this only ends jobs that nobody looks after any more. */
const EXPIRE_SECONDS = 86_000;

/**
 * Opens the queue, making its tables if missing.
 * @param maintain whether this process looks after jobs that expired; the workers' duty
 */
export async function openQueue({
  db,
  log,
  maintain = false,
  telemetry = false,
}: {
  db: Database;
  log: Log;
  maintain?: boolean;
  /** Spans and metrics by OpenTelemetry, where the process has loaded an SDK of it. */
  telemetry?: boolean;
}): Promise<Queue> {
  const boss = new PgBoss({
    db: statementsFor(db),
    backend: db.kind === 'embedded' ? 'pglite' : 'postgres',
    supervise: maintain,
    schedule: false,
    registerInstance: false,
    // Of no use to one small table, and impossible embedded.
    reindex: false,
    monitorVacuum: false,
    openTelemetry: { enabled: telemetry },
  });
  boss.on('error', (error) => log.error({ err: error }, 'the queue met an error'));
  boss.on('warning', ({ message }) => log.warn(`the queue warns: ${message}`));
  // Of several processes that make its tables at once all but one fail, and find them made when they try again.
  await boss.start({ attempts: 4 });
  await boss.createQueue(DEAD, { retryLimit: 0, deleteAfterSeconds: 0, retentionSeconds: 365 * 86_400 });
  await boss.createQueue(JOBS, {
    ...RETRIES,
    heartbeatSeconds: HEARTBEAT_SECONDS,
    expireInSeconds: EXPIRE_SECONDS,
  });

  /** Changes the job of an attempt and its row together: neither where `settleRow` finds the claim lost. */
  async function settle(
    settleJob: (options: { db: Db }) => Promise<unknown>,
    settleRow: (tx: Queryable) => Promise<boolean>,
  ): Promise<boolean> {
    try {
      await db.transaction(async (tx) => {
        // The job first, as everywhere: transactions that lock in one order do not wait for each other in a ring.
        await settleJob({ db: statementsFor(tx) });
        if (!(await settleRow(tx))) throw LOST;
      });
      return true;
    } catch (error) {
      if (error === LOST) return false;
      throw error;
    }
  }

  const queue: Queue = {
    async enqueue(upscale, limit) {
      return db.transaction(async (tx) => {
        // The lock makes the user's photos come one after the other: for their turns, the limit and the key.
        if ((await lockUser(tx, upscale.userId)) === undefined) {
          throw new AppError('INTERNAL', `there is no user ${upscale.userId}`);
        }
        const { idempotencyKey } = upscale;
        const known =
          idempotencyKey === null
            ? undefined
            : await findByIdempotencyKey(tx, upscale.userId, idempotencyKey);
        if (known !== undefined) return { upscale: known, created: false };
        if (limit !== undefined && (await countOpen(tx, upscale.userId)) >= limit) {
          throw new AppError('QUOTA_EXCEEDED', `${limit} are open`);
        }
        const { upscale: inserted, turn } = await insertUpscale(tx, upscale);
        // pg-boss takes the highest priority first, and knows nothing of users: the turn is worked out with the row.
        await boss.send(JOBS, {}, { id: upscale.id, priority: -turn, db: statementsFor(tx) });
        await addUsage(tx, upscale.userId, upscale.input.bytes);
        await notifyWork(tx);
        return { upscale: inserted, created: true };
      });
    },
    cancel: (id) =>
      db.transaction(async (tx) => {
        await boss.cancel(JOBS, id, { db: statementsFor(tx) });
        return endUpscale(tx, id, 'cancelled', null);
      }),
    async state() {
      const [counts, dead] = [
        await countByStatus(db),
        await boss.findJobs(DEAD, { queued: true, limit: 1000 }),
      ];
      return { ...counts, dead: dead.length };
    },
    async deadJobs(limit = 100) {
      const jobs = await boss.findJobs<Omit<DeadJob, 'at'>>(DEAD, { queued: true, limit: 1000 });
      return jobs
        .map(({ data, createdOn }) => ({ ...data, at: createdOn }))
        .reverse()
        .slice(0, limit);
    },
    revive: (id) =>
      db.transaction(async (tx) => {
        const options = { db: statementsFor(tx) };
        const dead = await boss.findJobs<DeadJob>(DEAD, {
          ...options,
          queued: true,
          data: { upscaleId: id },
        });
        if (dead.length === 0 || !(await reopenUpscale(tx, id))) return false;
        await boss.deleteJob(
          DEAD,
          dead.map((job) => job.id),
          options,
        );
        await boss.resume(JOBS, id, options);
        await notifyWork(tx);
        return true;
      }),
    async claim(worker) {
      for (;;) {
        const found = await db.transaction(async (tx) => {
          const options = { db: statementsFor(tx) };
          const [job] = await boss.fetch(JOBS, { ...options, includeMetadata: true });
          if (job === undefined) return undefined;
          const { id, retryCount } = job;
          const attempt = { id, claim: randomUUID() };
          const upscale = await claimUpscale(tx, attempt, worker);
          // It was erased, or ended otherwise, since it was queued.
          if (upscale === undefined) await boss.complete(JOBS, { id, retryCount }, null, options);
          return { attempt, upscale, retryCount };
        });
        if (found === undefined) return undefined;
        const { attempt, upscale, retryCount } = found;
        if (upscale !== undefined) return { ...attempt, upscale, retryCount };
      }
    },
    async heartbeat(claim) {
      await boss.touch(JOBS, jobOf(claim));
      return ownsUpscale(db, claim);
    },
    progress: (claim, state) => saveProgress(db, claim, state),
    finish: (claim, finish) =>
      settle(
        (options) => boss.complete(JOBS, jobOf(claim), null, options),
        (tx) => finishUpscale(tx, claim, finish),
      ),
    fail(claim, error, workedMs) {
      const failure = { code: error.code, message: error.message };
      const outage = error.code === 'STORAGE' || error.code === 'DATABASE';
      if (error.retryable && claim.upscale.faults < (outage ? MAX_OUTAGES : MAX_FAULTS)) {
        return settle(
          (options) => boss.fail(JOBS, jobOf(claim), failure, options),
          (tx) => requeueUpscale(tx, claim, { workedMs, because: 'fault' }),
        );
      }
      return settle(
        (options) =>
          error.retryable
            ? bury(claim.id, failure, options)
            : boss.complete(JOBS, jobOf(claim), failure, options),
        (tx) => failUpscale(tx, claim, failure, workedMs),
      );
    },
    handBack: (claim, workedMs) =>
      settle(
        (options) => release(boss, claim.id, options),
        async (tx) => {
          await notifyWork(tx);
          return requeueUpscale(tx, claim, { workedMs });
        },
      ),
    async recover(worker) {
      const orphans = await findOrphans(db, { except: worker });
      let recovered = 0;
      for (const orphan of orphans) {
        if (await takeBack(orphan)) recovered++;
      }
      await endAbandoned(db);
      return recovered;
    },
    close: () => boss.stop({ graceful: false, close: false }),
  };

  /** Ends a job where the administrator finds it. */
  async function bury(id: string, error: Failure, options: { db: Db }): Promise<void> {
    await boss.cancel(JOBS, id, options);
    await boss.send(DEAD, { upscaleId: id, error }, options);
  }

  /** False if somebody else was faster. */
  function takeBack(orphan: Attempt & { crashes: number }): Promise<boolean> {
    const { id, crashes } = orphan;
    if (crashes < MAX_CRASHES) {
      return settle(
        (options) => release(boss, id, options),
        async (tx) => {
          await notifyWork(tx);
          return requeueUpscale(tx, orphan, { because: 'crash' });
        },
      );
    }
    const { code, message } = new AppError('ENGINE_CRASHED', `${crashes + 1} workers in a row died of it`);
    return settle(
      (options) => bury(id, { code, message }, options),
      (tx) => failUpscale(tx, orphan, { code, message }),
    );
  }
  return queue;
}

const LOST = Symbol('the claim is lost');

/** The attempt at a job, as pg-boss tells attempts apart. */
function jobOf({ id, retryCount }: Claim): { id: string; retryCount: number } {
  return { id, retryCount };
}

/** Makes an active job one that waits, without counting it as a failure. */
async function release(boss: PgBoss, id: string, options: { db: Db }): Promise<void> {
  await boss.cancel(JOBS, id, options);
  await boss.resume(JOBS, id, options);
}

/** Rows whose job pg-boss gave up by itself, after the last of several heartbeats that never came. */
async function endAbandoned(db: Database): Promise<void> {
  const error = new AppError('ENGINE_CRASHED', 'its workers stopped answering');
  const abandoned = await db.query<{ id: string }>(
    `select u.id from upscales u join pgboss.job j on j.name = $1 and j.id = u.id
     where u.status in ('queued', 'processing') and j.state in ('failed', 'cancelled')`,
    [JOBS],
  );
  for (const { id } of abandoned) {
    await endUpscale(db, id, 'failed', { code: error.code, message: error.message });
  }
}

/** What pg-boss runs its statements on. */
function statementsFor(target: Queryable): Db {
  return {
    async executeSql(text, values) {
      // Only without parameters may one call hold several statements.
      return { rows: values?.length ? await target.query(text, values) : await target.script(text) };
    },
  };
}
