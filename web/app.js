/** The page: connects what takes photos in, sends, follows and shows them. */
import { Card } from './card.js';
import { askForKey, confirmErase, showLarge } from './dialogs.js';
import { explain } from './explain.js';
import { Follower } from './follower.js';
import { takeIn } from './intake.js';
import { language, onLanguage, setLanguage, t, translateMarkup } from './language.js';
import { learnLimits, maxInputBytes, showLimits } from './limits.js';
import { chosenOptions, keepOptions } from './options.js';
import { forgetFile, keepFile } from './outbox.js';
import { newKey, Photos } from './photos.js';
import {
  eraseUnanswered,
  eraseUpscale,
  fetchPicture,
  hasKey,
  onKeyNeeded,
  Problem,
  picturePath,
  request,
} from './requests.js';
import { openRooms, prepareRooms } from './rooms-dialog.js';
import { say, unsay } from './say.js';
import { Sender } from './sender.js';
import { stateText } from './state-text.js';

/** @typedef {import('./photos.js').Photo} Photo */

/** @type {Record<string, string>} */
const EXTENSIONS = { jpeg: 'jpg', png: 'png', webp: 'webp' };
/** Once a second the countdown to the next try is shown anew. */
const TICK_MS = 1000;
/** For this long after a click the browser may still be reading the file. */
const DOWNLOAD_MS = 60_000;
/** A list that starts in this upper part of the screen is seen. */
const LIST_IN_SIGHT = 0.7;

const find = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
const list = find('photo-list');

/** @type {Map<string, Card>} */
const cards = new Map();
/** What was last said of a photo: progress is shown, but only a new state is read out. @type {Map<string, string>} */
const said = new Map();
/** Object URLs of pictures that were fetched with a key. @type {Map<string, string>} */
const urls = new Map();

const photos = new Photos({ changed: showPhoto, removed: hidePhoto });
const follower = new Follower({
  upscale: (key, upscale) => photos.update(key, { upscale, problem: undefined }),
  gone: (key) => photos.update(key, { phase: 'gone', problem: undefined }),
  trouble: (key, problem) => photos.update(key, { problem: problem?.as('OFFLINE') }),
});
const sender = new Sender(photos, (key) => follow(photos.get(key)));

/** @type {import('./card.js').CardActions} */
const actions = {
  cancel: (photo) => erase(photo),
  erase: async (photo) => {
    const isDone = photo.upscale?.status === 'done';
    if (!isDone || (await confirmErase(nameOf(photo)))) await erase(photo);
  },
  remove: (photo) => forget(photo),
  retry: (photo) => (photo.phase === 'sent' ? startAgain(photo) : sender.retry(photo.key)),
  download,
  share: ({ id }) => openRooms(id),
  large: async (photo) => {
    const size = photo.upscale?.output;
    if (size) await showLarge({ name: nameOf(photo), ...(await pictures(photo)), size });
  },
  pictures,
  lost: checkGone,
};

onKeyNeeded(askForKey);
takeIn({
  input: /** @type {HTMLInputElement} */ (find('picker')),
  onFiles: addFiles,
  onNone: () => say(t('say.none'), { visibly: true }),
  onHover: (isOver) => document.body.classList.toggle('is-dropping', isOver),
});
keepOptions();
prepareRooms();
for (const button of document.querySelectorAll('[data-language]')) {
  const chosen = /** @type {import('./language.js').Language} */ (
    /** @type {HTMLElement} */ (button).dataset.language
  );
  button.addEventListener('click', () => setLanguage(chosen));
}
onLanguage(translatePage);
photos.followOtherTabs(restore);
for (const photo of photos.recallAll()) restore(photo);
sender.run();
learnLimits();
setInterval(() => {
  for (const photo of photos.all()) if (photo.retryAt !== undefined) cards.get(photo.key)?.update();
}, TICK_MS);

/** @param {File[]} files */
function addFiles(files) {
  const { scale, look, format } = chosenOptions();
  let addedAt = Date.now();
  for (const file of files) {
    /** @type {Photo} */
    const photo = {
      key: newKey(),
      name: file.name,
      addedAt: addedAt++,
      scale,
      look,
      format,
      phase: 'stored',
      file,
    };
    // A pasted picture has a name nobody gave it.
    if (/^image\.\w+$/.test(photo.name)) photo.name = '';
    const limit = maxInputBytes();
    if (limit !== undefined && file.size > limit) {
      // A server ends the connection in the middle of such a file, which would look like a lost one.
      photo.phase = 'refused';
      photo.problem = new Problem({ code: 'TOO_MANY_BYTES', limits: { size: file.size, limit } });
    } else photo.kept = keepFile(photo.key, file);
    photos.add(photo);
  }
  say(t('say.added', { n: files.length }));
  sender.run();
  showList();
}

/** On a phone the list starts below the screen: whoever sent a photo wants to see it. */
function showList() {
  const section = find('photos');
  if (section.getBoundingClientRect().top < innerHeight * LIST_IN_SIGHT) return;
  const isCalm = matchMedia('(prefers-reduced-motion: reduce)').matches;
  section.scrollIntoView({ block: 'start', behavior: isCalm ? 'auto' : 'smooth' });
}

/** @param {Photo} photo as it is remembered */
function restore(photo) {
  // One that was on its way when the page was closed is sent anew: its key makes it the same upscale.
  const phase = photo.phase === 'sending' ? 'stored' : photo.phase;
  photos.add({ ...photo, phase });
  if (phase === 'sent') follow(photo);
}

/** @param {Photo | undefined} photo */
function follow(photo) {
  if (photo?.id !== undefined) follower.follow(photo.key, photo.id);
}

/** Removes it here and on the server. @param {Photo} photo */
async function erase(photo) {
  sender.stop(photo.key);
  try {
    if (photo.id !== undefined) await eraseUpscale(photo.id);
    else if (photo.phase === 'sending') await eraseUnanswered(photo);
    say(t('say.erased', { name: nameOf(photo) }));
    forget(photo);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    // One that nothing sends any more can be tried again, or removed.
    const phase = photo.id === undefined ? 'unsent' : photo.phase;
    const problem = photo.id === undefined ? error : error.as('NOT_ERASED');
    photos.update(photo.key, { problem, phase, retryAt: undefined });
  }
}

/** @param {Photo} photo */
function forget(photo) {
  sender.stop(photo.key);
  follower.stop(photo.key);
  forgetFile(photo.key);
  photos.remove(photo.key);
}

/** Sends a photo anew that failed on the server, with what is chosen now. @param {Photo} photo */
async function startAgain(photo) {
  if (photo.id === undefined) return;
  try {
    const original = photo.file ?? (await fetchPicture(photo.id, 'original'));
    addFiles([new File([original], photo.name, { type: original.type })]);
    await erase(photo);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    photos.update(photo.key, { problem: error.as('OFFLINE') });
  }
}

/** Addresses of both pictures. @param {Photo} photo */
async function pictures({ id = '' }) {
  const [before, after] = await Promise.all([pictureUrl(id, 'original'), pictureUrl(id, 'result')]);
  return { before, after };
}

/** @param {string} id @param {'original' | 'result'} kind */
async function pictureUrl(id, kind) {
  const path = picturePath(id, kind);
  if (!hasKey()) return path;
  const known = urls.get(path);
  if (known !== undefined) return known;
  const url = URL.createObjectURL(await fetchPicture(id, kind));
  urls.set(path, url);
  return url;
}

/** A picture did not come: was it erased, or is it the connection? @param {Photo} photo */
async function checkGone({ key, id = '' }) {
  try {
    await request(picturePath(id, 'result'), { method: 'HEAD' });
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (error.status === 404) photos.update(key, { phase: 'gone' });
    else photos.update(key, { problem: error.as('OFFLINE') });
  }
}

/**
 * Fetches the result first: a link alone would carry no key, and the server's name for the file would win over the photo's.
 * @param {Photo} photo
 * @param {Event} event
 */
async function download(photo, event) {
  const link = /** @type {HTMLAnchorElement} */ (event.currentTarget);
  if (photo.id === undefined || link.href.startsWith('blob:')) return;
  event.preventDefault();
  try {
    link.href = URL.createObjectURL(await fetchPicture(photo.id, 'result'));
    link.click();
    setTimeout(freeDownload, DOWNLOAD_MS, link, photo.id);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    await checkGone(photo);
  }
}

/** @param {HTMLAnchorElement} link @param {string} id */
function freeDownload(link, id) {
  URL.revokeObjectURL(link.href);
  link.href = picturePath(id, 'result');
}

/** @param {Photo} photo */
function showPhoto(photo) {
  const card = cards.get(photo.key);
  if (card === undefined) {
    const created = new Card(photo, actions);
    cards.set(photo.key, created);
    list.prepend(created.element);
  } else card.update();
  prepareDownload(photo);
  find('photos').hidden = false;
  sayState(photo);
}

/** @param {Photo} photo */
function prepareDownload({ key, id, name, upscale }) {
  const link = /** @type {HTMLAnchorElement | null} */ (
    cards.get(key)?.element.querySelector('a[data-part="download"]')
  );
  if (!link || id === undefined || upscale?.status !== 'done') return;
  if (!link.href.startsWith('blob:')) link.href = picturePath(id, 'result');
  const stem = name.replace(/\.\w{1,5}$/, '') || 'board';
  link.download = `${stem}-${upscale.scale ?? 2}x.${EXTENSIONS[upscale.format] ?? upscale.format}`;
}

/** @param {Photo} photo */
function hidePhoto({ key, id = '' }) {
  const card = cards.get(key);
  const hadFocus = card?.element.contains(document.activeElement) ?? false;
  const neighbour = card?.element.nextElementSibling ?? card?.element.previousElementSibling;
  card?.destroy();
  cards.delete(key);
  said.delete(key);
  for (const kind of /** @type {const} */ (['original', 'result'])) {
    URL.revokeObjectURL(urls.get(picturePath(id, kind)) ?? '');
    urls.delete(picturePath(id, kind));
  }
  find('photos').hidden = cards.size === 0;
  if (!hadFocus && document.activeElement !== document.body) return;
  // Whoever works by keyboard goes on beside what has gone, not at the top of the page.
  const next = [...cards.values()].find(({ element }) => element === neighbour);
  if (next) next.focus();
  else find('picker').focus();
}

/** @param {Photo} photo */
function sayState(photo) {
  const { key, phase, upscale, problem } = photo;
  const failure = phase === 'sent' ? upscale?.error : problem;
  const state = [phase, upscale?.status ?? '', failure?.code ?? ''].join();
  if (said.get(key) === state) return;
  // What an earlier visit left is no news.
  const isNews = said.has(key) || photo.file !== undefined;
  said.set(key, state);
  if (!isNews) return;
  if (failure && upscale?.status !== 'cancelled') {
    const { what, next } = explain(failure);
    say(`${nameOf(photo)}: ${what}. ${next}`);
  } else if (phase === 'sent') say(t('say.state', { name: nameOf(photo), state: stateText(photo) }));
}

/** @param {Photo} photo */
function nameOf({ name }) {
  return name || t('photo.unnamed');
}

function translatePage() {
  document.documentElement.lang = language();
  document.title = t('page.title');
  unsay();
  translateMarkup(document);
  for (const button of document.querySelectorAll('[data-language]')) {
    const isChosen = /** @type {HTMLElement} */ (button).dataset.language === language();
    button.setAttribute('aria-pressed', String(isChosen));
  }
  showLimits();
  for (const card of cards.values()) card.update();
}
