/** Follows upscales until they end: by server-sent events, by long polling where those do not arrive, slowly where there are many. */
import { getUpscale, hasKey, Problem } from './requests.js';

/** Two hold a connection open; a browser has six for one server, for all tabs together. */
const AT_ONCE = 2;
const SLOW_MS = 3000;
const LONG_POLL_S = 25;
/** The state comes at once, and then a sign of life; a proxy that collects events shows none. */
const SILENCE_MS = 8000;
const MOST_RECONNECTS = 2;
const LONGEST_WAIT_MS = 15_000;

const FINAL = new Set(['done', 'failed', 'cancelled']);

/** @param {import('./requests.js').Upscale} upscale */
export function isFinal({ status }) {
  return FINAL.has(status);
}

export class Follower {
  #news;
  /** @type {Map<string, AbortController>} */
  #followed = new Map();
  #live = 0;

  /**
   * @param {{
   *   upscale: (key: string, upscale: import('./requests.js').Upscale) => void,
   *   gone: (key: string) => void, trouble: (key: string, problem: Problem | undefined) => void
   * }} news
   */
  constructor(news) {
    this.#news = news;
  }

  /** @param {string} key of the photo @param {string} id of its upscale */
  follow(key, id) {
    if (this.#followed.has(key)) return;
    const controller = new AbortController();
    this.#followed.set(key, controller);
    this.#run(key, id, controller.signal)
      .catch((error) => {
        if (!controller.signal.aborted) throw error;
      })
      .finally(() => this.#followed.delete(key));
  }

  /** @param {string} key */
  stop(key) {
    this.#followed.get(key)?.abort();
    this.#followed.delete(key);
  }

  /** @param {string} key @param {string} id @param {AbortSignal} signal */
  async #run(key, id, signal) {
    const tell = (/** @type {import('./requests.js').Upscale} */ upscale) => {
      if (!signal.aborted) this.#news.upscale(key, upscale);
    };
    let failures = 0;
    let useEvents = !hasKey() && 'EventSource' in globalThis;
    while (!signal.aborted) {
      const isLive = failures === 0 && this.#live < AT_ONCE;
      if (isLive) this.#live++;
      try {
        if (isLive && useEvents) {
          useEvents = await listen(id, tell, signal);
          if (useEvents) return;
        }
        const upscale = await getUpscale(id, { ...(isLive ? { wait: LONG_POLL_S } : {}), signal });
        if (failures > 0) this.#news.trouble(key, undefined);
        failures = 0;
        tell(upscale);
        if (isFinal(upscale)) return;
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof Problem)) throw error;
        if (error.status === 404) return this.#news.gone(key);
        failures++;
        this.#news.trouble(key, error);
        if (!error.retryable) return;
      } finally {
        if (isLive) this.#live--;
      }
      if (failures > 0) await sleep(Math.min(1000 * 2 ** (failures - 1), LONGEST_WAIT_MS));
      else if (!isLive) await sleep(SLOW_MS);
    }
  }
}

/**
 * Listens to the events of an upscale.
 * @param {string} id
 * @param {(upscale: import('./requests.js').Upscale) => void} tell
 * @param {AbortSignal} signal
 * @returns {Promise<boolean>} whether it was followed to its end (or nobody wants to know any more)
 */
function listen(id, tell, signal) {
  return new Promise((resolve) => {
    const source = new EventSource(`v1/upscales/${id}/events`);
    let errors = 0;
    const end = (/** @type {boolean} */ isComplete) => {
      source.close();
      clearTimeout(silence);
      signal.removeEventListener('abort', stop);
      resolve(isComplete);
    };
    const stop = () => end(true);
    const silence = setTimeout(() => end(false), SILENCE_MS);
    signal.addEventListener('abort', stop);
    source.onmessage = ({ data }) => {
      clearTimeout(silence);
      errors = 0;
      const upscale = JSON.parse(data);
      tell(upscale);
      if (isFinal(upscale)) end(true);
    };
    source.onerror = () => {
      errors++;
      // The browser connects again by itself, but not after an answer that is no event stream.
      if (source.readyState === EventSource.CLOSED || errors > MOST_RECONNECTS) end(false);
    };
  });
}

/** @param {number} ms */
function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
