/** Says a problem in the user's language as what happened, why, and what to do. */
import { formatBytes, hasText, language, t } from './language.js';

/** Codes whose words differ by server but mean the same to whoever holds a photo. @type {Record<string, string>} */
const SAME_AS = {
  BLOB_MISSING: 'UPSCALE_NOT_FOUND',
  DATABASE: 'FAULT',
  ENGINE_CRASHED: 'FAULT',
  ENGINE_FAILED: 'FAULT',
  INTERNAL: 'FAULT',
  MODEL_CORRUPT: 'MODEL_MISSING',
  MODEL_MISFIT: 'MODEL_MISSING',
  REQUEST_TOO_SLOW: 'NETWORK',
  STORAGE: 'FAULT',
};

/** Sending such a photo again would end the same way. */
const FINAL_CODES = new Set([
  'NOT_AN_IMAGE',
  'INPUT_EMPTY',
  'IMAGE_BROKEN',
  'TOO_MANY_BYTES',
  'TOO_MANY_PIXELS',
  'LOST',
]);

/** @param {string} code */
export function mayRetry(code) {
  return !FINAL_CODES.has(code);
}

/**
 * @param {{ code: string, title?: string, detail?: string, action?: string, requestId?: string, limits?: { size: number, limit: number } | undefined }} problem
 * @returns {{ what: string, why: string, next: string, id: string, isForeign: boolean }} `isForeign`: in the server's English
 */
export function explain(problem) {
  const code = SAME_AS[problem.code] ?? problem.code;
  const id = problem.requestId ? t('problem.id', { code: problem.code, id: problem.requestId }) : '';
  const own = `problem.${code}`;
  if (hasText(`${own}.what`)) {
    return { what: t(`${own}.what`), why: whyOf(own, problem), next: t(`${own}.next`), id, isForeign: false };
  }
  // A code this page does not know: the server's own words are better than none.
  const { title, detail, action } = problem;
  return {
    what: title || t('problem.FAULT.what'),
    why: detail || t('problem.FAULT.why'),
    next: action || t('problem.FAULT.next'),
    id: id || t('problem.id', { code: problem.code, id: '–' }),
    isForeign: language() !== 'en' && Boolean(title),
  };
}

/** @param {string} own @param {{ limits?: { size: number, limit: number } | undefined }} problem */
function whyOf(own, { limits }) {
  if (limits === undefined || !hasText(`${own}.why.limit`)) return t(`${own}.why`);
  return t(`${own}.why.limit`, { size: formatBytes(limits.size), limit: formatBytes(limits.limit, 'floor') });
}
