/** The page's dialogs: asking for the key, asking before erasing, and the large view. Each is a native modal `<dialog>`. */
import { Compare } from './compare.js';
import { t } from './language.js';

/** @param {string} name of the photo @returns {Promise<boolean>} */
export async function confirmErase(name) {
  const dialog = find('erase-dialog');
  part(dialog, 'text').textContent = t('erase.text', { name });
  return (await ask(dialog)) === 'yes';
}

/** @param {boolean} wasWrong whether a key was given before @returns {Promise<string | null>} */
export async function askForKey(wasWrong) {
  const dialog = find('key-dialog');
  const input = /** @type {HTMLInputElement} */ (part(dialog, 'key'));
  const wrong = part(dialog, 'wrong');
  wrong.hidden = !wasWrong;
  input.value = '';
  // Not a submit button: Enter in the field must mean the other one.
  part(dialog, 'cancel').onclick = () => dialog.close();
  if ((await ask(dialog)) !== 'yes') return null;
  // A copied key often brings the end of its line along.
  return input.value.trim() || null;
}

/**
 * @param {{ name: string, before: string, after: string, size: { width: number, height: number } }} pictures
 */
export async function showLarge({ name, before, after, size }) {
  const dialog = find('large-dialog');
  const compare = new Compare(size);
  part(dialog, 'name').textContent = name;
  part(dialog, 'compare').replaceChildren(compare.element);
  compare.translate(name);
  const shown = compare.show(before, after);
  dialog.showModal();
  compare.stage.focus();
  await new Promise((done) => dialog.addEventListener('close', done, { once: true }));
  await shown;
  compare.destroy();
}

/** Opens it and waits for the button that closes it; Escape answers nothing. @param {HTMLDialogElement} dialog */
function ask(dialog) {
  dialog.returnValue = '';
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue), { once: true });
  });
}

/** @param {string} id */
function find(id) {
  return /** @type {HTMLDialogElement} */ (document.getElementById(id));
}

/** @param {HTMLElement} dialog @param {string} name */
function part(dialog, name) {
  return /** @type {HTMLElement} */ (dialog.querySelector(`[data-part="${name}"]`));
}
