/** Sends stored photos, two at a time, again and again until the server has them: the same key makes every try the same upscale. */
import { forgetFile, keptFile } from './outbox.js';
import { Problem, sendPhoto } from './requests.js';

/** A browser opens six connections to one server; these leave room for what is followed and shown. */
const AT_ONCE = 2;
const FIRST_WAIT_S = 1;
const LONGEST_WAIT_S = 30;
/** Faults of the server are not tried for ever; a missing connection is. */
const MOST_FAULTS = 4;
/** A photo is kept in this browser before it is sent; a browser that is slow at it is not waited for any longer. */
const KEEP_MS = 3000;

export class Sender {
  #photos;
  #onSent;
  /** @type {Map<string, AbortController>} */
  #running = new Map();
  /** @type {Set<() => void>} */
  #sleepers = new Set();

  /**
   * @param {import('./photos.js').Photos} photos
   * @param {(key: string) => void} onSent
   */
  constructor(photos, onSent) {
    this.#photos = photos;
    this.#onSent = onSent;
    addEventListener('online', () => {
      for (const wake of this.#sleepers) wake();
    });
  }

  /** Starts what can be started. */
  run() {
    for (const { key, phase } of this.#photos.all()) {
      if (this.#running.size >= AT_ONCE) return;
      if (phase !== 'stored' || this.#running.has(key)) continue;
      const controller = new AbortController();
      this.#running.set(key, controller);
      this.#send(key, controller.signal).finally(() => {
        this.#running.delete(key);
        this.run();
      });
    }
  }

  /** Tries again at once, whether it waits for its next try or has given up. @param {string} key */
  retry(key) {
    if (this.#running.has(key)) {
      for (const wake of this.#sleepers) wake();
      return;
    }
    this.#photos.update(key, { phase: 'stored', problem: undefined });
    this.run();
  }

  /** @param {string} key */
  stop(key) {
    this.#running.get(key)?.abort();
  }

  /** @param {string} key @param {AbortSignal} signal */
  async #send(key, signal) {
    for (let tries = 0; !signal.aborted; tries++) {
      const photo = this.#photos.get(key);
      if (photo === undefined) return;
      await Promise.race([photo.kept, this.#sleep(KEEP_MS, signal)]);
      const found = photo.file ?? (await keptFile(key));
      // Without the photo its key is sent alone: the server answers with the upscale, if it has had the photo before.
      const file = found ?? new Blob();
      this.#photos.update(key, { phase: 'sending', share: 0, problem: undefined, retryAt: undefined });
      try {
        const onProgress = (/** @type {number} */ share) => this.#photos.update(key, { share });
        const upscale = await sendPhoto({ ...photo, file }, { onProgress, signal });
        if (signal.aborted) return;
        this.#photos.update(key, { phase: 'sent', id: upscale.id, upscale });
        this.#onSent(key);
        await forgetFile(key);
        return;
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof Problem)) throw error;
        if (!this.#isWorthAnotherTry(error, tries)) {
          const phase = error.retryable || error.status === 401 ? 'unsent' : 'refused';
          if (phase === 'refused') await forgetFile(key);
          const isLost = found === undefined && phase === 'refused';
          this.#photos.update(key, { phase, problem: isLost ? new Problem({ code: 'LOST' }) : error });
          return;
        }
        const seconds = error.retryAfter ?? Math.min(FIRST_WAIT_S * 2 ** tries, LONGEST_WAIT_S);
        this.#photos.update(key, { phase: 'sending', problem: error, retryAt: Date.now() + seconds * 1000 });
        await this.#sleep(seconds * 1000, signal);
      }
    }
  }

  /** @param {Problem} problem @param {number} tries */
  #isWorthAnotherTry(problem, tries) {
    if (!problem.retryable) return false;
    return problem.status < 500 || problem.status === 503 || tries + 1 < MOST_FAULTS;
  }

  /** @param {number} ms @param {AbortSignal} signal */
  #sleep(ms, signal) {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', wake);
        this.#sleepers.delete(wake);
        resolve(undefined);
      };
      const timer = setTimeout(wake, ms);
      signal.addEventListener('abort', wake);
      this.#sleepers.add(wake);
    });
  }
}
