/** Puts many clients on a started server at once and says what held: `npm run load -- --help`. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { type Client, createClient, type UpscaleState } from '../src/client/client.ts';
import { encode } from '../src/engine/image-codec.ts';
import { createPostgresDatabase } from '../test/helpers/database.ts';
import { drawBoard } from '../test/helpers/pictures.ts';
import { startServerProcess } from '../test/helpers/server-process.ts';
import type { ProbeReport } from './load-probe.ts';

const HELP = `npm run load [-- options]: clients × photos against a server started for it on loopback

  --clients 40     clients at once
  --photos 5       photos of each
  --width 400 --height 300
  --roles together one process, embedded; or apart: api and worker on PostgreSQL (scripts/with-postgres.sh npm run load …)
  --small 20       64×64 photos, one after the other, for the overhead of the service
  --minutes 15     give up after that
`;

const { values } = parseArgs({
  options: {
    clients: { type: 'string', default: '40' },
    photos: { type: 'string', default: '5' },
    width: { type: 'string', default: '400' },
    height: { type: 'string', default: '300' },
    roles: { type: 'string', default: 'together' },
    small: { type: 'string', default: '20' },
    minutes: { type: 'string', default: '15' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}

const LIVE_EVERY_MS = 50;
const clients = Number(values.clients);
const each = Number(values.photos);
const deadline = AbortSignal.timeout(Number(values.minutes) * 60_000);
const folder = mkdtempSync(join(tmpdir(), 'boardsharp-load-'));
const database = values.roles === 'apart' ? await createPostgresDatabase() : undefined;
const settings = { DATA_DIR: folder, ...(database === undefined ? {} : { DATABASE_URL: database.url }) };
// Its memory is what is watched: apart, that of the API alone.
const server = await startServerProcess(database === undefined ? 'start' : 'api', settings);
const worker = database === undefined ? undefined : await startServerProcess('worker', settings);
const client = createClient({ url: server.url });
let failed = false;
try {
  await measureOverhead();
  await measureLoad();
} finally {
  const stoppedAt = performance.now();
  const exitCode = await server.stop();
  await worker?.stop();
  await database?.remove();
  say(`stopped in ${((performance.now() - stoppedAt) / 1000).toFixed(1)} s with exit code ${exitCode}`);
  if (server.log() !== '') say(`log of the server:\n${server.log().slice(0, 2000)}`);
  rmSync(folder, { recursive: true, force: true });
}
process.exit(failed ? 1 : 0);

/** From POST to done, for photos so small that the engine's own part is next to nothing. */
async function measureOverhead(): Promise<void> {
  const photo = await photoOf(64, 64, 1);
  const whole: number[] = [];
  const outside: number[] = [];
  for (let i = 0; i <= Number(values.small); i++) {
    const sentAt = performance.now();
    const { id } = await client.createUpscale(photo, { scale: 2 });
    const answeredAt = performance.now();
    const end = await untilEnd(client, id);
    const ms = performance.now() - sentAt;
    if (i === 0) continue;
    whole.push(ms);
    outside.push(answeredAt - sentAt);
    check(end.status === 'done', `a 64×64 photo ended as ${end.status}`);
  }
  say(`64×64, POST to done: median ${median(whole)} ms, of which the POST ${median(outside)} ms`);
  const working = await histogramMean('boardsharp_processing_seconds');
  say(`64×64, start to end of the work as the worker saw it: mean ${working} ms`);
}

async function measureLoad(): Promise<void> {
  const photos: Uint8Array<ArrayBuffer>[] = [];
  for (let i = 0; i < clients * each; i++)
    photos.push(await photoOf(Number(values.width), Number(values.height), i));
  const memory: number[] = [];
  const watching = new AbortController();
  const watched = watchMemory(memory, watching.signal);
  const probe = new Worker(new URL('./load-probe.ts', import.meta.url), {
    workerData: { url: server.url, everyMs: LIVE_EVERY_MS },
  });
  const startedAt = performance.now();
  const runs = Array.from({ length: clients }, (_, number) => runClient(number, photos));
  const ends = (await Promise.all(runs)).flat();
  const seconds = (performance.now() - startedAt) / 1000;
  watching.abort();
  await watched;
  probe.postMessage('end');
  const [{ answersMs, failures }] = (await once(probe, 'message')) as [ProbeReport];

  const ids = new Set(ends.map(({ id }) => id));
  const done = ends.filter(({ status }) => status === 'done').length;
  const half = memory.slice(Math.floor(memory.length / 2));
  const p99 = percentile(answersMs, 0.99);
  say(`${clients} clients × ${each} photos of ${values.width}×${values.height} in ${seconds.toFixed(1)} s`);
  say(`done ${done} of ${ends.length}, ${ids.size} different ones, verdicts ${tally(ends)}`);
  say(
    `/health/live: ${answersMs.length} answers, median ${median(answersMs)} ms, p99 ${p99} ms, ` +
      `most ${percentile(answersMs, 1)} ms, ${failures} failed`,
  );
  say(
    `memory of the ${worker === undefined ? 'process' : 'API'}, MB: at first ${memory[0]}, most ${Math.max(...memory)}, ` +
      `second half ${Math.min(...half)}–${Math.max(...half)}`,
  );
  say(`load of the machine: ${loadavg()[0]?.toFixed(1)} on ${availableParallelism()} cores`);
  check(done === clients * each, 'not every photo ended done');
  check(ids.size === clients * each, 'photos were lost or came twice');
  check(failures === 0, '/health/live failed');
  check(p99 <= 100, '/health/live took longer than 100 ms');
}

/** One client: all photos at once, each followed to its end and fetched. */
async function runClient(
  number: number,
  photos: readonly Uint8Array<ArrayBuffer>[],
): Promise<UpscaleState[]> {
  const sends = Array.from({ length: each }, async (_, photo) => {
    const bytes = photos[number * each + photo] ?? new Uint8Array();
    const { id } = await client.createUpscale(bytes, { idempotencyKey: `${number}-${photo}` });
    const again = await client.createUpscale(bytes, { idempotencyKey: `${number}-${photo}` });
    check(again.id === id, 'the same key gave another upscale');
    const end = await untilEnd(client, id);
    if (end.status === 'done') {
      const { bytes: size, body } = await client.getResult(id, { signal: deadline });
      const fetched = (await new Response(body).arrayBuffer()).byteLength;
      check(fetched === size && size === end.output?.bytes, 'a result has the wrong length');
    }
    return end;
  });
  return Promise.all(sends);
}

async function untilEnd(client: Client, id: string): Promise<UpscaleState> {
  for (;;) {
    const upscale = await client.getUpscale(id, { wait: 30, signal: deadline });
    if (upscale.finishedAt !== null) return upscale;
  }
}

async function watchMemory(memory: number[], signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const text = await (await fetch(`${server.url}/metrics`)).text();
    const [, bytes] = /^boardsharp_process_resident_memory_bytes (\S+)$/m.exec(text) ?? [];
    memory.push(Math.round(Number(bytes) / 1e6));
    await pause(1000);
  }
}

async function histogramMean(name: string): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  const read = (suffix: string) => Number(new RegExp(`^${name}_${suffix} (\\S+)$`, 'm').exec(text)?.[1]);
  return Math.round((read('sum') / read('count')) * 1000);
}

async function photoOf(width: number, height: number, seed: number): Promise<Uint8Array<ArrayBuffer>> {
  let state = seed + 1;
  const random = () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state / 0x80000000;
  };
  return Uint8Array.from(await encode(drawBoard(width, height, random), 'jpeg'));
}

function tally(ends: readonly UpscaleState[]): string {
  const counts = Object.groupBy(ends, ({ quality, error }) => quality?.verdict ?? error?.code ?? 'none');
  return Object.entries(counts)
    .map(([name, list]) => `${name} ${list?.length}`)
    .join(', ');
}

function percentile(list: readonly number[], share: number): number {
  const sorted = list.toSorted((a, b) => a - b);
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN);
}

function median(list: readonly number[]): number {
  return percentile(list, 0.5);
}

function check(held: boolean, complaint: string): void {
  if (held) return;
  failed = true;
  say(`WRONG: ${complaint}`);
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
