/** The Telegram bot as a whole: a client of Telegram on one side and of the REST API on the other, with no state between. */
import { setMaxListeners } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { Api, Bot, type Transformer } from 'grammy';
import type { Update, UserFromGetMe } from 'grammy/types';
import type { Config } from '../config.ts';
import { AppError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Secret } from '../secret.ts';
import { addAdministration } from './administration.ts';
import { runBroadcasts } from './broadcasts.ts';
import { addConversation } from './conversation.ts';
import { runDeliveries } from './deliver.ts';
import { type ApiAddress, type Desk, meetApi } from './desk.ts';
import { handleUpdate, wordsOf } from './handle-update.ts';
import { type Listener, listenForHealth } from './listener.ts';
import { addAnonymous } from './meant.ts';
import { addOpinions } from './opinions.ts';
import { createPacing, keepPace } from './pacing.ts';
import { startPolling } from './polling.ts';
import { presentBot, presentToAdmin } from './profile.ts';
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
/** Of one call of Telegram, uploads of large results through slow networks included; `telegram-fetch.ts` is stricter with others. */
const CALL_SECONDS = 960;
const LONGEST_BACKOFF_MS = 30_000;
/** Twenty megabytes each, at most. */
const PHOTOS_AT_ONCE = 24;

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
  const refused = Promise.withResolvers<never>();
  // It may be refused before anybody waits for it, and whom nobody waits for ends the whole process.
  refused.promise.catch(() => undefined);
  // A token that was taken back is noticed by whoever needs it first: with a webhook nobody asks for updates.
  const noticeToken: Transformer = async (previous, method, payload, abort) => {
    const answer = await previous(method, payload, abort);
    if (!answer.ok && answer.error_code === 401)
      refused.reject(new AppError('TELEGRAM_TOKEN', 'it answered 401'));
    return answer;
  };
  api.config.use(noticeToken);
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
  bot.api.config.use(noticeToken, keepPace(desk.pacing));
  addAnonymous(desk, bot);
  // Before their first word Telegram knows no chat with them to show commands in.
  bot.command('start', async (ctx, next) => {
    if (adminIds.includes(ctx.from?.id ?? 0)) await presentToAdmin(api, desk.say, ctx.from?.id ?? 0);
    await next();
  });
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

  // Beside the API the process goes on without the bot: nothing of it may ask for ever.
  const ended = Promise.race([receiving.ended, refused.promise]);
  ended.catch(() => stopping.abort());
  let closing: Promise<void> | undefined;
  return {
    ended,
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
    const isRunning = () => !desk.stopping.aborted;
    listener = await listenForHealth({ host, port: botPort, isRunning }, secret && { secret, handle });
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
