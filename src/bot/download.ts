/** Fetches a photo from Telegram. The file's address holds the token: it stays in here. */
import { readFile, stat } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { AppError } from '../errors.ts';
import { redactTokens } from '../secret.ts';
import { type Desk, maxBytesOf } from './desk.ts';
import { understandRefusal } from './telegram-errors.ts';

/** A network may be slow; one that brings nothing for so long is broken. */
const SILENT_MS = 45_000;
/** A Telegram that is away comes back; a file that does not come for so long is given up. */
const PATIENCE_MS = 600_000;
const LONGEST_PAUSE_MS = 30_000;

/**
 * The bytes of a file.
 * @throws AppError TOO_MANY_BYTES; DOWNLOAD_FAILED where Telegram refuses it, or did not give it for long. When the bot
 *   stops meanwhile, whatever was wrong last: the photo comes again with its update
 */
export async function download(desk: Desk, fileId: string): Promise<Uint8Array<ArrayBuffer>> {
  const until = performance.now() + PATIENCE_MS;
  let brokenMs = 1000;
  for (;;) {
    try {
      return await fetchOnce(desk, fileId);
    } catch (error) {
      if (error instanceof AppError) throw error;
      const refusal = understandRefusal(error);
      const description = (error as Error).message;
      if (/file is too big/.test(description)) throw tooMany(desk);
      if (desk.stopping.aborted) throw error;
      const isFinal = refusal.kind !== 'later' && !(error instanceof BrokenDownload);
      if (isFinal || performance.now() > until) {
        throw new AppError('DOWNLOAD_FAILED', redactTokens(description));
      }
      const ms = refusal.kind === 'later' ? 1000 * refusal.afterSeconds : brokenMs;
      if (refusal.kind !== 'later') brokenMs = Math.min(LONGEST_PAUSE_MS, 2 * brokenMs);
      await pause(ms, undefined, { signal: desk.stopping }).catch(() => undefined);
    }
  }
}

/** The connection broke, or what came was not the file: it may come whole the next time. */
class BrokenDownload extends Error {
  constructor(message: string) {
    super(redactTokens(message));
  }
}

async function fetchOnce(desk: Desk, fileId: string): Promise<Uint8Array<ArrayBuffer>> {
  const { api, fetch, apiRoot, token } = desk;
  const { file_path: path, file_size: size = 0 } = await api.getFile(fileId);
  if (size > maxBytesOf(desk)) throw tooMany(desk);
  if (path === undefined) throw new AppError('DOWNLOAD_FAILED', 'Telegram named no path');
  // A server of one's own, run with --local, names a file on this machine.
  if (isAbsolute(path)) return readLocal(desk, path);
  const silent = new AbortController();
  const timer = setTimeout(() => silent.abort(), SILENT_MS);
  try {
    const address = `${apiRoot}/file/bot${token.reveal()}/${path}`;
    const response = await fetch(address, { signal: silent.signal });
    return await readAll(desk, response, { size, heard: () => timer.refresh() });
  } catch (error) {
    throw error instanceof AppError ? error : new BrokenDownload((error as Error).message);
  } finally {
    clearTimeout(timer);
  }
}

async function readAll(
  desk: Desk,
  response: Response,
  { size, heard }: { size: number; heard: () => void },
): Promise<Uint8Array<ArrayBuffer>> {
  // Also a path that is no longer valid: the next attempt asks for another.
  if (!response.ok) throw new BrokenDownload(`status ${response.status}`);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    heard();
    bytes += chunk.length;
    if (bytes > maxBytesOf(desk)) throw tooMany(desk);
    chunks.push(chunk);
  }
  if (size > 0 && bytes !== size) throw new BrokenDownload(`${bytes} of ${size} bytes came`);
  return new Uint8Array(Buffer.concat(chunks));
}

async function readLocal(desk: Desk, path: string): Promise<Uint8Array<ArrayBuffer>> {
  const { size } = await stat(path);
  if (size > maxBytesOf(desk)) throw tooMany(desk);
  return new Uint8Array(await readFile(path));
}

function tooMany(desk: Desk): AppError {
  return new AppError('TOO_MANY_BYTES', `the limit is ${maxBytesOf(desk)}`);
}
