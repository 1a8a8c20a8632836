/** The durable half of the service for tests: users, photos and the queue on a given database. */
import { randomUUID } from 'node:crypto';
import type { TestContext } from 'node:test';
import { photoKey, type UpscaleOrder } from '../../src/job.ts';
import { openQueue, type Queue } from '../../src/jobs/queue.ts';
import { openLog } from '../../src/log.ts';
import type { Blobs } from '../../src/storage/blobs.ts';
import type { Database } from '../../src/storage/database.ts';
import type { NewUpscale } from '../../src/storage/upscale-records.ts';
import { findOrCreateUser } from '../../src/storage/user-records.ts';

export const SILENT = openLog({ level: 'silent', format: 'json' });

/** The queue on `db`, closed with the test. */
export async function openTestQueue(t: TestContext, db: Database): Promise<Queue> {
  const queue = await openQueue({ db, log: SILENT });
  t.after(() => queue.close());
  return queue;
}

let users = 0;

/** A new user. */
export async function createUser(db: Database): Promise<string> {
  return (await findOrCreateUser(db, { apiKeyHash: `${++users} ${randomUUID()}` })).id;
}

const ORDER: UpscaleOrder = { scale: 2, look: 'natural', model: null, format: 'png' };

/** An upscale of a user's, as it is when it is accepted. */
export function newUpscale(userId: string, changes: Partial<NewUpscale> = {}): NewUpscale {
  const input = { width: 64, height: 48, bytes: 1000, format: 'png' };
  return { ...ORDER, id: randomUUID(), userId, requestId: null, idempotencyKey: null, input, ...changes };
}

/** Stores a photo and queues it; its id. */
export async function send(
  { queue, blobs }: { queue: Queue; blobs: Blobs },
  userId: string,
  photo: Uint8Array,
  changes: Partial<NewUpscale> = {},
): Promise<string> {
  const upscale = newUpscale(userId, changes);
  await blobs.put(photoKey(upscale.id), photo);
  await queue.enqueue(upscale);
  return upscale.id;
}
