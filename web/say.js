/** Says news to screen readers, and visibly where it belongs to nothing on the page. */

const VISIBLE_MS = 6000;
/** Long enough to be read out, short enough not to pile up. */
const KEPT_MS = 15_000;

/** @param {string} text @param {{ visibly?: boolean }} [options] */
export function say(text, { visibly = false } = {}) {
  const line = document.createElement('p');
  line.textContent = text;
  /** @type {HTMLElement} */ (document.getElementById('news')).append(line);
  setTimeout(() => line.remove(), KEPT_MS);
  if (!visibly) return;
  const toast = /** @type {HTMLElement} */ (document.getElementById('toast'));
  toast.textContent = text;
  toast.hidden = false;
  setTimeout(() => {
    toast.hidden = true;
  }, VISIBLE_MS);
}

/** Takes back what was said: it stands there in the language of before. */
export function unsay() {
  document.getElementById('news')?.replaceChildren();
  /** @type {HTMLElement} */ (document.getElementById('toast')).hidden = true;
}
