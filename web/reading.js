/** The page of the reading trial: one word after another, each as photographed or as the result, and what is read there. */
import { language, onLanguage, setLanguage, t, translateMarkup } from './language.js';
import { recall, remember } from './memory.js';

/** @typedef {{ itemId: string, kind: 'word' | 'formula', answered: number, left: number }} Question */

const READER_KEY = 'boardsharp.reader';
const AFTER_TROUBLE_MS = 3000;

const find = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
const code = location.pathname.split('/').filter(Boolean).at(-1) ?? '';
const at = `../v1/reading/${encodeURIComponent(code)}`;
const form = /** @type {HTMLFormElement} */ (find('reading-form'));
const input = /** @type {HTMLInputElement} */ (find('answer'));
const crop = /** @type {HTMLImageElement} */ (find('crop'));
const reader = whoReads();

/** @type {Question | undefined} */
let question;
/** What is said instead of a word. @type {'reading.none' | 'reading.gone' | 'reading.offline' | undefined} */
let state;
let isBusy = false;

for (const button of document.querySelectorAll('[data-language]')) {
  const chosen = /** @type {import('./language.js').Language} */ (
    /** @type {HTMLElement} */ (button).dataset.language
  );
  button.addEventListener('click', () => setLanguage(chosen));
}
onLanguage(translatePage);
form.addEventListener('submit', (event) => {
  event.preventDefault();
  if (input.value.trim() === '') input.focus();
  else void answer(input.value);
});
find('unread').addEventListener('click', () => void answer(null));
void next();

/** One browser is one volunteer: who comes back goes on, and is shown no word twice. */
function whoReads() {
  const known = recall(READER_KEY);
  if (known !== null && /^[\w-]{22}$/.test(known)) return known;
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const drawn = btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .slice(0, 22);
  remember(READER_KEY, drawn);
  return drawn;
}

/** @param {string} path @param {RequestInit} [init] */
function ask(path, init = {}) {
  return fetch(`${at}/${path}`, { ...init, headers: { ...init.headers, 'Boardsharp-Reader': reader } });
}

/** Shows the next word; what cannot be had now is asked for again. */
async function next() {
  for (;;) {
    try {
      const response = await ask('next');
      if (response.status === 404) return end('reading.gone');
      if (!response.ok) throw new Error(`status ${response.status}`);
      /** @type {{ question: Question | null }} */
      const { question: found } = await response.json();
      if (found === null) return end('reading.none');
      const picture = await ask(`items/${found.itemId}/crop`);
      if (!picture.ok) throw new Error(`status ${picture.status}`);
      const before = crop.src;
      crop.src = URL.createObjectURL(await picture.blob());
      if (before !== '') URL.revokeObjectURL(before);
      await crop.decode();
      question = found;
      state = undefined;
      input.value = '';
      form.hidden = false;
      translatePage();
      input.focus();
      return;
    } catch {
      state = 'reading.offline';
      translatePage();
      await new Promise((done) => setTimeout(done, AFTER_TROUBLE_MS));
    }
  }
}

/** Notes what was read, null for "can't read", and goes on. @param {string | null} said */
async function answer(said) {
  if (question === undefined || isBusy) return;
  isBusy = true;
  try {
    const body = JSON.stringify({ answer: said });
    const headers = { 'Content-Type': 'application/json' };
    const response = await ask(`items/${question.itemId}/reading`, { method: 'POST', headers, body });
    // A word that was taken out of the trial meanwhile is nobody's any more.
    if (!response.ok && response.status !== 404) throw new Error(`status ${response.status}`);
    await next();
  } catch {
    // What was written stays in its field.
    state = 'reading.offline';
    translatePage();
  } finally {
    isBusy = false;
  }
}

/** @param {'reading.none' | 'reading.gone'} why */
function end(why) {
  question = undefined;
  state = why;
  form.hidden = true;
  translatePage();
}

function translatePage() {
  document.documentElement.lang = language();
  translateMarkup(document);
  for (const button of document.querySelectorAll('[data-language]')) {
    const isChosen = /** @type {HTMLElement} */ (button).dataset.language === language();
    button.setAttribute('aria-pressed', String(isChosen));
  }
  document.title = `${t('reading.title')} – Boardsharp`;
  find('reading-state').textContent = state === undefined ? '' : t(state);
  crop.alt = t('reading.crop');
  const isFormula = question?.kind === 'formula';
  find('answer-label').textContent = isFormula ? t('reading.formula') : t('reading.word');
  find('reading-hint').textContent = isFormula ? t('reading.formula.hint') : '';
  find('reading-left').textContent = t('reading.left', {
    answered: question?.answered ?? 0,
    left: question?.left ?? 0,
  });
}
