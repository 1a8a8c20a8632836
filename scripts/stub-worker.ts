/** A worker whose network is a sleep: for measuring how work spreads over workers, on a machine with few cores. */
import { setTimeout as pause } from 'node:timers/promises';
import { readConfig } from '../src/config.ts';
import { photoKey, resultKey } from '../src/job.ts';
import { openQueue } from '../src/jobs/queue.ts';
import type { RunUpscale } from '../src/jobs/run-upscale.ts';
import { openConfiguredLog } from '../src/open-engine.ts';
import { openBlobs } from '../src/storage/open-blobs.ts';
import { openDatabase } from '../src/storage/open-database.ts';
import { startWorker } from '../src/worker/worker.ts';

const sleepMs = Number(process.argv[2] ?? 500);
const config = readConfig(process.env);
const log = openConfiguredLog(config);
const db = await openDatabase(config);
const blobs = await openBlobs(config);
const queue = await openQueue({ db, log, maintain: true });
const run: RunUpscale = async (claim) => {
  const { input, scale, model, workedMs, id } = claim.upscale;
  const bytes = await blobs.read(photoKey(id));
  await pause(sleepMs);
  await blobs.put(resultKey(id), bytes);
  const output = { width: 1, height: 1, bytes: bytes.length, format: 'jpeg' };
  const rest = { reducedTo: null, quality: null, timings: null, workedMs: workedMs + sleepMs };
  await queue.finish(claim, { input, scale, model, output, ...rest });
  return 'done';
};
await startWorker({ db, queue, run, concurrency: 1, log });
process.stdout.write('The worker is ready.\n');
