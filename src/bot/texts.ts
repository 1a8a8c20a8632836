/** Everything the bot says, in two languages: Fluent messages of `locales/`. The only file that imports Fluent. */
import { readFileSync } from 'node:fs';
import { FluentBundle, FluentResource } from '@fluent/bundle';
import type { Language } from '../client/telegram-client.ts';

/** Beside `src` and `dist` alike. */
const FOLDER = new URL('../../locales/', import.meta.url);

type Voice = (id: string, values?: Readonly<Record<string, string | number>>) => string;

/** A message with its values put in; HTML as Telegram reads it, the values escaped. */
export interface Say extends Voice {
  /** The same for what is no HTML: labels of buttons, their answers, captions and messages without a mode. */
  readonly plain: Voice;
}

/** One voice for each language. @throws Error for a file that is wrong, or a message that is not there */
export function openTexts(): Readonly<Record<Language, Say>> {
  return { en: voice('en'), ru: voice('ru') };
}

function voice(language: Language): Say {
  // Isolation marks around values would break addresses and numbers in chat programs.
  const bundle = new FluentBundle(language, { useIsolating: false });
  const mistakes = bundle.addResource(
    new FluentResource(readFileSync(new URL(`${language}.ftl`, FOLDER), 'utf8')),
  );
  if (mistakes.length > 0) throw mistakes[0];
  const plain: Voice = (id, values = {}) => {
    const message = bundle.getMessage(id);
    if (message?.value == null) throw new Error(`there is no text ${id} in ${language}`);
    return bundle.formatPattern(message.value, values);
  };
  const html: Voice = (id, values = {}) => {
    const safe = Object.entries(values).map(([name, value]): [string, string | number] => [
      name,
      typeof value === 'string' ? escapeHtml(value) : value,
    ]);
    return plain(id, Object.fromEntries(safe));
  };
  return Object.assign(html, { plain });
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Ids of all messages of a language, for tests. */
export function messageIds(language: Language): string[] {
  const text = readFileSync(new URL(`${language}.ftl`, FOLDER), 'utf8');
  return [...text.matchAll(/^([a-zA-Z][\w-]*) =/gm)].map(([, id]) => id ?? '');
}

/** The language for somebody whose chat program says `code`, such as `ru` or `en-GB`. */
export function languageFor(code: string | undefined, wished: Language | null): Language {
  return wished ?? (/^(ru|be|uk|kk|ky|uz|tg)\b/.test(code ?? '') ? 'ru' : 'en');
}

/** Reasons that photos and results are told to users with; every other one is an error of ours. */
export const TOLD_ERRORS = [
  ...['TOO_MANY_BYTES', 'TOO_MANY_PIXELS', 'OUTPUT_TOO_LARGE', 'NOT_AN_IMAGE', 'INPUT_EMPTY', 'IMAGE_BROKEN'],
  ...[
    'QUOTA_EXCEEDED',
    'BANNED',
    'TIMEOUT',
    'EXPIRED',
    'BLOB_MISSING',
    'UPSCALE_NOT_FOUND',
    'DOWNLOAD_FAILED',
  ],
  ...['MODEL_UNKNOWN'],
] as const;

/** What a user is told about an error: what happened, and the next step. */
export function tellError(say: Say, code: string, megabytes: number): string {
  const isTold = TOLD_ERRORS.some((told) => told === code);
  return say(isTold ? `error-${code}` : 'error-other', { megabytes });
}
