/**
 * A server that speaks the API's contract to the page under test, and misbehaves when told to. It enlarges without an
 * engine, so that tests of the page need no model, no database, and can hold a photo in any state for as long as they look.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';

const WEB = fileURLToPath(new URL('../../web/', import.meta.url));
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};
/** Stricter than the service's own: what passes here passes there. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; " +
  "base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
const STEP_MS = 40;
const FORMATS = ['jpeg', 'png', 'webp'] as const;
const LOOKS = ['natural', 'clean'] as const;

export interface StandInUpscale {
  readonly id: string;
  status: 'queued' | 'processing' | 'done' | 'failed' | 'cancelled';
  position: number | null;
  remainingSeconds: number | null;
  progress: number;
  scale: number | null;
  look: string;
  model: string | null;
  format: (typeof FORMATS)[number];
  input: { width: number | null; height: number | null; bytes: number; format: string };
  reducedTo: { width: number; height: number } | null;
  output: { width: number; height: number; bytes: number; format: string } | null;
  quality: { verdict: string; consistency: number } | null;
  error: { code: string; message: string } | null;
  createdAt: string;
  startedAt: string | null;
  finishedAt: string | null;
}

interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly title?: string;
  readonly detail?: string;
  readonly action?: string;
  readonly retryAfter?: number;
}

class Refused extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.code);
    this.refusal = refusal;
  }
}

/** A page's server for one test. */
export class StandIn {
  readonly upscales = new Map<string, StandInUpscale>();
  /** Keys of every POST that arrived whole, answered or not. */
  readonly keysSent: string[] = [];
  /** `by itself`: photos pass through all states; `by hand`: they move when `change` is called. */
  pace: 'by itself' | 'by hand' = 'by itself';
  eventsWork = true;
  /** Stores photos, but cuts the connection instead of answering. */
  cutsAnswers = false;
  apiKey: string | undefined;
  limits: Record<string, number> | undefined = { maxInputBytes: 2_000_000, retentionSeconds: 72 * 3600 };
  readonly #refusals: Refusal[] = [];
  readonly #idsByKey = new Map<string, string>();
  readonly #photos = new Map<string, Buffer>();
  readonly #results = new Map<string, Buffer>();
  readonly #waiting = new Set<() => void>();
  readonly #server = createServer((request, response) => void this.#answer(request, response));

  async listen(port = 0): Promise<string> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  /** As when the process ends. */
  cutConnections(): void {
    this.#server.closeAllConnections();
  }

  /** Refuses the next POST. */
  refuseNext(refusal: Refusal): void {
    this.#refusals.push(refusal);
  }

  /** Moves an upscale, and tells everybody who follows it. */
  change(id: string, news: Partial<StandInUpscale>): void {
    Object.assign(this.#find(id), news);
    for (const wake of this.#waiting) wake();
  }

  /** Enlarges the photo and ends its upscale as done. */
  async finish(id: string, quality = { verdict: 'accepted', consistency: 42 }): Promise<void> {
    const upscale = this.#find(id);
    const photo = this.#photos.get(id) as Buffer;
    const { width, height } = (await sharp(photo).metadata()) as { width: number; height: number };
    const scale = upscale.scale ?? 2;
    const result = await sharp(photo)
      .resize(width * scale, height * scale)
      .toFormat(upscale.format)
      .toBuffer();
    this.#results.set(id, result);
    const output = {
      width: width * scale,
      height: height * scale,
      bytes: result.length,
      format: upscale.format,
    };
    const finishedAt = new Date().toISOString();
    const ended = { position: null, remainingSeconds: null, progress: 1, finishedAt };
    this.change(id, { ...ended, status: 'done', scale, model: `boardsharp-x${scale}`, output, quality });
  }

  /** As after RETENTION: the row stays, the pictures do not. */
  erasePictures(id: string): void {
    this.#photos.delete(id);
    this.#results.delete(id);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.#route(request, response);
    } catch (error) {
      if (response.headersSent) return void response.destroy();
      const refusal: Refusal =
        error instanceof Refused ? error.refusal : { status: 500, code: 'INTERNAL', detail: String(error) };
      const { status, code, title = code, detail = code, action = code, retryAfter } = refusal;
      const headers: Record<string, string> = { 'Content-Type': 'application/problem+json' };
      if (retryAfter !== undefined) headers['Retry-After'] = String(retryAfter);
      const type = `urn:boardsharp:problem:${code}`;
      const body = { type, title, status, detail, code, action, requestId: 'request-1' };
      response.writeHead(status, headers).end(JSON.stringify(body));
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '' } = request;
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://stand-in');
    const [, id = '', part = ''] = /^\/v1\/upscales\/([\w-]+)(?:\/(\w+))?$/.exec(pathname) ?? [];
    if (pathname.startsWith('/v1/')) this.#checkKey(request);
    if (method === 'POST' && pathname === '/v1/upscales') return this.#accept(request, response);
    if (method === 'DELETE' && id !== '' && part === '') return this.#erase(id, response);
    if (method !== 'GET' && method !== 'HEAD') throw notFound(pathname);
    if (pathname === '/v1/limits' && this.limits !== undefined) return sendJson(response, 200, this.limits);
    if (id === '') return this.#sendFile(pathname, response);
    if (part === '') return this.#sendState(id, Number(searchParams.get('wait') ?? 0), response);
    if (part === 'events') return this.#sendEvents(id, response);
    if (part === 'original' || part === 'result') return this.#sendPicture(id, part, response);
    throw notFound(pathname);
  }

  #checkKey({ headers }: IncomingMessage): void {
    if (this.apiKey === undefined || headers.authorization === `Bearer ${this.apiKey}`) return;
    throw new Refused({ status: 401, code: 'UNAUTHORIZED' });
  }

  async #accept(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const key = request.headers['idempotency-key'];
    if (typeof key !== 'string' || key === '') throw invalid('the page sends a key with every photo');
    this.keysSent.push(key);
    const refusal = this.#refusals.shift();
    if (refusal !== undefined) throw new Refused(refusal);
    const type = request.headers['content-type'] ?? '';
    const form = await new Response(Buffer.concat(chunks), { headers: { 'Content-Type': type } }).formData();
    const id = this.#idsByKey.get(key) ?? (await this.#store(form));
    this.#idsByKey.set(key, id);
    if (this.cutsAnswers) return void request.socket.destroy();
    response.setHeader('Location', `/v1/upscales/${id}`);
    sendJson(response, 202, this.#find(id));
  }

  async #store(form: FormData): Promise<string> {
    const names = [...form.keys()];
    if (names.at(-1) !== 'image') throw invalid('the photo comes last');
    const strange = names.find((name) => !['scale', 'look', 'format', 'image'].includes(name));
    if (strange !== undefined) throw invalid(`unknown field ${strange}`);
    const scale = form.get('scale');
    if (scale !== null && scale !== '2' && scale !== '4') throw invalid('scale');
    const format = FORMATS.find((known) => known === form.get('format'));
    if (format === undefined) throw invalid('format');
    const look = LOOKS.find((known) => known === form.get('look'));
    if (look === undefined) throw invalid('look');
    const file = form.get('image');
    if (!(file instanceof Blob)) throw invalid('image is no file');
    const photo = Buffer.from(await file.arrayBuffer());
    const facts = await sharp(photo)
      .metadata()
      .catch(() => {
        throw new Refused({ status: 415, code: 'NOT_AN_IMAGE' });
      });
    const id = randomUUID();
    this.#photos.set(id, photo);
    const open = [...this.upscales.values()].filter(({ status }) => status === 'queued').length;
    this.upscales.set(id, {
      ...{ id, status: 'queued', position: open + 1, remainingSeconds: null, progress: 0 },
      ...{ scale: scale === null ? null : Number(scale), look, model: null, format },
      input: { width: facts.width, height: facts.height, bytes: photo.length, format: facts.format },
      ...{ reducedTo: null, output: null, quality: null, error: null },
      ...{ createdAt: new Date().toISOString(), startedAt: null, finishedAt: null },
    });
    if (this.pace === 'by itself') void this.#pass(id);
    return id;
  }

  async #pass(id: string): Promise<void> {
    for (const progress of [0.25, 0.5, 0.75]) {
      await new Promise((resolve) => setTimeout(resolve, STEP_MS));
      if (this.#find(id).status === 'cancelled') return;
      this.change(id, { status: 'processing', position: null, progress });
    }
    await this.finish(id);
  }

  #erase(id: string, response: ServerResponse): void {
    const upscale = this.#find(id);
    this.erasePictures(id);
    if (upscale.finishedAt === null) {
      this.change(id, { status: 'cancelled', position: null, finishedAt: new Date().toISOString() });
    }
    response.writeHead(204).end();
  }

  async #sendState(id: string, wait: number, response: ServerResponse): Promise<void> {
    const until = Date.now() + wait * 1000;
    while (this.#find(id).finishedAt === null && Date.now() < until) await this.#change(until - Date.now());
    sendJson(response, 200, this.#find(id));
  }

  async #sendEvents(id: string, response: ServerResponse): Promise<void> {
    this.#find(id);
    if (!this.eventsWork) throw notFound('events');
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    while (!response.destroyed) {
      const upscale = this.#find(id);
      response.write(`data: ${JSON.stringify(upscale)}\n\n`);
      if (upscale.finishedAt !== null) break;
      await this.#change(2000);
    }
    response.end();
  }

  #sendPicture(id: string, kind: 'original' | 'result', response: ServerResponse): void {
    const upscale = this.#find(id);
    const picture = (kind === 'original' ? this.#photos : this.#results).get(id);
    if (picture === undefined) throw new Refused({ status: 404, code: 'UPSCALE_NOT_FOUND' });
    const format = kind === 'original' ? upscale.input.format : upscale.format;
    const disposition = `inline; filename="${id}.${format}"`;
    response
      .writeHead(200, { 'Content-Type': `image/${format}`, 'Content-Disposition': disposition })
      .end(picture);
  }

  async #sendFile(pathname: string, response: ServerResponse): Promise<void> {
    const name = pathname === '/' ? 'index.html' : pathname.slice(1);
    if (!/^[\w-]+\.\w+$/.test(name)) throw notFound(pathname);
    const content = await readFile(join(WEB, name)).catch(() => {
      throw notFound(pathname);
    });
    const type = TYPES[extname(name)] ?? 'application/octet-stream';
    response.writeHead(200, { 'Content-Type': type, 'Content-Security-Policy': POLICY }).end(content);
  }

  #find(id: string): StandInUpscale {
    const upscale = this.upscales.get(id);
    if (upscale === undefined) throw new Refused({ status: 404, code: 'UPSCALE_NOT_FOUND' });
    return upscale;
  }

  /** Resolves at the next change of anything, or after `ms`. */
  #change(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.#waiting.add(wake);
    });
  }
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}

function notFound(what: string): Refused {
  return new Refused({ status: 404, code: 'NO_SUCH_PAGE', detail: what });
}

function invalid(detail: string): Refused {
  return new Refused({ status: 400, code: 'INVALID_REQUEST', detail });
}
