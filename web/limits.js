/** What the server allows and how long it keeps photos, as far as it tells; shown where photos are taken in. */
import { formatBytes, t } from './language.js';
import { Problem, request } from './requests.js';

/** @type {{ maxInputBytes?: number, retentionSeconds?: number }} */
let limits = {};

/** Undefined while it is not known. */
export function maxInputBytes() {
  return limits.maxInputBytes;
}

export async function learnLimits() {
  try {
    limits = await (await request('v1/limits', { isQuiet: true })).json();
    showLimits();
  } catch (error) {
    // Without them the page says less and refuses nothing by itself: the server does.
    if (!(error instanceof Problem)) throw error;
  }
}

/** Shows them in the language of now. */
export function showLimits() {
  const { maxInputBytes: bytes, retentionSeconds } = limits;
  if (bytes !== undefined) show('formats', t('drop.formats.size', { size: formatBytes(bytes, 'floor') }));
  if (retentionSeconds === undefined) return;
  const isShort = retentionSeconds < 3600;
  const n = Math.round(retentionSeconds / (isShort ? 60 : 3600));
  show('kept', t(isShort ? 'privacy.kept.minutes' : 'privacy.kept', { n }));
  show('promise-text', t(isShort ? 'drop.privacy.minutes' : 'drop.privacy', { n }));
}

/** @param {string} id @param {string} text */
function show(id, text) {
  /** @type {HTMLElement} */ (document.getElementById(id)).textContent = text;
}
