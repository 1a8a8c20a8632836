/** Rooms on the page of photos: made, opened, and given a result. */
import { t } from './language.js';
import { Problem, request } from './requests.js';
import { say } from './say.js';

/** @typedef {{ id: string, code: string, title: string, members: number }} Room */

const find = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
const dialog = () => /** @type {HTMLDialogElement} */ (find('rooms-dialog'));

/** What is to be shared; undefined: rooms are only looked at. @type {string | undefined} */
let upscaleId;

/** Prepares the dialog; call it once. */
export function prepareRooms() {
  find('rooms-link').addEventListener('click', () => openRooms());
  find('rooms-new').addEventListener('submit', async (event) => {
    event.preventDefault();
    const title = /** @type {HTMLInputElement} */ (find('rooms-title-field'));
    await kindly(async () => {
      await send('v1/rooms', {
        title: title.value,
        name: t('rooms.me'),
        language: document.documentElement.lang,
      });
      title.value = '';
      await list();
    });
  });
}

/** @param {string} [result] the upscale to be shared */
export async function openRooms(result) {
  upscaleId = result;
  await kindly(async () => {
    await list();
    if (!dialog().open) dialog().showModal();
  });
}

async function list() {
  /** @type {{ rooms: Room[] }} */
  const { rooms } = await (await request('v1/rooms')).json();
  find('rooms-none').hidden = rooms.length > 0;
  find('rooms-list').replaceChildren(...rooms.map(line));
}

/** @param {Room} room */
function line({ id, code, title }) {
  const item = document.createElement('li');
  const link = document.createElement('a');
  link.href = `rooms/${code}`;
  link.textContent = title;
  item.append(link);
  if (upscaleId !== undefined) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'button button-main';
    button.textContent = t('rooms.share');
    button.setAttribute('aria-label', t('rooms.share.named', { title }));
    button.addEventListener('click', () =>
      kindly(async () => {
        await send(`v1/rooms/${id}/pictures`, { upscaleIds: [upscaleId] });
        dialog().close();
        say(t('rooms.shared', { title }), { visibly: true });
      }),
    );
    item.append(button);
  }
  return item;
}

/** @param {string} path @param {unknown} body */
function send(path, body) {
  const headers = { 'Content-Type': 'application/json' };
  return request(path, { method: 'POST', headers, body: JSON.stringify(body) });
}

/** @param {() => Promise<void>} work */
async function kindly(work) {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    say(t('rooms.failed'), { visibly: true });
  }
}
