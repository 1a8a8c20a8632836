/** Claims photos and works on them until told to stop. */
import { randomInt } from 'node:crypto';
import { toAppError } from '../errors.ts';
import type { Claim, Queue } from '../jobs/queue.ts';
import type { RunUpscale } from '../jobs/run-upscale.ts';
import type { Log } from '../log.ts';
import type { Database, Listening } from '../storage/database.ts';
import { listenForWork } from '../storage/notifications.ts';
import { countWorkers, WORKER_LOCKS } from '../storage/work-records.ts';
import { answers, lookEveryMs, recoverEveryMs } from './fleet.ts';

export interface Worker {
  /** Photos being worked on. */
  readonly running: number;
  /**
   * Claims nothing more; gives what runs `graceMs` to finish and then hands it back. Idempotent.
   * With the default it is over within 10 seconds, unless the database is away.
   */
  stop(graceMs?: number): Promise<void>;
}

const GRACE_MS = 5000;

/** Starts it: from now on it claims photos, `concurrency` at the same time. */
export async function startWorker({
  db,
  queue,
  run,
  concurrency,
  looksByItself = true,
  log,
}: {
  db: Database;
  queue: Queue;
  run: RunUpscale;
  concurrency: number;
  /** False: it looks for photos only when it is told of one. */
  looksByItself?: boolean | undefined;
  log: Log;
}): Promise<Worker> {
  const number = randomInt(1, 2 ** 31);
  const stopping = new AbortController();
  const running = new Set<Promise<void>>();
  /** Photos whose end could not be written: they are given back as soon as the database answers again. */
  const leftBehind = new Set<Claim>();
  let closed = false;
  let claiming: Promise<void> | undefined;
  let again = false;
  /** Workers that live, as of the last look at the dead. */
  let workers = 1;

  /** Claims as many photos as there is room for; a call while it does so makes it look once more. */
  function look(): void {
    if (closed) return;
    again = true;
    claiming ??= (async () => {
      try {
        while (again && !closed) {
          again = false;
          await fill();
        }
      } catch (thrown) {
        log.error({ err: toAppError(thrown) }, 'no photo could be claimed');
      } finally {
        claiming = undefined;
      }
    })();
  }

  async function fill(): Promise<void> {
    while (!closed && running.size < concurrency) {
      const claim = await queue.claim(number);
      if (claim === undefined) return;
      const work = run(claim, stopping.signal)
        .then(() => undefined)
        .catch((thrown: unknown) => {
          leftBehind.add(claim);
          log.error({ upscale: claim.id, err: toAppError(thrown) }, 'a photo was left behind');
        })
        .finally(() => {
          running.delete(work);
          look();
        });
      running.add(work);
    }
  }

  async function recover(): Promise<void> {
    try {
      for (const claim of leftBehind) {
        await queue.handBack(claim, claim.upscale.workedMs);
        leftBehind.delete(claim);
      }
      const recovered = await queue.recover(number);
      if (recovered > 0) log.warn(`took ${recovered} photos back from workers that died`);
      workers = await countWorkers(db);
    } catch (thrown) {
      log.error({ err: toAppError(thrown) }, 'photos of dead workers could not be looked for');
    }
  }

  // The lock says that this worker lives: the database lets go of it when the process ends, however it ends.
  await db.holdLock(WORKER_LOCKS, number);
  await recover();
  const listening: Listening = await listenForWork(db, () => {
    if (answers(workers, Math.random())) look();
  });
  const ticking = [
    ...(looksByItself ? [repeat(look, () => lookEveryMs(workers))] : []),
    repeat(
      () => void recover(),
      () => recoverEveryMs(workers),
    ),
  ];
  look();

  let stopped: Promise<void> | undefined;
  async function end(graceMs: number): Promise<void> {
    closed = true;
    for (const stopTicking of ticking) stopTicking();
    await listening.close();
    await claiming;
    const grace = setTimeout(() => stopping.abort(), graceMs);
    await Promise.all(running);
    clearTimeout(grace);
  }
  return {
    get running() {
      return running.size;
    },
    stop(graceMs = GRACE_MS) {
      stopped ??= end(graceMs);
      return stopped;
    },
  };
}

/** Calls `work` again and again, each time after what `everyMs` says then. Returns what ends it. */
function repeat(work: () => void, everyMs: () => number): () => void {
  let timer: NodeJS.Timeout;
  const next = (): void => {
    timer = setTimeout(() => {
      work();
      next();
    }, everyMs());
  };
  next();
  return () => clearTimeout(timer);
}
