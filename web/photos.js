/** The list of photos: what is known of each, told to whoever shows it, remembered by this browser. */
import { recall, remember } from './memory.js';
import { Problem } from './requests.js';

const PREFIX = 'boardsharp.photo.';
/** Older ones leave the list; the server erases them by itself. */
const MOST = 100;

/**
 * `stored`: to be sent. `sending`: on its way. `sent`: the server has it, `upscale` tells the rest. `refused`, `unsent`: `problem`
 * tells why; an unsent one can be tried again. `gone`: the server has erased it.
 * @typedef {'stored' | 'sending' | 'sent' | 'refused' | 'unsent' | 'gone'} Phase
 * @typedef {{
 *   key: string, name: string, addedAt: number, scale: string, look?: string, format: string, phase: Phase,
 *   id?: string, upscale?: import('./requests.js').Upscale, file?: Blob | undefined, kept?: Promise<void>,
 *   share?: number, problem?: Problem | undefined, retryAt?: number | undefined
 * }} Photo
 */

export class Photos {
  /** @type {Map<string, Photo>} */
  #photos = new Map();
  #show;

  /** @param {{ changed: (photo: Photo) => void, removed: (photo: Photo) => void }} show */
  constructor(show) {
    this.#show = show;
  }

  /** Oldest first: the order in which they are sent. */
  all() {
    return [...this.#photos.values()].sort((a, b) => a.addedAt - b.addedAt);
  }

  /** @param {string} key */
  get(key) {
    return this.#photos.get(key);
  }

  /** @param {Photo} photo */
  add(photo) {
    this.#photos.set(photo.key, photo);
    this.#changed(photo);
    for (const old of this.all().slice(0, -MOST)) if (old.phase !== 'stored') this.remove(old.key);
  }

  /** Nothing happens to a photo that was removed meanwhile. @param {string} key @param {Partial<Photo>} news */
  update(key, news) {
    const photo = this.#photos.get(key);
    if (photo === undefined) return;
    Object.assign(photo, news);
    this.#changed(photo);
  }

  /** @param {string} key */
  remove(key) {
    const photo = this.#photos.get(key);
    if (photo === undefined) return;
    this.#photos.delete(key);
    remember(PREFIX + key, null);
    this.#show.removed(photo);
  }

  /** What this browser remembers of earlier visits, oldest first. */
  recallAll() {
    return rememberedKeys()
      .map((key) => parse(recall(key)))
      .filter((photo) => photo !== undefined)
      .sort((a, b) => a.addedAt - b.addedAt);
  }

  /**
   * Keeps up with other tabs of this page.
   * @param {(photo: Photo) => void} onNew called for one that the server has already
   */
  followOtherTabs(onNew) {
    addEventListener('storage', ({ key, newValue }) => {
      if (!key?.startsWith(PREFIX)) return;
      const photo = parse(newValue);
      if (photo === undefined) this.remove(key.slice(PREFIX.length));
      else if (photo.id !== undefined && !this.#photos.has(photo.key)) onNew(photo);
    });
  }

  /** @param {Photo} photo */
  #changed(photo) {
    const { key, name, addedAt, scale, look, format, phase, id, problem } = photo;
    const facts = problem && { ...problem };
    // Progress comes many times a second and is worth nothing after a reload.
    const text = JSON.stringify({ key, name, addedAt, scale, look, format, phase, id, problem: facts });
    if (recall(PREFIX + key) !== text) remember(PREFIX + key, text);
    this.#show.changed(photo);
  }
}

/** A word nobody else uses. `randomUUID` is missing on pages that came over plain HTTP, as in a school's network. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function rememberedKeys() {
  try {
    return Object.keys(localStorage).filter((key) => key.startsWith(PREFIX));
  } catch {
    return [];
  }
}

/** @param {string | null} text @returns {Photo | undefined} */
function parse(text) {
  try {
    const photo = JSON.parse(text ?? '');
    if (typeof photo?.key !== 'string' || typeof photo.name !== 'string') return undefined;
    return { ...photo, problem: photo.problem && new Problem(photo.problem) };
  } catch {
    return undefined;
  }
}
