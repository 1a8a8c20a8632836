/** How updates reach the bot: long polling with Telegram's rules, or a webhook. */
import type { Update } from '@grammyjs/types';
import { badRequest, type State, TelegramError } from './chats.ts';
import { UPDATE_LIFE_MS } from './limits.ts';

const DEFAULT_EXCEPTIONS = ['chat_member', 'message_reaction', 'message_reaction_count'];
const MAX_WAIT_SECONDS = 50;

interface UpdateRequest {
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly signal?: AbortSignal;
}

export interface UpdateQueue {
  add(update: Omit<Update, 'update_id'>): void;
  readonly methods: Readonly<Record<string, (request: UpdateRequest) => unknown>>;
  /** The offset of the last getUpdates: everything below was confirmed. */
  confirmed(): number;
  /** How many wait to be confirmed. */
  pending(): number;
  /** Resolves when somebody waits for an update that is not there yet. */
  waited(): Promise<void>;
  close(): void;
}

function otherPoller(): TelegramError {
  return new TelegramError(
    409,
    'Conflict: terminated by other getUpdates request; make sure that only one bot instance is running',
  );
}

/** @param behind where the requests to a webhook's address end up: behind what speaks TLS for the bot */
export function createUpdateQueue(state: State, behind: (url: string) => string): UpdateQueue {
  let allowed: readonly string[] = [];
  let confirmed = 0;
  let webhook: { url: string; secret: string | undefined } | undefined;
  let waiter: { wake: () => void; conflict: () => void } | undefined;
  let [previousOffset, previousAt] = [Number.NaN, 0];
  let closed = false;
  let delivering: Promise<void> = Promise.resolve();
  let onWait: (() => void)[] = [];

  function isWanted(update: object): boolean {
    return Object.keys(update).some((kind) =>
      allowed.length > 0 ? allowed.includes(kind) : !DEFAULT_EXCEPTIONS.includes(kind),
    );
  }

  function expire(): void {
    state.updates = state.updates.filter(({ at, update }) => {
      const lifeMs = update.callback_query === undefined ? UPDATE_LIFE_MS : 150_000;
      return state.now() - at < lifeMs;
    });
  }

  async function getUpdates({ parameters, signal }: UpdateRequest): Promise<Update[]> {
    if (webhook !== undefined) {
      throw new TelegramError(
        409,
        "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
      );
    }
    const { offset = 0, limit = 100, timeout = 0 } = parameters as Record<string, number>;
    if (parameters.allowed_updates !== undefined) allowed = parameters.allowed_updates as string[];
    // The newer poller wins, the older one is told.
    waiter?.conflict();
    if (offset > confirmed) confirmed = offset;
    expire();
    state.updates = state.updates.filter(({ update }) => update.update_id >= offset);
    const sinceMs = performance.now() - previousAt;
    const hurried = offset === previousOffset && sinceMs < 500;
    previousOffset = offset;
    previousAt = performance.now();
    const most = hurried ? 1 : Math.max(1, Math.min(100, limit));
    if (state.updates.length === 0) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, 1000 * Math.min(closed ? 0 : timeout, MAX_WAIT_SECONDS));
      const own = { wake: resolve, conflict: () => reject(otherPoller()) };
      waiter = own;
      for (const tell of onWait) tell();
      onWait = [];
      signal?.addEventListener('abort', () => resolve());
      try {
        await promise;
      } finally {
        clearTimeout(timer);
        if (waiter === own) waiter = undefined;
      }
    }
    return state.updates.slice(0, most).map(({ update }) => update);
  }

  /** In order, one after the other; what is not answered with 200 comes again. */
  async function deliver(): Promise<void> {
    while (webhook !== undefined && !closed) {
      const [next] = state.updates;
      if (next === undefined) return;
      const { url, secret } = webhook;
      const headers: Record<string, string> = { 'Content-Type': 'application/json' };
      if (secret !== undefined) headers['X-Telegram-Bot-Api-Secret-Token'] = secret;
      const answered = await fetch(behind(url), {
        method: 'POST',
        headers,
        body: JSON.stringify(next.update),
      }).catch(() => undefined);
      if (answered?.ok) {
        state.updates = state.updates.filter((known) => known !== next);
        confirmed = Math.max(confirmed, next.update.update_id + 1);
      } else await new Promise((done) => setTimeout(done, 100));
    }
  }

  const methods: UpdateQueue['methods'] = {
    getUpdates,
    setWebhook({ parameters }) {
      const { url, secret_token: secret } = parameters as { url: string; secret_token?: string };
      if (url === '') webhook = undefined;
      else {
        if (!url.startsWith('https:'))
          throw badRequest('bad webhook: An HTTPS URL must be provided for webhook');
        if (secret !== undefined && !/^[A-Za-z0-9_-]{1,256}$/.test(secret)) {
          throw badRequest('secret token contains unallowed characters');
        }
        webhook = { url, secret };
        if (parameters.drop_pending_updates) state.updates = [];
        if (parameters.allowed_updates !== undefined) allowed = parameters.allowed_updates as string[];
        delivering = delivering.then(deliver);
      }
      return true;
    },
    deleteWebhook({ parameters }) {
      webhook = undefined;
      if (parameters.drop_pending_updates) state.updates = [];
      return true;
    },
    getWebhookInfo: () => ({
      ...{
        url: webhook?.url ?? '',
        has_custom_certificate: false,
        pending_update_count: state.updates.length,
      },
    }),
  };

  return {
    add(update) {
      if (!isWanted(update)) return;
      state.updates.push({
        update: { update_id: state.nextUpdateId++, ...update } as Update,
        at: state.now(),
      });
      waiter?.wake();
      delivering = delivering.then(deliver);
    },
    methods,
    confirmed: () => confirmed,
    pending: () => state.updates.length,
    waited() {
      const { promise, resolve } = Promise.withResolvers<void>();
      if (waiter === undefined) onWait.push(resolve);
      else resolve();
      return promise;
    },
    close() {
      closed = true;
      waiter?.wake();
    },
  };
}
