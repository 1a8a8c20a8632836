/** Photos sent to real processes that are killed at random moments: what became of each. */
import { setTimeout as pause } from 'node:timers/promises';
import { ApiProblem, type Client, createClient, type UpscaleState } from '../../src/client/client.ts';
import { readConfig } from '../../src/config.ts';
import { decode, encode } from '../../src/engine/image-codec.ts';
import type { Raster } from '../../src/engine/pixels.ts';
import { openEngine } from '../../src/open-engine.ts';
import { openDatabase } from '../../src/storage/open-database.ts';
import { prepareDatabase } from './data-folder.ts';
import { largestDifference } from './pictures.ts';
import { type ServerProcess, startServerProcess } from './server-process.ts';

export interface KillPlan {
  /** `apart`: an api and two workers on PostgreSQL. `together`: one process with everything in it. */
  readonly roles: 'apart' | 'together';
  readonly photos: number;
  readonly kills: number;
  /** For blobs, and for the embedded database. */
  readonly folder: string;
  /** Needed for `apart`. */
  readonly databaseUrl?: string;
  readonly photo: { readonly width: number; readonly height: number };
  /** 0…1. */
  readonly random: () => number;
  readonly say?: (line: string) => void;
}

export interface KillReport {
  readonly kills: Readonly<Record<string, number>>;
  /** Kills while at least one photo was accepted and not yet done. */
  readonly killsDuringWork: number;
  readonly ends: Readonly<Record<string, number>>;
  /** Photos whose result is not the one an undisturbed engine gives. */
  readonly wrong: readonly string[];
  /** Rows of the database, and those that are done. */
  readonly rows: number;
  readonly done: number;
  readonly seconds: number;
}

type Role = 'start' | 'api' | 'worker';
/** Photos on their way at the same time. */
const IN_FLIGHT = 8;
const DISTINCT = 4;

/** Carries out the plan. Whatever was accepted must end, whoever was killed. */
export async function sendWhileKilling(plan: KillPlan): Promise<KillReport> {
  const { folder, databaseUrl, random, say = () => undefined } = plan;
  const startedAt = performance.now();
  const examples = await makeExamples(plan);
  const env = { DATA_DIR: folder, ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }) };
  if (databaseUrl === undefined) await prepareDatabase(folder);
  const roles: Role[] = plan.roles === 'apart' ? ['api', 'worker', 'worker'] : ['start'];
  const running: ServerProcess[] = [];
  for (const role of roles) running.push(await startServerProcess(role, env));
  const url = running[0]?.url ?? '';
  const client = createClient({ url });
  const ended: UpscaleState[] = [];
  const wrong: string[] = [];
  const kills: Record<string, number> = {};
  let killsDuringWork = 0;
  let accepted = 0;
  let over = false;

  async function killAtRandom(): Promise<void> {
    for (let i = 0; i < plan.kills && !over; i++) {
      await pause(300 + random() * 4000);
      const index = Math.floor(random() * roles.length);
      const role = roles[index] ?? 'start';
      if (accepted > ended.length) killsDuringWork++;
      await running[index]?.kill();
      kills[role] = (kills[role] ?? 0) + 1;
      const port = role === 'worker' ? '0' : new URL(url).port;
      running[index] = await startServerProcess(role, { ...env, PORT: port });
      say(`kill ${i + 1}: ${role}; ${ended.length} of ${plan.photos} done`);
    }
  }

  async function sendAll(): Promise<void> {
    const numbers = Array.from({ length: plan.photos }, (_, number) => number).values();
    await Promise.all(
      Array.from({ length: IN_FLIGHT }, async () => {
        for (const number of numbers) await sendOne(number);
      }),
    );
    over = true;
  }

  async function sendOne(number: number): Promise<void> {
    const example = examples[number % DISTINCT];
    if (example === undefined) throw new RangeError('no example');
    const wishes = { scale: 2, format: 'png', idempotencyKey: `photo ${number}` } as const;
    const { id } = await persistently(() => client.createUpscale(example.photo, wishes));
    accepted++;
    const end = await persistently(() => untilEnd(client, id));
    if (end.status === 'done') {
      const result = await persistently(async () => {
        const { body } = await client.getResult(id);
        return new Uint8Array(await new Response(body).arrayBuffer());
      });
      const picture = await decode(result, 'png', { maxPixels: 1e8 });
      const difference = largestDifference(picture, example.result);
      if (difference > 2) wrong.push(`${id}: differs by ${difference}`);
    }
    ended.push(end);
  }

  try {
    await Promise.all([killAtRandom(), sendAll()]);
  } finally {
    for (const server of running) await server.kill();
  }
  return {
    kills,
    killsDuringWork,
    ends: count(ended.map(({ status, error }) => error?.code ?? status)),
    wrong,
    ...(await countRows(env, folder)),
    seconds: Math.round((performance.now() - startedAt) / 1000),
  };
}

/** The photos, and what an engine that nobody disturbs makes of them. */
async function makeExamples({ photo: { width, height }, folder, random }: KillPlan) {
  const engine = await openEngine(
    readConfig({ DATA_DIR: folder, EXECUTION_PROVIDER: 'cpu', LOG_LEVEL: 'silent' }),
  );
  try {
    const examples: { photo: Uint8Array<ArrayBuffer>; result: Raster }[] = [];
    for (let i = 0; i < DISTINCT; i++) {
      const data = new Uint8Array(width * height * 3);
      const [dx, dy] = [5 + Math.floor(random() * 20), 5 + Math.floor(random() * 20)];
      for (let y = 0, at = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          const value = x % dx < 2 || y % dy < 2 ? 60 : 200;
          for (let c = 0; c < 3; c++, at++) data[at] = value;
        }
      }
      const photo = Uint8Array.from(await encode({ width, height, data }, 'png'));
      const { bytes } = await engine.upscaler.upscale({ bytes: photo, scale: 2, format: 'png' });
      examples.push({ photo, result: await decode(bytes, 'png', { maxPixels: 1e8 }) });
    }
    return examples;
  } finally {
    await engine.close();
  }
}

/** Asks again while nobody answers: with an idempotency key that is all a client has to do. */
async function persistently<T>(ask: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await ask();
    } catch (error) {
      // A connection that breaks within an answer is no AppError; a refusal is final unless it says otherwise.
      const final = error instanceof ApiProblem && !error.retryable;
      if (final || attempt > 600) throw error;
      await pause(100);
    }
  }
}

async function untilEnd(client: Client, id: string): Promise<UpscaleState> {
  for (;;) {
    const upscale = await client.getUpscale(id, { wait: 10 });
    if (upscale.finishedAt !== null) return upscale;
  }
}

async function countRows(
  env: Record<string, string>,
  folder: string,
): Promise<{ rows: number; done: number }> {
  const db = await openDatabase(readConfig(env, folder));
  try {
    const list = await db.query<{ status: string }>('select status from upscales');
    return { rows: list.length, done: list.filter(({ status }) => status === 'done').length };
  } finally {
    await db.close();
  }
}

function count(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}
