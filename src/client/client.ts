/** A typed client of the REST API, for front ends of ours and of others. Knows nothing but HTTP. */
import { AppError, ERROR_CATALOGUE, type ErrorCode } from '../errors.ts';
import type { Look, ResultFormat, Status } from '../job.ts';
import type { Secret } from '../secret.ts';

/** An upscale as the API answers it. A test holds it against the OpenAPI document. */
export interface UpscaleState {
  readonly id: string;
  readonly status: Status;
  readonly position: number | null;
  readonly remainingSeconds: number | null;
  readonly progress: number;
  readonly scale: 2 | 4 | null;
  readonly look: Look;
  readonly model: string | null;
  readonly format: ResultFormat;
  readonly input: { width: number | null; height: number | null; bytes: number; format: string };
  readonly reducedTo: { width: number; height: number } | null;
  readonly output: { width: number; height: number; bytes: number; format: string } | null;
  readonly quality: {
    verdict: 'accepted' | 'softened' | 'fallback';
    consistency: number;
    letterHeight?: number | null;
    tooSmall?: boolean;
  } | null;
  readonly error: { code: string; message: string } | null;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
}

export interface ModelState {
  readonly name: string;
  readonly summary: string;
  readonly scale: 2 | 4;
  readonly licence: string;
  readonly parameters: number | null;
  readonly isInstalled: boolean;
  readonly isDefault: boolean;
}

/** What the API takes in, and how long it keeps it. */
export interface Limits {
  readonly maxInputBytes: number;
  readonly maxInputPixels: number;
  readonly maxInputSide: number;
  readonly retentionSeconds: number;
}

/** What may be asked for with a photo; everything left out is chosen by the API. */
export interface UpscaleWishes {
  readonly scale?: 2 | 4;
  readonly look?: Look;
  readonly model?: string;
  readonly format?: ResultFormat;
}

export interface ClientOptions {
  /** Where the API listens, such as `http://127.0.0.1:8080`. */
  readonly url: string;
  readonly key?: Secret | undefined;
  /** The user to act for, `telegram:<id>`. */
  readonly user?: string;
  readonly fetch?: typeof fetch;
}

/** One call's circumstances. */
export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Follows the request through the logs. */
  readonly requestId?: string;
}

export interface Picture {
  readonly body: ReadableStream<Uint8Array>;
  readonly bytes: number;
  readonly type: string;
  readonly name: string;
}

/** What a picture must keep to; a larger one comes as a JPEG that does. */
export interface Room {
  readonly maxBytes?: number;
  /** Pixels. */
  readonly maxSide?: number;
  /** Pixels of width and height together. */
  readonly maxSideSum?: number;
}

export interface Client {
  /** The same `idempotencyKey` gives the same upscale: a call that got no answer may be repeated with it. */
  createUpscale(
    photo: Uint8Array<ArrayBuffer> | Blob,
    options?: UpscaleWishes & CallOptions & { idempotencyKey?: string },
  ): Promise<UpscaleState>;
  /** @param options `wait`: seconds to wait for its end, 60 at most */
  getUpscale(id: string, options?: CallOptions & { wait?: number }): Promise<UpscaleState>;
  /** Yields every change until the end. */
  followUpscale(id: string, options?: CallOptions): AsyncGenerator<UpscaleState>;
  getOriginal(id: string, options?: CallOptions & Room): Promise<Picture>;
  getResult(id: string, options?: CallOptions & Room): Promise<Picture>;
  deleteUpscale(id: string, options?: CallOptions): Promise<void>;
  listModels(options?: CallOptions): Promise<ModelState[]>;
  getLimits(options?: CallOptions): Promise<Limits>;
}

/** A refusal by the API, under the code it gave. */
export class ApiProblem extends AppError {
  /** From Retry-After: when the same call may succeed. */
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, detail: string, options: { action?: string; retryAfterSeconds?: number }) {
    super(code, detail, options.action === undefined ? {} : { action: options.action });
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/** One HTTP request to the API. Throws what `createClient` says. */
export type Caller = (path: string, options: CallOptions, init?: RequestInit) => Promise<Response>;

/** Sends requests with the key and for the user of the options. */
export function createCaller({ url, key, user, fetch = globalThis.fetch }: ClientOptions): Caller {
  return async (path, { signal, requestId }, init = {}) => {
    const headers = new Headers(init.headers);
    if (key !== undefined) headers.set('Authorization', `Bearer ${key.reveal()}`);
    if (user !== undefined) headers.set('Boardsharp-User', user);
    if (requestId !== undefined) headers.set('X-Request-Id', requestId);
    let response: Response;
    try {
      response = await fetch(new URL(path, url), { ...init, headers, ...(signal ? { signal } : {}) });
    } catch (cause) {
      // The cause's own words may hold the address with a password in it: only its code is told.
      if (signal?.aborted) throw cause;
      const { code = 'no answer' } = ((cause as Error).cause ?? {}) as { code?: string };
      throw new AppError('API_UNREACHABLE', code, { cause });
    }
    if (response.ok) return response;
    throw await toProblem(response);
  };
}

/**
 * Every call throws `ApiProblem` for a refusal, and AppError API_UNREACHABLE where there was no answer of the API's.
 */
export function createClient(options: ClientOptions): Client {
  const call = createCaller(options);

  async function json<T>(response: Promise<Response>): Promise<T> {
    return (await (await response).json()) as T;
  }

  async function getPicture(
    path: string,
    { signal, requestId, ...room }: CallOptions & Room,
  ): Promise<Picture> {
    const query = new URLSearchParams(
      Object.entries(room).map(([name, value]): [string, string] => [name, String(value)]),
    );
    const { headers, body } = await call(`${path}?${query}`, callOptions(signal, requestId));
    if (body === null) throw new AppError('API_UNREACHABLE', 'the answer has no body');
    const [, name = 'picture'] = /filename="([^"]+)"/.exec(headers.get('Content-Disposition') ?? '') ?? [];
    const type = headers.get('Content-Type') ?? 'application/octet-stream';
    return { body, bytes: Number(headers.get('Content-Length')), type, name };
  }

  return {
    createUpscale(photo, { idempotencyKey, signal, requestId, ...wishes } = {}) {
      const query = new URLSearchParams();
      for (const [name, value] of Object.entries(wishes)) query.set(name, String(value));
      const headers: Record<string, string> = { 'Content-Type': 'application/octet-stream' };
      if (idempotencyKey !== undefined) headers['Idempotency-Key'] = idempotencyKey;
      const init = { method: 'POST', headers, body: photo };
      return json(call(`/v1/upscales?${query}`, callOptions(signal, requestId), init));
    },
    getUpscale(id, { wait, ...options } = {}) {
      return json(call(`${pathOf(id)}${wait === undefined ? '' : `?wait=${wait}`}`, options));
    },
    async *followUpscale(id, options = {}) {
      const { body } = await call(`${pathOf(id)}/events`, options);
      if (body === null) return;
      let rest = '';
      for await (const text of body.pipeThrough(new TextDecoderStream())) {
        const events = (rest + text).split('\n\n');
        rest = events.pop() ?? '';
        for (const event of events) {
          if (event.startsWith('data: ')) yield JSON.parse(event.slice('data: '.length)) as UpscaleState;
        }
      }
    },
    getOriginal: (id, options = {}) => getPicture(`${pathOf(id)}/original`, options),
    getResult: (id, options = {}) => getPicture(`${pathOf(id)}/result`, options),
    async deleteUpscale(id, options = {}) {
      await call(pathOf(id), options, { method: 'DELETE' });
    },
    async listModels(options = {}) {
      return (await json<{ models: ModelState[] }>(call('/v1/models', options))).models;
    },
    getLimits: (options = {}) => json(call('/v1/limits', options)),
  };
}

function pathOf(id: string): string {
  return `/v1/upscales/${encodeURIComponent(id)}`;
}

function callOptions(signal: AbortSignal | undefined, requestId: string | undefined): CallOptions {
  return { ...(signal ? { signal } : {}), ...(requestId === undefined ? {} : { requestId }) };
}

async function toProblem(response: Response): Promise<AppError> {
  const { status, headers } = response;
  let sent: { code?: string; detail?: string; action?: string } = {};
  try {
    sent = (await response.json()) as typeof sent;
  } catch {
    // Not the API's own answer: a proxy in between has spoken.
  }
  const { code, detail = `status ${status}`, action } = sent;
  if (code === undefined || !Object.hasOwn(ERROR_CATALOGUE, code)) {
    return new AppError('API_UNREACHABLE', code === undefined ? `status ${status}` : `${code}: ${detail}`);
  }
  const seconds = Number(headers.get('Retry-After') ?? Number.NaN);
  return new ApiProblem(code as ErrorCode, detail, {
    ...(action === undefined ? {} : { action }),
    ...(Number.isFinite(seconds) ? { retryAfterSeconds: seconds } : {}),
  });
}
