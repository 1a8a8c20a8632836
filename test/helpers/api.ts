/** The real service for tests, asked over HTTP: embedded, in this process, on a free port, closed with the test. */
import type { TestContext } from 'node:test';
import { openService } from '../../src/app.ts';
import type { Roles } from '../../src/cli/command.ts';
import { type Client, createClient, type UpscaleState } from '../../src/client/client.ts';
import { readConfig } from '../../src/config.ts';
import { encode } from '../../src/engine/image-codec.ts';
import { prepareDatabase } from './data-folder.ts';
import { temporaryFolder } from './engine.ts';
import { drawBoard, drawNoise } from './pictures.ts';

export interface TestService {
  readonly url: string;
  readonly client: Client;
  /** Where its files are. */
  readonly folder: string;
  close(): Promise<void>;
}

/** Photos are accepted and stay queued: nobody works on them. */
export const API_ONLY: Roles = { api: true, worker: false };

/** Opens it with an empty data folder; `settings` are environment variables. */
export async function openTestService(
  t: TestContext,
  settings: Record<string, string> = {},
  roles: Roles = { api: true, worker: true },
): Promise<TestService> {
  const folder = temporaryFolder(t);
  await prepareDatabase(folder);
  const preset = { DATA_DIR: folder, EXECUTION_PROVIDER: 'cpu', LOG_LEVEL: 'silent', PORT: '0' };
  const service = await openService(readConfig({ ...preset, ...settings }), roles);
  t.after(() => service.close());
  const url = service.url ?? '';
  return { url, client: createClient({ url }), folder, close: () => service.close() };
}

/** A small photo of a board as a file. */
export async function photo(
  width = 48,
  height = 36,
  format: 'jpeg' | 'png' | 'webp' = 'jpeg',
): Promise<Uint8Array<ArrayBuffer>> {
  return Uint8Array.from(await encode(drawBoard(width, height), format));
}

/** A file of many bytes, or of many pixels in few bytes. */
export async function largePhoto(kind: 'bytes' | 'pixels'): Promise<Uint8Array<ArrayBuffer>> {
  let state = 1;
  const random = () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  const white = { width: 300, height: 200, data: new Uint8Array(300 * 200 * 3).fill(255) };
  return Uint8Array.from(await encode(kind === 'bytes' ? drawNoise(100, 100, random) : white, 'png'));
}

/** Waits for the end of an upscale, through the API. */
export async function untilEnd(client: Client, id: string): Promise<UpscaleState> {
  for (;;) {
    const upscale = await client.getUpscale(id, { wait: 20 });
    if (upscale.finishedAt !== null) return upscale;
  }
}

/** Everything a generator yields. */
export async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of source) list.push(item);
  return list;
}
