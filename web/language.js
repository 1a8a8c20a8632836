/** The page's language: chosen from the browser's, switched by hand, kept; and every sentence in it. */
import { recall, remember } from './memory.js';
import { ENGLISH } from './texts-en.js';
import { RUSSIAN } from './texts-ru.js';

const TEXTS = { en: ENGLISH, ru: RUSSIAN };
/** @typedef {keyof typeof TEXTS} Language */
/** @typedef {keyof typeof ENGLISH} TextKey */

const LANGUAGE_KEY = 'boardsharp.language';
/** @type {Language} */
let current = choose();
/** @type {Set<() => void>} */
const listeners = new Set();

export function language() {
  return current;
}

/** @param {Language} chosen */
export function setLanguage(chosen) {
  if (!Object.hasOwn(TEXTS, chosen)) return;
  remember(LANGUAGE_KEY, chosen);
  current = chosen;
  for (const listener of listeners) listener();
}

/** Calls now and whenever the language changes. @param {() => void} listener */
export function onLanguage(listener) {
  listeners.add(listener);
  listener();
}

/** Whether there is such a sentence. @param {string} key */
export function hasText(key) {
  return Object.hasOwn(ENGLISH, key);
}

/**
 * A sentence; `{name}` is replaced by the value of that name. One with plural forms is chosen by the value `n`.
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 */
export function t(key, values = {}) {
  /** @type {Record<string, string | Record<string, string>>} */
  const texts = TEXTS[current];
  const entry = texts[key] ?? key;
  const text =
    typeof entry === 'string'
      ? entry
      : (entry[new Intl.PluralRules(current).select(Number(values.n))] ?? entry.other ?? key);
  return text.replace(/\{(\w+)\}/g, (whole, name) => {
    const value = values[name];
    return typeof value === 'number' ? formatNumber(value) : (value ?? whole);
  });
}

/** @param {number} value @param {number} [digits] after the point, at most */
export function formatNumber(value, digits = 0) {
  return new Intl.NumberFormat(current, { maximumFractionDigits: digits }).format(value);
}

/** @param {number} share 0…1 */
export function formatPercent(share) {
  return new Intl.NumberFormat(current, { style: 'percent', maximumFractionDigits: 0 }).format(share);
}

/** @param {number} bytes @param {'halfExpand' | 'floor'} [roundingMode] `floor` for what must not be promised too large */
export function formatBytes(bytes, roundingMode = 'halfExpand') {
  const [unit, size] = bytes < 1_000_000 ? ['kilobyte', bytes / 1000] : ['megabyte', bytes / 1_000_000];
  return new Intl.NumberFormat(current, {
    style: 'unit',
    unit,
    maximumFractionDigits: size < 10 && unit === 'megabyte' ? 1 : 0,
    roundingMode,
  }).format(size);
}

/** Fills every element that names its sentence in the markup. @param {ParentNode} root */
export function translateMarkup(root) {
  for (const element of root.querySelectorAll('[data-text]')) {
    element.textContent = t(/** @type {HTMLElement} */ (element).dataset.text ?? '');
  }
  for (const element of root.querySelectorAll('[data-label]')) {
    element.setAttribute('aria-label', t(/** @type {HTMLElement} */ (element).dataset.label ?? ''));
  }
}

/** @returns {Language} */
function choose() {
  const kept = recall(LANGUAGE_KEY);
  if (kept === 'en' || kept === 'ru') return kept;
  for (const wish of navigator.languages ?? [navigator.language]) {
    const short = wish.slice(0, 2).toLowerCase();
    if (short === 'en' || short === 'ru') return short;
  }
  return 'en';
}
