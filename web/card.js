/** One photo on the page: what it is called, where it stands, what can be done, and in the end the comparison. */
import { Compare } from './compare.js';
import { explain, mayRetry } from './explain.js';
import { formatBytes, formatNumber, t, translateMarkup } from './language.js';
import { isOpen, stateText } from './state-text.js';

/** @typedef {import('./photos.js').Photo} Photo */
/**
 * @typedef {{
 *   cancel: (photo: Photo) => void, erase: (photo: Photo) => void, remove: (photo: Photo) => void,
 *   retry: (photo: Photo) => void, share: (photo: Photo) => void, download: (photo: Photo, event: Event) => void, large: (photo: Photo) => void,
 *   pictures: (photo: Photo) => Promise<{ before: string, after: string }>, lost: (photo: Photo) => void
 * }} CardActions
 */

/** Compared pictures are fetched when they come near the screen, not for a whole list at once. */
const NEAR = '400px';

export class Card {
  /** @type {Compare | undefined} */
  #compare;
  /** @type {IntersectionObserver | undefined} */
  #approach;
  #thumbUrl = '';
  #isSingle = false;

  /** @param {Photo} photo @param {CardActions} actions */
  constructor(photo, actions) {
    const template = /** @type {HTMLTemplateElement} */ (document.getElementById('card-template'));
    const fragment = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
    this.element = /** @type {HTMLElement} */ (fragment.firstElementChild);
    this.photo = photo;
    this.actions = actions;
    const heading = this.#part('name');
    heading.id = `photo-${photo.key}`;
    this.element.setAttribute('aria-labelledby', heading.id);
    for (const name of /** @type {const} */ (['cancel', 'erase', 'remove', 'retry', 'share'])) {
      this.#part(name).addEventListener('click', () => actions[name](this.photo));
    }
    this.#part('download').addEventListener('click', (event) => actions.download(this.photo, event));
    this.#showThumb();
    this.update();
  }

  /** Shows what has changed; also after a change of language. */
  update() {
    const { photo } = this;
    const name = photo.name || t('photo.unnamed');
    const { upscale, phase } = photo;
    const status = phase === 'sent' ? (upscale?.status ?? 'queued') : phase;
    const open = isOpen(photo);
    translateMarkup(this.element);
    this.element.dataset.state = status;
    this.#text('name', name);
    this.#text('state', stateText(photo));
    /** @type {HTMLImageElement} */ (this.#part('thumb')).alt = t('photo.thumb', { name });
    this.#showProgress(open, name);
    this.#showProblem();
    this.#show('cancel', open);
    this.#show('erase', phase === 'sent' && !open);
    this.#show('remove', phase === 'refused' || phase === 'unsent' || phase === 'gone');
    this.#show('retry', this.#offersRetry(status));
    this.#show('download', status === 'done');
    this.#show('share', status === 'done');
    for (const action of ['cancel', 'erase', 'remove', 'retry', 'share', 'download']) {
      const label = t('photo.named', { action: t(`photo.${action}`), name });
      this.#part(action).setAttribute('aria-label', label);
    }
    if (status === 'done') this.#showResult(name);
    else this.#hideResult();
  }

  focus() {
    this.#part('name').focus();
  }

  destroy() {
    this.#hideResult();
    URL.revokeObjectURL(this.#thumbUrl);
    this.element.remove();
  }

  /** @param {string} status */
  #offersRetry(status) {
    const { problem, upscale, phase, retryAt } = this.photo;
    if (phase === 'unsent') return true;
    if (phase === 'sending') return retryAt !== undefined && problem?.code === 'NETWORK';
    return status === 'failed' && mayRetry(upscale?.error?.code ?? '');
  }

  /** @param {boolean} open @param {string} name */
  #showProgress(open, name) {
    const { phase, share = 0, upscale, problem } = this.photo;
    const bar = /** @type {HTMLProgressElement} */ (this.#part('progress'));
    bar.hidden = !open || (phase !== 'sent' && problem !== undefined);
    bar.setAttribute('aria-label', t('photo.progress', { name }));
    const value =
      phase === 'sending' ? share : upscale?.status === 'processing' ? upscale.progress : undefined;
    // Without a value the bar only says that something goes on.
    if (value === undefined || (phase === 'sending' && share >= 1)) bar.removeAttribute('value');
    else bar.value = value;
  }

  #showProblem() {
    const { problem, upscale, retryAt, phase } = this.photo;
    const failure = phase === 'sent' ? upscale?.error : undefined;
    // A failure inside the service has only a sentence; one of a request is a whole problem.
    const shown = failure ? { code: failure.code, title: failure.message } : problem;
    const box = this.#part('problem');
    box.hidden = shown === undefined || upscale?.status === 'cancelled';
    if (shown === undefined) return;
    const { what, why, next, id, isForeign } = explain(shown);
    const seconds = retryAt === undefined ? 0 : Math.ceil((retryAt - Date.now()) / 1000);
    this.#text('what', what);
    this.#text('why', failure && isForeign ? '' : `${why.replace(/\.$/, '')}.`);
    this.#text(
      'next',
      `${t('problem.next')} ${next}${seconds > 0 ? ` ${t('problem.retry.seconds', { n: seconds })}` : ''}`,
    );
    this.#text('id', id);
    if (isForeign) box.lang = 'en';
    else box.removeAttribute('lang');
  }

  /** @param {string} name */
  #showResult(name) {
    const { upscale } = this.photo;
    if (!upscale?.output) return;
    const { input, output, reducedTo, quality, scale } = upscale;
    const sizeOf = (/** @type {{ width: number | null, height: number | null }} */ { width, height }) =>
      width === null || height === null ? '?' : `${formatNumber(width)} × ${formatNumber(height)}`;
    const times = scale === null ? '' : `${scale}× · `;
    this.#text(
      'size',
      times + t('result.size', { from: sizeOf(input), to: sizeOf(output), bytes: formatBytes(output.bytes) }),
    );
    const notes = [
      reducedTo ? t('result.reduced', { size: sizeOf(reducedTo) }) : '',
      quality?.verdict === 'softened' ? t('result.softened') : '',
      quality?.verdict === 'fallback' ? t('result.fallback') : '',
      this.#isSingle ? t('result.single') : '',
    ].filter((note) => note !== '');
    this.#part('notes').replaceChildren(...notes.map(listItem));
    this.#show('notes', notes.length > 0);
    this.#show('result', true);
    this.#show('thumb', false);
    if (this.#compare === undefined) this.#prepareCompare(output);
    this.#compare?.translate(name);
  }

  /** @param {{ width: number, height: number }} size */
  #prepareCompare({ width, height }) {
    const compare = new Compare({ width, height }, { onLarge: () => this.actions.large(this.photo) });
    this.#compare = compare;
    this.#part('compare').replaceChildren(compare.element);
    this.#approach = new IntersectionObserver(
      (entries) => {
        if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
        this.#approach?.disconnect();
        this.#fill(compare);
      },
      { rootMargin: NEAR },
    );
    this.#approach.observe(compare.element);
  }

  /** @param {Compare} compare */
  async #fill(compare) {
    try {
      const { before, after } = await this.actions.pictures(this.photo);
      const { photo, result } = await compare.show(before, after);
      if (!result) return this.actions.lost(this.photo);
      if (photo || this.#compare !== compare) return;
      this.#isSingle = true;
      this.update();
    } catch {
      this.actions.lost(this.photo);
    }
  }

  #hideResult() {
    this.#approach?.disconnect();
    this.#compare?.destroy();
    this.#compare = undefined;
    this.#show('result', false);
  }

  /** From the file itself, while the page still has it. */
  #showThumb() {
    const { file } = this.photo;
    if (file === undefined) return;
    const thumb = /** @type {HTMLImageElement} */ (this.#part('thumb'));
    this.#thumbUrl = URL.createObjectURL(file);
    thumb.addEventListener('load', () => this.#show('thumb', this.#compare === undefined));
    thumb.src = this.#thumbUrl;
  }

  /** @param {string} name @param {boolean} visible */
  #show(name, visible) {
    this.#part(name).hidden = !visible;
  }

  /** Unchanged text is left alone: a screen reader need not hear it again. @param {string} name @param {string} text */
  #text(name, text) {
    const part = this.#part(name);
    if (part.textContent !== text) part.textContent = text;
  }

  /** @param {string} name */
  #part(name) {
    return /** @type {HTMLElement} */ (this.element.querySelector(`[data-part="${name}"]`));
  }
}

/** @param {string} text */
function listItem(text) {
  const item = document.createElement('li');
  item.textContent = text;
  return item;
}
