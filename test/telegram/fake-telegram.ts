/** A strict stand-in for Telegram's Bot API server, over HTTP on loopback: the one thing that tests cannot have really. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { badRequest, createState, type State, TelegramError } from './chats.ts';
import { FILE_LINK_MS, rateComplaints, type Sending } from './limits.ts';
import { createMethodCheck, type MethodCheck } from './method-check.ts';
import { METHODS } from './methods.ts';
import { readBody, type Sent } from './multipart.ts';
import { createPeople, type People } from './people.ts';
import { createUpdateQueue, type UpdateQueue } from './updates.ts';

/** What goes wrong with the next requests of a method. */
export interface Fault {
  /** Empty: any method but getUpdates. */
  readonly method?: string;
  /** How often; empty: once. */
  readonly times?: number;
  /** Of a hundred requests that could meet it; empty: all. */
  readonly percent?: number;
  /**
   * `lost`: it is done, and the connection breaks before the answer. `cut`: the connection breaks before it is done.
   * `html`: a proxy answers 502. Else Telegram refuses with this code.
   */
  readonly kind: 'lost' | 'cut' | 'html' | number;
  readonly description?: string;
  readonly retryAfter?: number;
  readonly delayMs?: number;
}

/** One request as it came. */
export interface Call {
  readonly method: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly error: string | undefined;
  /** When it came, in milliseconds of `performance.now()`. */
  readonly at: number;
  /** The answer did not arrive: a fault had it lost, or whoever asked was gone. */
  readonly lost: boolean;
  /** Messages that it put into a chat. */
  readonly messageIds: readonly number[];
}

export interface FakeTelegram extends People {
  /** For TELEGRAM_API_ROOT. */
  readonly url: string;
  readonly token: string;
  readonly state: State;
  readonly updates: UpdateQueue;
  /** Everything the bot asked for, but getUpdates. */
  readonly calls: readonly Call[];
  fail(fault: Fault): void;
  /** Takes back all faults. */
  heal(): void;
  /** The bot that was told to wait is no more: its successor knows nothing of it. */
  forgetPauses(): void;
  /** Requests that Telegram does not understand, limits that were passed in silence, rates that were broken. */
  complaints(): string[];
  close(): Promise<void>;
}

/** Any token will do for a server of ours, but it must look like one. Put together here: scanners look for whole ones. */
export const FAKE_TOKEN = ['4242424242', 'AAFakeFakeFakeFakeFakeFakeFakeFakeFak'].join(':');

let shared: MethodCheck | undefined;

/** Starts it on loopback. @param options `port`: 0 or empty for any free one; `random` decides about faults in percent, `now` says how old things are, `behind` where a webhook's
 * address leads to */
export async function startFakeTelegram({
  host = '127.0.0.1',
  port = 0,
  token = FAKE_TOKEN,
  random = Math.random,
  now = Date.now,
  behind = (url) => url,
  onTheWayMs = 0,
}: {
  host?: string;
  port?: number;
  token?: string;
  random?: () => number;
  now?: () => number;
  behind?: (url: string) => string;
  /** A message that comes so soon after a 429 had been sent before its answer arrived. */
  onTheWayMs?: number;
} = {}): Promise<FakeTelegram> {
  shared ??= createMethodCheck();
  const check = shared;
  const state = createState(now);
  const updates = createUpdateQueue(state, behind);
  const calls: Call[] = [];
  const sendings: Sending[] = [];
  const complaints: string[] = [];
  let faults: (Fault & { left: number })[] = [];
  /** Until when a chat is to be left alone, by order of a 429. */
  const pauses = new Map<unknown, { readonly from: number; readonly until: number }>();
  const server = createServer((request, response) => {
    void answer(request, response).catch((error: unknown) => {
      complaints.push(`the fake itself failed: ${(error as Error).stack}`);
      response.destroy();
    });
  });
  server.keepAliveTimeout = 60_000;
  const { promise: listening, resolve } = Promise.withResolvers<void>();
  server.listen(port, host, resolve);
  await listening;
  const url = `http://${host}:${(server.address() as AddressInfo).port}`;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const address = new URL(request.url ?? '/', url);
    const [, kind, sentToken, rest = ''] = /^\/(file\/bot|bot)([^/]+)\/(.+)$/.exec(address.pathname) ?? [];
    if (kind === undefined)
      return send(response, 404, { ok: false, error_code: 404, description: 'Not Found' });
    if (sentToken !== token) {
      return send(response, 401, { ok: false, error_code: 401, description: 'Unauthorized' });
    }
    if (kind === 'file/bot') return sendFile(request, response, rest);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const method = Object.keys({ ...METHODS, ...updates.methods }).find(
      (name) => name.toLowerCase() === rest.toLowerCase(),
    );
    const body = Buffer.concat(chunks);
    await answerMethod(
      method ?? rest,
      request,
      response,
      readBody(request.headers['content-type'] ?? '', body, address.searchParams),
    );
  }

  async function answerMethod(
    method: string,
    request: IncomingMessage,
    response: ServerResponse,
    sent: Sent,
  ): Promise<void> {
    const at = performance.now();
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    const fault = pickFault(method);
    const chatId = String(sent.parameters.get('chat_id'));
    const isMessage = /^(send(?!ChatAction)|edit)/.test(method);
    const paused = pauses.get(chatId);
    if (isMessage && paused !== undefined && at > paused.from && at < paused.until) {
      complaints.push(`${method}: to ${chatId} before its 429 is over`);
    }
    if (fault?.delayMs !== undefined) await new Promise((done) => setTimeout(done, fault.delayMs));
    if (fault?.kind === 'cut') return void request.socket.destroy();
    if (fault?.kind === 'html') {
      return void response.writeHead(502, { 'Content-Type': 'text/html' }).end('<h1>Bad Gateway</h1>');
    }
    let parameters: Record<string, unknown> = {};
    let error: TelegramError | undefined;
    let result: unknown;
    try {
      if (typeof fault?.kind === 'number') throw faultError(fault, fault.kind);
      const run = updates.methods[method] ?? METHODS[method];
      if (run === undefined) throw new TelegramError(404, 'Not Found: method not found');
      parameters = understand(method, sent);
      const complain = (complaint: string) => void complaints.push(`${method}: ${complaint}`);
      result = await run({ state, parameters, files: sent.files, sendings, complain, signal: gone.signal });
    } catch (thrown) {
      if (!(thrown instanceof TelegramError)) throw thrown;
      error = thrown;
    }
    const lost = fault?.kind === 'lost';
    const messageIds = error === undefined && method.startsWith('send') ? idsOf(result) : [];
    const call = { method, parameters, error: error?.message, at, lost, messageIds };
    if (method !== 'getUpdates') calls.push(call);
    response.once('close', () => {
      call.lost = !response.writableFinished;
    });
    if (lost) return void request.socket.destroy();
    if (error === undefined) return send(response, 200, { ok: true, result });
    const { code, message, parameters: more } = error;
    if (isMessage && fault?.retryAfter !== undefined) {
      pauses.set(chatId, { from: performance.now() + onTheWayMs, until: at + 1000 * fault.retryAfter });
    }
    send(response, code, {
      ...{ ok: false, error_code: code, description: message },
      ...(more === undefined ? {} : { parameters: more }),
    });
  }

  /** The parameters as values, with every file in its place; what does not fit the types is a complaint and a 400. */
  function understand(method: string, { parameters, files }: Sent): Record<string, unknown> {
    const used = new Set<string>();
    const place = (value: unknown): unknown => {
      if (typeof value === 'string' && value.startsWith('attach://')) {
        const name = value.slice('attach://'.length);
        used.add(name);
        return { __file: name };
      }
      if (Array.isArray(value)) return value.map(place);
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, place(entry)]));
    };
    const values: Record<string, unknown> = {};
    for (const [name, value] of parameters) {
      const asItIs = { ...values, [name]: place(value) };
      const parsed = typeof value === 'string' ? parse(value) : undefined;
      // A form has text alone: a number or a list in it is read as what the method takes.
      const fits = check(method, asItIs).every((complaint) => !complaint.startsWith(`${method}.${name}`));
      values[name] = fits || parsed === undefined ? place(value) : place(parsed);
    }
    for (const name of files.keys()) {
      if (!used.has(name)) complaints.push(`${method}: the file ${name} is referred to nowhere`);
    }
    const wrong = check(method, values);
    if (wrong.length > 0) {
      complaints.push(...wrong);
      throw badRequest(`wrong parameters: ${wrong.join(', ')}`);
    }
    return values;
  }

  function pickFault(method: string): Fault | undefined {
    const found = faults.find(
      (fault) =>
        fault.left > 0 &&
        (fault.method === undefined ? method !== 'getUpdates' : fault.method === method) &&
        100 * random() < (fault.percent ?? 100),
    );
    if (found !== undefined) found.left--;
    return found;
  }

  function sendFile(request: IncomingMessage, response: ServerResponse, path: string): void {
    request.resume();
    const fault = pickFault('file');
    if (fault?.kind === 'cut' || fault?.kind === 'lost') return void request.socket.destroy();
    const file = [...state.files.values()].find((known) => known.path === path);
    const isOld = now() - (state.issued.get(path) ?? 0) > FILE_LINK_MS;
    if (file === undefined || isOld || typeof fault?.kind === 'number') {
      const code = typeof fault?.kind === 'number' ? fault.kind : 404;
      send(response, code, { ok: false, error_code: code, description: 'Not Found' });
      return;
    }
    response.writeHead(200, { 'Content-Length': file.bytes.length }).end(file.bytes);
  }

  return {
    url,
    token,
    state,
    updates,
    calls,
    ...createPeople(state, updates),
    fail: (fault) => void faults.push({ ...fault, left: fault.times ?? 1 }),
    heal() {
      faults = [];
    },
    forgetPauses: () => pauses.clear(),
    complaints: () => [...complaints, ...rateComplaints(sendings)],
    async close() {
      updates.close();
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

function faultError({ description, retryAfter }: Fault, code: number): TelegramError {
  if (retryAfter === undefined) return new TelegramError(code, description ?? 'Internal Server Error');
  return new TelegramError(code, `Too Many Requests: retry after ${retryAfter}`, { retry_after: retryAfter });
}

function idsOf(result: unknown): number[] {
  return [result].flat().flatMap((message) => (message as { message_id?: number }).message_id ?? []);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function send(response: ServerResponse, status: number, content: unknown): void {
  if (response.destroyed) return;
  const { parameters } = content as { parameters?: { retry_after?: number } };
  const headers =
    parameters?.retry_after === undefined ? {} : { 'Retry-After': String(parameters.retry_after) };
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify(content));
}
