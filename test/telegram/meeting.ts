/** The whole product with the fake Telegram, in one process: for tests of the bot. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { openService } from '../../src/app.ts';
import type { Roles } from '../../src/cli/command.ts';
import { readConfig } from '../../src/config.ts';
import { prepareDatabase } from '../helpers/data-folder.ts';
import { temporaryFolder } from '../helpers/engine.ts';
import type { ChatState, StoredMessage } from './chats.ts';
import { type FakeTelegram, startFakeTelegram } from './fake-telegram.ts';

export interface Meeting {
  readonly telegram: FakeTelegram;
  /** Where the API listens. */
  readonly url: string;
  /** Ends the product, and starts it again with the same data. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const ALL: Roles = { api: true, worker: true, bot: true };

/** Opens API, worker, engine and bot on a new data folder; at the end nothing may have been wrong for Telegram. */
export async function meet(
  t: TestContext,
  settings: Record<string, string> = {},
  fake: Parameters<typeof startFakeTelegram>[0] = {},
  roles: Roles = ALL,
): Promise<Meeting> {
  const telegram = await startFakeTelegram(fake);
  const folder = temporaryFolder(t);
  const env = {
    ...{ DATA_DIR: folder, EXECUTION_PROVIDER: 'cpu', LOG_LEVEL: 'silent', PORT: '0' },
    ...{ BOT_TOKEN: telegram.token, TELEGRAM_API_ROOT: telegram.url, ADMIN_IDS: '9', ...settings },
  };
  await prepareDatabase(env.DATA_DIR);
  let service = await openService(readConfig(env), roles);
  t.after(async () => {
    await service.close();
    await telegram.close();
    assert.deepEqual(telegram.complaints(), []);
  });
  return {
    telegram,
    get url() {
      return service.url ?? '';
    },
    async restart() {
      await service.close();
      service = await openService(readConfig(env), roles);
    },
    stop: () => service.close(),
  };
}

/** Waits until `find` finds something: the bot answers when it answers. */
export async function eventually<T>(
  find: () => T | undefined | false,
  what = 'nothing came',
  ms = 30_000,
): Promise<T> {
  const until = performance.now() + ms;
  for (;;) {
    const found = find();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > until) throw new Error(what);
    await new Promise((done) => setTimeout(done, 20));
  }
}

/** What the bot has sent into a chat that is a result. */
export function results(telegram: FakeTelegram, chat: ChatState): StoredMessage[] {
  return telegram.messages(chat, true).filter(({ document, photo }) => document ?? photo);
}

/** The first message of the bot with these words. */
export function said(telegram: FakeTelegram, chat: ChatState, words: RegExp): StoredMessage | undefined {
  return telegram.messages(chat, true).find(({ text, caption }) => words.test(text ?? caption ?? ''));
}
