/** The Telegram bot as a whole: a client of Telegram on one side and of the REST API on the other, with no state between. */
import { setMaxListeners } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { Api, Bot, type BotError } from 'grammy';
import type { Update, UserFromGetMe } from 'grammy/types';
import type { Config } from '../config.ts';
import { AppError, toAppError } from '../errors.ts';
import type { Log } from '../log.ts';
import { redactTokens, type Secret } from '../secret.ts';
import { addAdministration } from './administration.ts';
import { runBroadcasts } from './broadcasts.ts';
import { addConversation } from './conversation.ts';
import { runDeliveries } from './deliver.ts';
import { type ApiAddress, type Desk, meetApi } from './desk.ts';
import { type Listener, listenForHealth } from './listener.ts';
import { addOpinions } from './opinions.ts';
import { createPacing } from './pacing.ts';
import { startPolling } from './polling.ts';
import { presentBot } from './profile.ts';
import { addReading } from './reading.ts';
import { runRoomChores, runRoomSends } from './room-sends.ts';
import { addRooms } from './rooms.ts';
import { runStatuses } from './status.ts';
import { understandRefusal } from './telegram-errors.ts';
import { createFileFetch, createTelegramFetch } from './telegram-fetch.ts';
import { openTexts } from './texts.ts';
import { createTurns } from './turns.ts';

type ClientOptions = NonNullable<ConstructorParameters<typeof Api>[1]>;

const ALLOWED_UPDATES = ['message', 'callback_query', 'my_chat_member', 'poll_answer'] as const;
/** Of one call of Telegram; uploads of large results need most of it. */
const CALL_SECONDS = 120;
const LONGEST_BACKOFF_MS = 30_000;
/** Twenty megabytes each, at most. */
const PHOTOS_AT_ONCE = 24;
/** An update that fails so often, and not because somebody is away, is a mistake of ours and must not stop the others. */
const MAX_OWN_FAULTS = 4;

export interface RunningBot {
  /** Rejects with TELEGRAM_TOKEN or TELEGRAM_CONFLICT when the bot cannot go on. */
  readonly ended: Promise<void>;
  /** Ends it cleanly: nothing new is begun, what is in hand is finished within seconds. Idempotent. */
  close(): Promise<void>;
}

export type BotSettings = Pick<
  Config,
  'telegramApiRoot' | 'telegramProxy' | 'webhook' | 'botPort' | 'host' | 'adminIds'
> & { readonly botToken: Secret };

/**
 * Starts the bot.
 * @param stop aborts the waiting for Telegram and for the API, and what runs afterwards
 * @throws AppError TELEGRAM_TOKEN; whatever else is away is waited for
 */
export async function openBot(
  settings: BotSettings,
  address: ApiAddress,
  log: Log,
  stop: AbortSignal,
): Promise<RunningBot> {
  const { botToken: token, telegramApiRoot: apiRoot, adminIds } = settings;
  const fetch = createTelegramFetch(settings.telegramProxy);
  // grammY's own type of `fetch` is that of its node-fetch.
  const client = { apiRoot, fetch, timeoutSeconds: CALL_SECONDS } as unknown as ClientOptions;
  const api = new Api(token.reveal(), client);
  const stopping = new AbortController();
  const signal = AbortSignal.any([stopping.signal, stop]);
  // Every call that can be cut off listens to it.
  setMaxListeners(0, signal);

  const patiently = <T>(what: string, work: () => Promise<T>): Promise<T> =>
    untilDone(work, { what, log, signal });
  const botInfo: UserFromGetMe = await patiently('Telegram', () => api.getMe());
  const met = meetApi(address);
  const limits = await patiently('the API', () => met.person(botInfo.id).photos.getLimits());
  await patiently('the API', () => met.rooms.putBot(botInfo.username));
  const desk: Desk = {
    ...{
      api,
      botInfo,
      fetch: createFileFetch(settings.telegramProxy),
      token,
      apiRoot,
      limits,
      log,
      stopping: signal,
      storing: createTurns(PHOTOS_AT_ONCE),
      pacing: createPacing(),
    },
    ...{ say: openTexts(), ...met },
  };

  const bot = new Bot(token.reveal(), { botInfo, client });
  addAdministration(desk, bot);
  addRooms(desk, bot);
  addOpinions(desk, bot);
  addReading(desk, bot);
  addConversation(desk, bot);
  const handle = (update: Update): Promise<boolean> => handleUpdate(bot, update, desk);

  const presented = patiently('Telegram', () => presentBot(api, desk.say, adminIds)).catch(
    (thrown: unknown) => {
      if (!signal.aborted)
        log.warn({ reason: wordsOf(thrown) }, 'commands and descriptions could not be set');
    },
  );
  const lanes = [runDeliveries(desk), runStatuses(desk), runBroadcasts(desk)];
  const loops = [...lanes, runRoomSends(desk), runRoomChores(desk, adminIds), presented];
  const receiving = await startReceiving(settings, { api, handle, desk, patiently });
  log.info({ bot: botInfo.username, webhook: settings.webhook !== undefined }, 'the bot is ready');

  let closing: Promise<void> | undefined;
  return {
    ended: receiving.ended,
    close() {
      closing ??= (async () => {
        const stopped = receiving.stop();
        stopping.abort();
        await stopped;
        await Promise.all(loops);
      })();
      return closing;
    },
  };
}

interface Receiving {
  readonly api: Api;
  readonly handle: (update: Update) => Promise<boolean>;
  readonly desk: Desk;
  readonly patiently: <T>(what: string, work: () => Promise<T>) => Promise<T>;
}

/** Lets updates come: by asking for them, or to a webhook. */
async function startReceiving(
  { webhook, botPort, host }: BotSettings,
  { api, handle, desk, patiently }: Receiving,
): Promise<{ ended: Promise<void>; stop: () => Promise<void> }> {
  let listener: Listener | undefined;
  if (botPort !== undefined) {
    const secret = webhook?.secret;
    listener = await listenForHealth({ host, port: botPort }, secret && { secret, handle });
  }
  if (webhook !== undefined) {
    await patiently('Telegram', () =>
      api.setWebhook(webhook.url, {
        secret_token: webhook.secret.reveal(),
        allowed_updates: ALLOWED_UPDATES,
      }),
    );
    return { ended: new Promise(() => undefined), stop: async () => listener?.close() };
  }
  await patiently('Telegram', () => api.deleteWebhook());
  const polling = startPolling({
    getUpdates: (request, signal) =>
      api.getUpdates(
        { ...request, allowed_updates: ALLOWED_UPDATES },
        signal as unknown as Parameters<typeof api.getUpdates>[1],
      ),
    handle,
    log: desk.log,
  });
  return {
    ended: polling.ended,
    async stop() {
      await polling.stop();
      await listener?.close();
    },
  };
}

/** True when all about the update is stored; false when the bot stops before. Tries as long as somebody is away. */
async function handleUpdate(bot: Bot, update: Update, { log, stopping }: Desk): Promise<boolean> {
  let [backoffMs, faults] = [500, 0];
  while (!stopping.aborted) {
    try {
      await bot.handleUpdate(update);
      return true;
    } catch (thrown) {
      // Never the update or the context: they hold what users wrote, and the context the token.
      const cause = (thrown as BotError).error ?? thrown;
      const about = { update: update.update_id, reason: wordsOf(cause) };
      if (!isAway(cause) && ++faults >= MAX_OWN_FAULTS) {
        log.error(about, 'an update could not be handled and is given up');
        return true;
      }
      log.warn({ ...about, backoffMs }, 'an update could not be handled yet');
      await pause(waitFor(cause, backoffMs), undefined, { signal: stopping }).catch(() => undefined);
      backoffMs = Math.min(LONGEST_BACKOFF_MS, 2 * backoffMs);
    }
  }
  return false;
}

/** Whether it fails because the API or Telegram does not answer, so that it will work some time. */
function isAway(cause: unknown): boolean {
  if (cause instanceof AppError) return cause.retryable;
  return understandRefusal(cause).kind === 'later';
}

function waitFor(cause: unknown, backoffMs: number): number {
  const refusal = understandRefusal(cause);
  return refusal.kind === 'later' ? Math.max(backoffMs, 1000 * refusal.afterSeconds) : backoffMs;
}

/** Does it again until it works. @throws AppError TELEGRAM_TOKEN at once, and whatever it threw when the signal aborts */
async function untilDone<T>(
  work: () => Promise<T>,
  { what, log, signal }: { what: string; log: Log; signal: AbortSignal },
): Promise<T> {
  let backoffMs = 1000;
  for (;;) {
    try {
      return await work();
    } catch (cause) {
      const { kind } = understandRefusal(cause);
      if (kind === 'token') throw new AppError('TELEGRAM_TOKEN', 'it answered 401');
      // A wrong key stays wrong.
      if (cause instanceof AppError && !cause.retryable) throw cause;
      if (signal.aborted) throw cause;
      log.warn({ reason: wordsOf(cause), backoffMs }, `${what} does not answer yet`);
      await pause(backoffMs, undefined, { signal }).catch(() => undefined);
      backoffMs = Math.min(LONGEST_BACKOFF_MS, 2 * backoffMs);
    }
  }
}

function wordsOf(thrown: unknown): string {
  return redactTokens(toAppError(thrown).message);
}

/** Asks Telegram who the bot is, once; one sentence on it. @throws AppError TELEGRAM_TOKEN, TELEGRAM_UNREACHABLE */
export async function checkTelegram({
  botToken,
  telegramApiRoot: apiRoot,
  telegramProxy,
}: Pick<BotSettings, 'botToken' | 'telegramApiRoot' | 'telegramProxy'>): Promise<string> {
  const client = { apiRoot, fetch: createTelegramFetch(telegramProxy), timeoutSeconds: 10 };
  const api = new Api(botToken.reveal(), client as unknown as ClientOptions);
  try {
    return `@${(await api.getMe()).username} answers`;
  } catch (error) {
    if (understandRefusal(error).kind === 'token') throw new AppError('TELEGRAM_TOKEN', 'it answered 401');
    throw new AppError('TELEGRAM_UNREACHABLE', wordsOf(error));
  }
}
