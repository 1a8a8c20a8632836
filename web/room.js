/** The page of a room: its boards in the order of the lecture, new ones by themselves, each with its photo to compare. */
import { Compare } from './compare.js';
import { language, onLanguage, setLanguage, t, translateMarkup } from './language.js';
import { say } from './say.js';

/**
 * @typedef {{ id: string, shareId: string, width: number, height: number, sentAt: string, sharedAt: string }} Picture
 * @typedef {{
 *   version: string, title: string, members: number, joinUrl: string | null, retentionSeconds: number,
 *   pictures: Picture[]
 * }} Gallery
 */

/** Seconds the server may wait for something new. */
const WAIT_SECONDS = 25;
const AFTER_TROUBLE_MS = 3000;

const find = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
const code = location.pathname.split('/').filter(Boolean).at(-1) ?? '';
const at = `../v1/gallery/${encodeURIComponent(code)}`;
const list = find('gallery');
const viewer = /** @type {HTMLDialogElement} */ (find('viewer'));
const inviteDialog = /** @type {HTMLDialogElement} */ (find('invite-dialog'));

/** What is shown now. @type {Gallery | undefined} */
let gallery;
/** What stands above the boards: a key of the texts, or nothing. @type {'room.gone' | 'room.offline' | 'room.empty' | undefined} */
let trouble;
/** The board in the viewer. @type {string | undefined} */
let open;
/** @type {Compare | undefined} */
let compare;
/** Whether a new board opens by itself: for the projector. */
let showsNewest = false;
/** @type {Map<string, HTMLElement>} */
const items = new Map();

for (const button of document.querySelectorAll('[data-language]')) {
  const chosen = /** @type {import('./language.js').Language} */ (
    /** @type {HTMLElement} */ (button).dataset.language
  );
  button.addEventListener('click', () => setLanguage(chosen));
}
onLanguage(translatePage);
for (const format of ['zip', 'pdf']) /** @type {HTMLAnchorElement} */ (find(format)).href = `${at}/${format}`;
find('invite').addEventListener('click', invite);
find('newest').addEventListener('click', () => {
  showsNewest = !showsNewest;
  find('newest').setAttribute('aria-pressed', String(showsNewest));
  if (showsNewest) showNewest();
});
part(viewer, 'before').addEventListener('click', () => step(-1));
part(viewer, 'after').addEventListener('click', () => step(1));
viewer.addEventListener('keydown', (event) => {
  // The arrows inside the picture move its divider, or the picture itself.
  if (event.target instanceof Element && event.target.closest('.compare')) return;
  if (event.key === 'ArrowLeft') step(-1);
  if (event.key === 'ArrowRight') step(1);
});
viewer.addEventListener('close', () => {
  const last = open;
  open = undefined;
  compare?.destroy();
  compare = undefined;
  items
    .get(last ?? '')
    ?.querySelector('button')
    ?.focus();
});
follow();

/** Asks again and again; the server answers as soon as something is new. */
async function follow() {
  for (;;) {
    try {
      const known = gallery === undefined ? '' : `?wait=${WAIT_SECONDS}&version=${gallery.version}`;
      const response = await fetch(`${at}${known}`);
      if (response.status === 404) return close();
      if (!response.ok) throw new Error(`status ${response.status}`);
      show(await response.json());
    } catch {
      setTrouble('room.offline');
      await new Promise((done) => setTimeout(done, AFTER_TROUBLE_MS));
    }
  }
}

/** The link opens nothing any more: what it showed must not stay on the screen. */
function close() {
  gallery = undefined;
  viewer.close();
  inviteDialog.close();
  list.replaceChildren();
  items.clear();
  setTrouble('room.gone');
  translatePage();
}

/** @param {Gallery} now */
function show(now) {
  const isFirst = gallery === undefined;
  const fresh = now.pictures.filter(({ id }) => !items.has(id));
  gallery = now;
  const ids = new Set(now.pictures.map(({ id }) => id));
  for (const [id, item] of items) {
    if (ids.has(id)) continue;
    item.remove();
    items.delete(id);
    if (open === id) viewer.close();
  }
  for (const picture of fresh) items.set(picture.id, createItem(picture));
  // A board that took longer still stands where it was in the lecture. Those in their place are not touched.
  let next = null;
  for (const { id } of now.pictures.toReversed()) {
    const item = /** @type {HTMLElement} */ (items.get(id));
    if (!item.isConnected || item.nextElementSibling !== next) list.insertBefore(item, next);
    next = item;
  }
  setTrouble(now.pictures.length === 0 ? 'room.empty' : undefined);
  translatePage();
  if (isFirst || fresh.length === 0) return;
  say(t('room.new', { n: fresh.length }));
  if (showsNewest) showNewest();
}

/** What came last, wherever in the lecture it belongs. */
function showNewest() {
  const byArrival = gallery?.pictures.toSorted((a, b) => a.sharedAt.localeCompare(b.sharedAt));
  const newest = byArrival?.at(-1);
  if (newest !== undefined) view(newest);
}

/** @param {typeof trouble} now */
function setTrouble(now) {
  trouble = now;
  find('room-state').textContent = now === undefined ? '' : t(now);
}

/** @param {Picture} picture */
function createItem(picture) {
  const template = /** @type {HTMLTemplateElement} */ (find('picture-template'));
  const fragment = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
  const item = /** @type {HTMLElement} */ (fragment.firstElementChild);
  const image = /** @type {HTMLImageElement} */ (part(item, 'picture'));
  image.width = picture.width;
  image.height = picture.height;
  image.src = `${at}/pictures/${picture.id}/preview`;
  part(item, 'open').addEventListener('click', () => view(picture));
  part(item, 'report').addEventListener('click', async () => {
    const sent = await fetch(`${at}/pictures/${picture.id}/report`, { method: 'POST' }).catch(
      () => undefined,
    );
    say(t(sent?.ok ? 'room.reported' : 'room.offline'), { visibly: true });
  });
  return item;
}

/** Which board of the lecture it is, and when it was sent. @param {Picture} picture */
function nameOf({ id, sentAt }) {
  const number = 1 + (gallery?.pictures.findIndex((picture) => picture.id === id) ?? 0);
  const time = new Intl.DateTimeFormat(language(), { hour: '2-digit', minute: '2-digit' }).format(
    new Date(sentAt),
  );
  return t('room.board', { n: number, time });
}

/** Opens a board, or changes to it. @param {Picture} picture */
function view(picture) {
  open = picture.id;
  compare?.destroy();
  // A hall that reads along reads the result; the photo comes when somebody draws the divider.
  compare = new Compare({ width: picture.width, height: picture.height }, { split: showsNewest ? 0 : 0.5 });
  part(viewer, 'compare').replaceChildren(compare.element);
  const picturePath = `${at}/pictures/${picture.id}`;
  /** @type {HTMLAnchorElement} */ (part(viewer, 'download')).href = `${picturePath}/result?download=true`;
  void compare.show(`${picturePath}/original`, `${picturePath}/result`);
  translateViewer();
  if (!viewer.open) viewer.showModal();
}

/** @param {-1 | 1} by */
function step(by) {
  const pictures = gallery?.pictures ?? [];
  const next = pictures[pictures.findIndex(({ id }) => id === open) + by];
  if (next !== undefined) view(next);
}

function invite() {
  const link = /** @type {HTMLAnchorElement} */ (part(inviteDialog, 'link'));
  link.href = gallery?.joinUrl ?? location.href;
  link.textContent = gallery?.joinUrl ?? location.href;
  /** @type {HTMLImageElement} */ (part(inviteDialog, 'qr')).src = `${at}/qr`;
  inviteDialog.showModal();
}

function translatePage() {
  document.documentElement.lang = language();
  translateMarkup(document);
  for (const button of document.querySelectorAll('[data-language]')) {
    const isChosen = /** @type {HTMLElement} */ (button).dataset.language === language();
    button.setAttribute('aria-pressed', String(isChosen));
  }
  setTrouble(trouble);
  const isThere = gallery !== undefined;
  document.title = isThere ? `${gallery?.title} – Boardsharp` : 'Boardsharp';
  find('room-title').textContent = gallery?.title ?? '';
  find('room-tools').hidden = !isThere;
  for (const id of ['zip', 'pdf', 'newest']) find(id).hidden = !gallery?.pictures.length;
  find('room-about').textContent = isThere ? t('room.about', { n: gallery?.members ?? 0 }) : '';
  const hours = Math.max(1, Math.round((gallery?.retentionSeconds ?? 0) / 3600));
  find('room-kept').textContent = isThere ? t('room.kept', { n: hours }) : '';
  /** @type {HTMLImageElement} */ (part(inviteDialog, 'qr')).alt = t('room.qr');
  for (const picture of gallery?.pictures ?? []) {
    const item = items.get(picture.id);
    if (item === undefined) continue;
    const name = nameOf(picture);
    translateMarkup(item);
    part(item, 'name').textContent = name;
    /** @type {HTMLImageElement} */ (part(item, 'picture')).alt = name;
    part(item, 'open').setAttribute('aria-label', t('room.open', { name }));
    part(item, 'report').setAttribute('aria-label', t('room.report.named', { name }));
  }
  translateViewer();
}

function translateViewer() {
  const pictures = gallery?.pictures ?? [];
  const index = pictures.findIndex(({ id }) => id === open);
  const picture = pictures[index];
  if (picture === undefined) return;
  const name = nameOf(picture);
  part(viewer, 'name').textContent = name;
  compare?.translate(name);
  /** @type {HTMLButtonElement} */ (part(viewer, 'before')).disabled = index === 0;
  /** @type {HTMLButtonElement} */ (part(viewer, 'after')).disabled = index === pictures.length - 1;
}

/** @param {HTMLElement} element @param {string} name */
function part(element, name) {
  return /** @type {HTMLElement} */ (element.querySelector(`[data-part="${name}"]`));
}
