/** The page's only way to the server: the REST API, with the key where one is asked for, and every failure as a `Problem`. */
import { recall, remember } from './memory.js';

const API_KEY = 'boardsharp.key';
/** An upload that moves no byte for this long has lost its connection without being told. */
const STALLED_MS = 60_000;

/**
 * @typedef {{ width: number | null, height: number | null, bytes: number, format: string }} Picture
 * @typedef {{
 *   id: string, status: 'queued' | 'processing' | 'done' | 'failed' | 'cancelled',
 *   position: number | null, remainingSeconds?: number | null, progress: number, scale: number | null, format: string,
 *   input: Picture, reducedTo?: { width: number, height: number } | null,
 *   output: { width: number, height: number, bytes: number, format: string } | null,
 *   quality: { verdict: 'accepted' | 'softened' | 'fallback' } | null,
 *   error: { code: string, message: string } | null
 * }} Upscale
 */

/** What went wrong, as the server told it or as the page noticed. */
export class Problem extends Error {
  /** @param {{ code: string, title?: string, detail?: string, action?: string, status?: number, requestId?: string, retryAfter?: number | undefined, limits?: { size: number, limit: number } | undefined }} facts */
  constructor({
    code,
    title = '',
    detail = '',
    action = '',
    status = 0,
    requestId = '',
    retryAfter,
    limits,
  }) {
    super(title || code);
    this.name = 'Problem';
    this.code = code;
    this.title = title;
    this.detail = detail;
    this.action = action;
    this.status = status;
    this.requestId = requestId;
    /** Seconds the server asks to wait. */
    this.retryAfter = retryAfter;
    /** Bytes of the file and of the largest one that is taken, where that is known. */
    this.limits = limits;
  }

  /** The same trouble in other words: what it means for what was being done. @param {string} code */
  as(code) {
    return this.retryable ? new Problem({ ...this, title: '', code }) : this;
  }

  /** Whether the same request may succeed later. */
  get retryable() {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

/** Asks the user for a key after one was missing or wrong; null when the user will not. @type {(wasWrong: boolean) => Promise<string | null>} */
let askKey = async () => null;
/** Several requests refused at once ask once. @type {Promise<string | null> | undefined} */
let asking;

/** @param {typeof askKey} ask */
export function onKeyNeeded(ask) {
  askKey = ask;
}

/** Whether requests carry a key, which images, links and event sources of the browser cannot. */
export function hasKey() {
  return recall(API_KEY) !== null;
}

/**
 * @param {string} path
 * @param {{ method?: string, signal?: AbortSignal, headers?: Record<string, string>, body?: string, isQuiet?: boolean }} [options] `isQuiet`: the user is not asked for a key
 * @returns {Promise<Response>} a successful one
 */
export async function request(path, { isQuiet = false, ...options } = {}) {
  for (;;) {
    const key = recall(API_KEY);
    const response = await fetchOnce(path, key, options);
    if (response.ok) return response;
    const problem = await readProblem(response);
    if (response.status !== 401 || isQuiet || !(await getKey(key))) throw problem;
  }
}

/** @param {string} id @param {{ wait?: number, signal?: AbortSignal }} [options] @returns {Promise<Upscale>} */
export async function getUpscale(id, { wait, ...options } = {}) {
  const query = wait === undefined ? '' : `?wait=${wait}`;
  const response = await request(`v1/upscales/${id}${query}`, options);
  return response.json();
}

/** Cancels it where that is still possible, and erases photo and result. One that is gone already is fine. @param {string} id */
export async function eraseUpscale(id) {
  try {
    await request(`v1/upscales/${id}`, { method: 'DELETE' });
  } catch (error) {
    if (!(error instanceof Problem && error.status === 404)) throw error;
  }
}

/** @param {string} id @param {'original' | 'result'} kind */
export function picturePath(id, kind) {
  return `v1/upscales/${id}/${kind}`;
}

/** @param {string} id @param {'original' | 'result'} kind */
export async function fetchPicture(id, kind) {
  return (await request(picturePath(id, kind))).blob();
}

/**
 * Sends a photo. XMLHttpRequest, because `fetch` does not tell how much has been sent.
 * @param {{ key: string, name: string, file: Blob, scale: string, look?: string, format: string }} photo
 * @param {{ onProgress: (share: number) => void, signal: AbortSignal }} options
 * @returns {Promise<Upscale>}
 */
export async function sendPhoto(photo, options) {
  for (;;) {
    const key = recall(API_KEY);
    try {
      return await sendOnce(photo, key, options);
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 401 || !(await getKey(key))) throw error;
    }
  }
}

/**
 * Erases what a cancelled sending may have left on the server: nobody saw the answer, but the key tells its id.
 * @param {{ key: string, name: string, scale: string, look?: string, format: string }} photo
 */
export async function eraseUnanswered(photo) {
  try {
    // The key with no photo: an upscale if there is one, else a refusal, and nothing is stored.
    const options = { onProgress: () => {}, signal: AbortSignal.timeout(STALLED_MS) };
    const { id } = await sendOnce({ ...photo, file: new Blob() }, recall(API_KEY), options);
    await eraseUpscale(id);
  } catch (error) {
    if (!(error instanceof Problem) || error.retryable) throw error;
  }
}

/** @param {string} path @param {string | null} key @param {{ method?: string, signal?: AbortSignal, headers?: Record<string, string>, body?: string }} options */
async function fetchOnce(path, key, options) {
  const headers = key === null ? options.headers : { ...options.headers, Authorization: `Bearer ${key}` };
  try {
    return await fetch(path, { ...options, headers: headers ?? {} });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new Problem({ code: 'NETWORK' });
  }
}

/** @param {string | null} used the key that was not enough */
async function getKey(used) {
  // Another request may have asked and been answered meanwhile.
  if (recall(API_KEY) !== used) return true;
  asking ??= askKey(used !== null).finally(() => {
    asking = undefined;
  });
  const key = await asking;
  if (key !== null) remember(API_KEY, key);
  return key !== null;
}

/**
 * @param {{ key: string, name: string, file: Blob, scale: string, look?: string, format: string }} photo
 * @param {string | null} apiKey
 * @param {{ onProgress: (share: number) => void, signal: AbortSignal }} options
 * @returns {Promise<Upscale>}
 */
function sendOnce({ key, name, file, scale, look = 'natural', format }, apiKey, { onProgress, signal }) {
  const form = new FormData();
  if (scale !== '') form.set('scale', scale);
  form.set('look', look);
  form.set('format', format);
  // Last, so that the server knows what is wanted before the long part arrives.
  form.set('image', file, name);
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    const lost = () => settle(() => reject(new Problem({ code: 'NETWORK' })));
    const abort = () => {
      settle(() => reject(signal.reason));
      xhr.abort();
    };
    let stalled = setTimeout(lost, STALLED_MS);
    const settle = (/** @type {() => void} */ end) => {
      clearTimeout(stalled);
      signal.removeEventListener('abort', abort);
      end();
    };
    xhr.open('POST', 'v1/upscales');
    xhr.setRequestHeader('Idempotency-Key', key);
    if (apiKey !== null) xhr.setRequestHeader('Authorization', `Bearer ${apiKey}`);
    xhr.upload.onprogress = ({ loaded, total }) => {
      clearTimeout(stalled);
      stalled = setTimeout(lost, STALLED_MS);
      onProgress(total === 0 ? 0 : loaded / total);
    };
    xhr.onerror = lost;
    xhr.onload = () => {
      const response = new Response(xhr.responseText || null, {
        status: xhr.status,
        headers: retryAfterOf(xhr.getResponseHeader('Retry-After')),
      });
      settle(() => (response.ok ? resolve(response.json()) : readProblem(response).then(reject)));
    };
    signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
    else xhr.send(form);
  });
}

/** @param {string | null} value @returns {Record<string, string>} */
function retryAfterOf(value) {
  return value === null ? {} : { 'Retry-After': value };
}

/** @param {Response} response */
async function readProblem(response) {
  const { status } = response;
  const seconds = Number(response.headers.get('Retry-After') ?? Number.NaN);
  const known = Number.isFinite(seconds) ? { status, retryAfter: seconds } : { status };
  try {
    const { code, title, detail, action, requestId } = await response.json();
    return new Problem({ code, title, detail, action, requestId, ...known });
  } catch {
    // A proxy in between answers with a page of its own, and a HEAD with none.
    return new Problem({ code: status >= 500 ? 'NOT_READY' : 'FAULT', ...known });
  }
}
