/** Where a photo stands, as a sentence. */
import { isFinal } from './follower.js';
import { formatPercent, t } from './language.js';

/** @typedef {import('./photos.js').Photo} Photo */

/** Below this a number of seconds would be wrong more often than right. */
const SHORTEST_S = 2;

/** Whether something more will happen to it. @param {Photo} photo */
export function isOpen({ phase, upscale }) {
  if (phase === 'sent') return upscale === undefined || !isFinal(upscale);
  return phase === 'stored' || phase === 'sending';
}

/** @param {Photo} photo */
export function stateText(photo) {
  const { phase, share = 0, upscale, problem } = photo;
  if (phase === 'sending' && problem !== undefined) return t('state.stored');
  if (phase === 'sending') {
    return share >= 1 ? t('state.arriving') : t('state.sending', { percent: formatPercent(share) });
  }
  if (phase !== 'sent') return t(`state.${phase}`);
  if (upscale === undefined) return t('state.queued');
  if (upscale.status === 'queued') return join(placeText(upscale.position), timeText(upscale));
  if (upscale.status === 'processing') {
    return join(t('state.processing', { percent: formatPercent(upscale.progress) }), timeText(upscale));
  }
  return t(`state.${upscale.status}`);
}

/** @param {number | null} position */
function placeText(position) {
  if (position === null) return t('state.queued');
  return position <= 1 ? t('state.queued.next') : t('state.queued.place', { n: position });
}

/** @param {import('./requests.js').Upscale} upscale */
function timeText({ remainingSeconds }) {
  if (typeof remainingSeconds !== 'number' || remainingSeconds < SHORTEST_S) return '';
  const seconds = Math.round(remainingSeconds);
  if (seconds < 60) return t('time.seconds', { n: seconds });
  return t('time.minutes', { n: Math.round(seconds / 60) });
}

/** @param {string} state @param {string} time */
function join(state, time) {
  return time === '' ? state : `${state}, ${time}`;
}
