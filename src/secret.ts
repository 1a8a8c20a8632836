/** A value that must never be printed: tokens and keys. */
import { inspect } from 'node:util';

const PLACEHOLDER = '[secret]';

/** Holds a secret so that printing, logging or serialising it yields a placeholder. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself, for the one call that needs it. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return PLACEHOLDER;
  }

  toJSON(): string {
    return PLACEHOLDER;
  }

  [inspect.custom](): string {
    return PLACEHOLDER;
  }
}

/** Tokens of Telegram's bots, also where they follow `bot` in an address: a word boundary would miss those. */
const BOT_TOKENS = /(?<!\d)(\d{5,16}):[A-Za-z0-9_-]{30,}/g;

/** The text with every bot token made unusable. */
export function redactTokens(text: string): string {
  return text.replace(BOT_TOKENS, '$1:[secret]');
}
