/**
 * The before/after viewer: two pictures under one divider, zoomed together up to single pixels by wheel, pinch and keys.
 *
 * Written here because the components there are do half of it: `img-comparison-slider` ties its divider to the picture, so
 * it leaves the stage when one zooms in; `@panzoom/panzoom` pinches by 0.3 for every 80 pixels instead of following the fingers.
 */
import { formatPercent, t, translateMarkup } from './language.js';
import { clamp, fit, fullScale, isFit, panBy, resized, zoomTo } from './view.js';

const ZOOM_STEP = 1.25;
const PAN_STEP_PX = 60;
const WHEEL_ZOOM_PER_PX = 0.0016;
/** A wheel that was scrolling the page keeps scrolling it, though a picture came under the pointer. */
const SCROLL_REST_MS = 250;
const DOUBLE_TAP_MS = 320;
const LINE_PX = 16;

let lastPageScroll = 0;
addEventListener('scroll', () => (lastPageScroll = performance.now()), { passive: true });

export class Compare {
  #split = 0.5;
  /** @type {Map<number, { x: number, y: number }>} */
  #pointers = new Map();
  /** What one pointer does until it is lifted. @type {'split' | 'pan' | undefined} */
  #grip;
  #lastTap = { at: 0, x: 0, y: 0 };

  /**
   * @param {{ width: number, height: number }} picture size of the result; the photo is laid over the same area
   * @param {{ onLarge?: () => void, split?: number }} [options] what the button for the large view does, without it there is
   *   none; the share of the stage that shows the photo as it was sent, half of it if nothing is said
   */
  constructor(picture, { onLarge, split = 0.5 } = {}) {
    const template = /** @type {HTMLTemplateElement} */ (document.getElementById('compare-template'));
    const fragment = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
    this.element = /** @type {HTMLElement} */ (fragment.firstElementChild);
    this.stage = this.#part('stage');
    // The arrow keys move a picture that is zoomed in.
    this.stage.tabIndex = 0;
    this.divider = this.#part('divider');
    this.range = /** @type {HTMLInputElement} */ (this.#part('range'));
    this.frame = { stage: { width: 1, height: 1 }, picture, pixelRatio: devicePixelRatio };
    this.view = fit(this.frame);
    this.element.style.setProperty('--aspect', String(picture.width / picture.height));
    for (const image of this.#images()) {
      image.style.width = `${picture.width}px`;
      image.style.height = `${picture.height}px`;
    }
    this.#listen(onLarge);
    this.#split = split;
    this.#observer = new ResizeObserver(() => this.#resize());
    this.#observer.observe(this.stage);
    this.translate('');
  }

  #observer;

  /**
   * Shows the pictures. A photo the browser cannot decode (HEIC, TIFF) leaves the result alone on the stage.
   * @param {string} before
   * @param {string} after
   * @returns {Promise<{ photo: boolean, result: boolean }>} which of them are shown
   */
  async show(before, after) {
    const [photo, result] = this.#images();
    photo.src = before;
    result.src = after;
    const [first, second] = await Promise.allSettled([photo.decode(), result.decode()]);
    this.element.classList.add('is-loaded');
    const shown = { photo: first.status === 'fulfilled', result: second.status === 'fulfilled' };
    if (!shown.photo) {
      this.element.classList.add('is-single');
      this.#setSplit(0);
    }
    return shown;
  }

  /** @param {string} name of the photo */
  translate(name) {
    translateMarkup(this.element);
    this.stage.setAttribute('aria-label', t('compare.stage', { name }));
    this.range.setAttribute('aria-label', t('compare.divider'));
    const [photo, result] = this.#images();
    photo.alt = t('compare.beforeAlt', { name });
    result.alt = t('compare.afterAlt', { name });
    this.#part('before-tag').textContent = t('compare.before');
    this.#part('after-tag').textContent = t('compare.after');
    for (const button of this.element.querySelectorAll('button')) {
      const label = t(`compare.${button.dataset.do}`);
      button.setAttribute('aria-label', label);
      button.title = label;
    }
    this.#setSplit(this.#split);
    this.#setView(this.view);
  }

  destroy() {
    this.#observer.disconnect();
    this.element.remove();
  }

  /** @param {number} split share of the stage that shows the photo as it was sent */
  #setSplit(split) {
    this.#split = Math.min(1, Math.max(0, split));
    this.element.style.setProperty('--split', String(this.#split));
    this.range.value = String(this.#split * 100);
    this.range.setAttribute('aria-valuetext', t('compare.value', { percent: formatPercent(this.#split) }));
  }

  /** @param {import('./view.js').View} view */
  #setView(view) {
    this.view = view;
    const { scale, x, y } = view;
    for (const image of this.#images()) image.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
    this.element.classList.toggle('is-zoomed', !isFit(view, this.frame));
    // In screen pixels: 100 % shows every pixel of the result, whatever the screen's density.
    this.#part('zoom').textContent = formatPercent(scale * this.frame.pixelRatio);
  }

  #resize() {
    const { clientWidth: width, clientHeight: height } = this.stage;
    if (width === 0 || height === 0) return;
    const before = this.frame;
    this.frame = { ...before, stage: { width, height }, pixelRatio: devicePixelRatio };
    this.#setView(resized(this.view, before, this.frame));
  }

  /** @param {number} factor @param {{ x: number, y: number }} [point] */
  #zoomBy(factor, point) {
    this.#setView(zoomTo(this.view, this.frame, this.view.scale * factor, point));
  }

  /** Between the whole picture and its single pixels. @param {{ x: number, y: number }} [point] */
  #toggleZoom(point) {
    const close = Math.max(fullScale(this.frame), this.view.scale * 2);
    this.#setView(
      isFit(this.view, this.frame) ? zoomTo(this.view, this.frame, close, point) : fit(this.frame),
    );
  }

  /** @param {(() => void) | undefined} onLarge */
  #listen(onLarge) {
    const { stage, range } = this;
    stage.addEventListener('wheel', (event) => this.#onWheel(event), { passive: false });
    stage.addEventListener('pointerdown', (event) => this.#onDown(event));
    stage.addEventListener('pointermove', (event) => this.#onMove(event));
    for (const end of /** @type {const} */ (['pointerup', 'pointercancel', 'lostpointercapture'])) {
      stage.addEventListener(end, (event) => this.#onUp(event));
    }
    stage.addEventListener('keydown', (event) => this.#onKey(event));
    range.addEventListener('input', () => this.#setSplit(Number(range.value) / 100));
    const actions = {
      in: () => this.#zoomBy(ZOOM_STEP),
      out: () => this.#zoomBy(1 / ZOOM_STEP),
      full: () => this.#setView(zoomTo(this.view, this.frame, fullScale(this.frame))),
      whole: () => this.#setView(fit(this.frame)),
      large: onLarge,
    };
    for (const button of this.element.querySelectorAll('button')) {
      const action = actions[/** @type {keyof typeof actions} */ (button.dataset.do)];
      if (action === undefined) button.remove();
      else button.addEventListener('click', action);
    }
  }

  /** @param {WheelEvent} event */
  #onWheel(event) {
    const now = performance.now();
    if (!event.ctrlKey && now - lastPageScroll < SCROLL_REST_MS) return;
    // At the whole picture there is nothing to zoom out of: the page scrolls on.
    if (event.deltaY > 0 && !event.ctrlKey && isFit(this.view, this.frame)) return;
    event.preventDefault();
    const px = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE_PX : 1);
    // A trackpad's pinch arrives as a wheel with Ctrl and with far smaller steps.
    const speed = event.ctrlKey ? WHEEL_ZOOM_PER_PX * 6 : WHEEL_ZOOM_PER_PX;
    this.#zoomBy(Math.exp(-px * speed), this.#pointOf(event));
  }

  /** @param {PointerEvent} event */
  #onDown(event) {
    if (event.pointerType === 'mouse' && event.button !== 0) return;
    this.stage.setPointerCapture(event.pointerId);
    const point = this.#pointOf(event);
    this.#pointers.set(event.pointerId, point);
    const onDivider = this.divider.contains(/** @type {Node} */ (event.target));
    this.#grip = onDivider || isFit(this.view, this.frame) ? 'split' : 'pan';
    if (onDivider) this.range.focus({ preventScroll: true });
    if (this.#pointers.size === 1 && !onDivider) this.#countTap(event.timeStamp, point);
  }

  /** @param {PointerEvent} event */
  #onMove(event) {
    const last = this.#pointers.get(event.pointerId);
    if (last === undefined) return;
    const point = this.#pointOf(event);
    const others = [...this.#pointers].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
    this.#pointers.set(event.pointerId, point);
    const other = others[0];
    if (other !== undefined) this.#pinch(other, last, point);
    else if (this.#grip === 'pan') {
      this.#setView(panBy(this.view, this.frame, point.x - last.x, point.y - last.y));
    } else if (!this.element.classList.contains('is-single')) {
      this.#setSplit(point.x / this.frame.stage.width);
    }
  }

  /** @param {PointerEvent} event */
  #onUp(event) {
    this.#pointers.delete(event.pointerId);
    // The finger that stays after a pinch moves the picture, not the divider.
    if (this.#pointers.size === 1) this.#grip = isFit(this.view, this.frame) ? undefined : 'pan';
  }

  /**
   * One of two fingers moved: the picture follows both.
   * @param {{ x: number, y: number }} other
   * @param {{ x: number, y: number }} last
   * @param {{ x: number, y: number }} point
   */
  #pinch(other, last, point) {
    const before = Math.hypot(last.x - other.x, last.y - other.y);
    const after = Math.hypot(point.x - other.x, point.y - other.y);
    const middle = { x: (point.x + other.x) / 2, y: (point.y + other.y) / 2 };
    const panned = panBy(this.view, this.frame, (point.x - last.x) / 2, (point.y - last.y) / 2);
    const scale = clamp({ ...panned, scale: panned.scale * (after / Math.max(before, 1)) }, this.frame).scale;
    this.#setView(zoomTo(panned, this.frame, scale, middle));
  }

  /** @param {number} at @param {{ x: number, y: number }} point */
  #countTap(at, point) {
    const { at: lastAt, x, y } = this.#lastTap;
    const isDouble = at - lastAt < DOUBLE_TAP_MS && Math.hypot(point.x - x, point.y - y) < 30;
    this.#lastTap = { at: isDouble ? 0 : at, ...point };
    if (isDouble) this.#toggleZoom(point);
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const pan = (/** @type {number} */ dx, /** @type {number} */ dy) =>
      this.#setView(panBy(this.view, this.frame, dx * PAN_STEP_PX, dy * PAN_STEP_PX));
    /** @type {Record<string, () => void>} */
    const keys = {
      '+': () => this.#zoomBy(ZOOM_STEP),
      '=': () => this.#zoomBy(ZOOM_STEP),
      '-': () => this.#zoomBy(1 / ZOOM_STEP),
      0: () => this.#setView(fit(this.frame)),
      1: () => this.#setView(zoomTo(this.view, this.frame, fullScale(this.frame))),
    };
    // The page keeps its arrow keys while there is nothing to pan.
    if (event.target === this.stage && !isFit(this.view, this.frame)) {
      keys.ArrowLeft = () => pan(1, 0);
      keys.ArrowRight = () => pan(-1, 0);
      keys.ArrowUp = () => pan(0, 1);
      keys.ArrowDown = () => pan(0, -1);
    }
    const action = keys[event.key];
    if (action === undefined) return;
    event.preventDefault();
    action();
  }

  /** @param {MouseEvent} event */
  #pointOf(event) {
    const { left, top } = this.stage.getBoundingClientRect();
    return { x: event.clientX - left - this.stage.clientLeft, y: event.clientY - top - this.stage.clientTop };
  }

  /** The photo, then the result. */
  #images() {
    const [before, after] = this.element.querySelectorAll('img');
    return /** @type {[HTMLImageElement, HTMLImageElement]} */ ([before, after]);
  }

  /** @param {string} name */
  #part(name) {
    return /** @type {HTMLElement} */ (this.element.querySelector(`[data-part="${name}"]`));
  }
}
