/** How the next photos are made: chosen on the page, kept for the next visit. */
import { recall, remember } from './memory.js';

const OPTIONS_KEY = 'boardsharp.options';
const form = /** @type {HTMLFormElement} */ (document.getElementById('options'));

/** @returns {{ scale: string, look: string, format: string }} `scale` is empty where the server shall choose it */
export function chosenOptions() {
  const data = new FormData(form);
  return {
    scale: String(data.get('scale') ?? ''),
    look: String(data.get('look') ?? 'natural'),
    format: String(data.get('format') ?? 'jpeg'),
  };
}

/** The choice of the last visit is the choice of this one. */
export function keepOptions() {
  const kept = new URLSearchParams(recall(OPTIONS_KEY) ?? '');
  for (const [name, value] of kept) {
    const field = form.elements.namedItem(name);
    if (field instanceof RadioNodeList || field instanceof HTMLSelectElement) field.value = value;
  }
  form.addEventListener('change', () =>
    remember(OPTIONS_KEY, new URLSearchParams(chosenOptions()).toString()),
  );
}
