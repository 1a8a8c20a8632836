/** Works on one claimed photo: load, upscale, store, finish; whatever interrupts it, the next attempt goes on from there. */
import { promisify } from 'node:util';
import { constants, zstdCompress, zstdDecompress } from 'node:zlib';
import type { TileKeeper, UpscaleResult, Upscaler } from '../engine/upscale.ts';
import { AppError, toAppError } from '../errors.ts';
import { photoKey, resultKey, STATUS, tilePrefix } from '../job.ts';
import type { Log } from '../log.ts';
import type { Blobs } from '../storage/blobs.ts';
import { findUpscale } from '../storage/upscale-records.ts';
import type { ClaimedUpscale } from '../storage/work-records.ts';
import { eraseBlobs, eraseTiles, type Stores } from './erasure.ts';
import { type Claim, HEARTBEAT_EVERY_MS } from './queue.ts';
import type { Watch } from './watch.ts';

/** How an attempt ended. `lost`: the photo was cancelled or taken over meanwhile. */
export type Outcome = 'done' | 'failed' | 'retried' | 'handed back' | 'lost';

/** Works on the photo until it ends or `stopping` aborts. Throws only when the database or the store is away. */
export type RunUpscale = (claim: Claim, stopping: AbortSignal) => Promise<Outcome>;

export function createRunUpscale({
  stores,
  watch,
  upscaler,
  jobTimeoutMs,
  log,
}: {
  stores: Stores;
  watch: Watch;
  upscaler: Upscaler;
  jobTimeoutMs: number;
  log: Log;
}): RunUpscale {
  const { db, blobs, queue } = stores;

  return async (claim, stopping) => {
    const { id, upscale } = claim;
    const startedAt = performance.now();
    const workedMs = (): number => Math.round(upscale.workedMs + performance.now() - startedAt);
    const lost = new AbortController();
    const timeout = AbortSignal.timeout(Math.max(1, jobTimeoutMs - upscale.workedMs));
    const signal = AbortSignal.any([stopping, lost.signal, timeout]);

    const unwatch = watch.upscale(id, (status) => {
      if (status !== STATUS.processing) void check();
    });
    const heartbeat = setInterval(() => void check(), HEARTBEAT_EVERY_MS);
    async function check(): Promise<void> {
      // A database that does not answer says nothing about the claim.
      if (!(await queue.heartbeat(claim).catch(() => true))) lost.abort();
    }
    const progress = createProgressWriter(async (share) => {
      const state = { progress: share, workedMs: workedMs() };
      if (!(await queue.progress(claim, state))) lost.abort();
    });

    try {
      const outcome = await attempt();
      log.info(
        { upscale: id, request: upscale.requestId, outcome, workedMs: workedMs() },
        'worked on a photo',
      );
      if (outcome === 'lost') await cleanUpAfterLoss(stores, id);
      return outcome;
    } finally {
      clearInterval(heartbeat);
      unwatch();
      await progress.end();
    }

    async function attempt(): Promise<Outcome> {
      const tiles = createTileKeeper(blobs, upscale);
      try {
        const { scale, model, format } = upscale;
        const result = await upscaler.upscale({
          look: upscale.look,
          bytes: await blobs.read(photoKey(id)),
          scale: scale ?? undefined,
          model: model ?? undefined,
          format,
          signal,
          tileKeeper: tiles,
          onProgress: progress.write,
        });
        await blobs.put(resultKey(id), result.bytes);
        await progress.end();
        if (!(await queue.finish(claim, { ...describe(result, tiles.computed), workedMs: workedMs() })))
          return 'lost';
        // The sweep takes what a crash here leaves.
        await eraseTiles(blobs, id).catch((err: unknown) =>
          log.warn({ upscale: id, err }, 'tiles were left'),
        );
        return 'done';
      } catch (thrown) {
        await progress.end();
        // A tile that is being stored would outlive whoever cleans up now.
        await tiles.settled();
        return await giveUp(thrown);
      }
    }

    async function giveUp(thrown: unknown): Promise<Outcome> {
      if (lost.signal.aborted) return 'lost';
      if (stopping.aborted) return (await queue.handBack(claim, workedMs())) ? 'handed back' : 'lost';
      const error = timeout.aborted ? tooSlow(jobTimeoutMs, thrown) : toAppError(thrown);
      log.warn({ upscale: id, request: upscale.requestId, err: error }, 'a photo failed');
      if (!(await queue.fail(claim, error, workedMs()))) return 'lost';
      const after = await findUpscale(db, id);
      if (after?.status === STATUS.queued) return 'retried';
      await eraseTiles(blobs, id);
      return 'failed';
    }
  };
}

function tooSlow(jobTimeoutMs: number, cause: unknown): AppError {
  return new AppError('TIMEOUT', `it was not done after ${Math.round(jobTimeoutMs / 1000)} seconds`, {
    cause,
  });
}

/** What a cancelled photo's worker still wrote belongs to nobody; what another worker goes on with stays. */
async function cleanUpAfterLoss({ db, blobs }: Stores, id: string): Promise<void> {
  const upscale = await findUpscale(db, id);
  if (upscale === undefined || upscale.erasedAt !== null) await eraseBlobs(blobs, id);
  else if (upscale.status === STATUS.cancelled || upscale.status === STATUS.failed) {
    await blobs.delete(resultKey(id));
    await eraseTiles(blobs, id);
  }
}

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);
/** The fastest level leaves 10 to 40 % of a board, for a few hundredths of the network's work. */
const COMPRESSION = {
  params: {
    [constants.ZSTD_c_compressionLevel]: 1,
    // Tiles are not flushed to the disk one by one: what a power cut makes of them must be noticed.
    [constants.ZSTD_c_checksumFlag]: 1,
  },
};

/** Tiles as blobs, compressed without loss. Only an attempt that is not the first looks for any. */
function createTileKeeper(
  blobs: Blobs,
  { id, resumed }: ClaimedUpscale,
): TileKeeper & { readonly computed: number; settled(): Promise<unknown> } {
  const keyOf = (plan: string, index: number): string => `${tilePrefix(id)}${plan}-${index}`;
  let saved: Promise<Set<string>> | undefined;
  let saving: Promise<unknown> = Promise.resolve();

  async function listSaved(): Promise<Set<string>> {
    const keys = new Set<string>();
    for await (const { key } of blobs.list(tilePrefix(id))) keys.add(key);
    return keys;
  }
  let computed = 0;
  return {
    get computed() {
      return computed;
    },
    async load(plan, index) {
      if (!resumed) return undefined;
      saved ??= listSaved();
      const key = keyOf(plan, index);
      if (!(await saved).has(key)) return undefined;
      const kept = await blobs.read(key);
      // What is no tile any more is computed again.
      return decompress(kept).catch(() => undefined);
    },
    async save(plan, index, pixels) {
      computed++;
      const put = compress(pixels, COMPRESSION).then((kept) =>
        blobs.put(keyOf(plan, index), kept, { lasting: false }),
      );
      saving = Promise.allSettled([saving, put]);
      await put;
    },
    settled: () => saving,
  };
}

/** Writes one state of the progress at a time, always the newest, and none after its end. */
function createProgressWriter(save: (share: number) => Promise<void>): {
  write: (share: number) => void;
  end: () => Promise<void>;
} {
  let next: number | undefined;
  let writing: Promise<void> | undefined;
  let ended = false;
  async function writeAll(): Promise<void> {
    while (next !== undefined) {
      const share = next;
      next = undefined;
      // Progress that cannot be written is written with the next tile.
      await save(share).catch(() => undefined);
    }
    writing = undefined;
  }
  return {
    write(share) {
      // The end is written with the result.
      if (ended || share >= 1) return;
      next = share;
      writing ??= writeAll();
    },
    async end() {
      ended = true;
      next = undefined;
      await writing;
    },
  };
}

function describe(result: UpscaleResult, tiles: number) {
  const { input, output, reducedTo, quality, timings, model, scale } = result;
  return {
    ...{ input, output, reducedTo, model, scale },
    timings: { ...timings, tiles },
    quality: { ...quality },
  };
}
