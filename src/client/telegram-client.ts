/** A typed client of what the Telegram bot asks the API for, beside photos. Knows nothing but HTTP. */
import type { Look } from '../job.ts';
import { type CallOptions, type ClientOptions, createCaller, type UpscaleState } from './client.ts';

export type Language = 'en' | 'ru';
export type SendAs = 'file' | 'photo';

export interface UserSettings {
  /** Null: chosen by the size of the photo. */
  readonly scale: 2 | 4 | null;
  readonly look: Look;
  readonly sendAs: SendAs;
  /** Null: as the chat program says. */
  readonly language: Language | null;
}

/** Why a result was not good. */
export type Reason = 'unreadable' | 'letters' | 'slow' | 'other';

export interface Me {
  readonly settings: UserSettings;
  readonly isAdmin: boolean;
  /** Since when their photos may be used; null: they may not. */
  readonly consentAt: string | null;
  readonly ban: { readonly reason: string | null; readonly until: string | null } | null;
  readonly openUpscales: number;
  readonly createdAt: string;
}

/** A photo message whose result, or whose refusal, is to be sent. */
export interface NewDelivery {
  readonly chatId: number;
  readonly threadId?: number | null;
  readonly isGroup: boolean;
  readonly albumId?: string | null;
  readonly messageId: number;
  readonly sendAs: SendAs;
  readonly language: Language;
  readonly fileName?: string | null;
  /** Exactly one of the two. */
  readonly upscaleId?: string;
  readonly errorCode?: string;
}

interface Place {
  readonly id: string;
  readonly telegramId: number;
  readonly chatId: number;
  readonly threadId: number | null;
  readonly isGroup: boolean;
  readonly language: Language;
  readonly statusMessageId: number | null;
}

export interface LeasedItem {
  readonly messageId: number;
  readonly fileName: string | null;
  readonly upscale: UpscaleState | null;
  readonly errorCode: string | null;
  readonly sentMessageId: number | null;
  /** Its message is in a chat that has moved: nothing can reply to it. */
  readonly isLeftBehind: boolean;
}

export interface LeasedDelivery extends Place {
  readonly lease: string;
  readonly albumId: string | null;
  readonly sendAs: SendAs;
  /** Whether to ask what they think of it. */
  readonly asksRating: boolean;
  readonly attempts: number;
  readonly items: LeasedItem[];
}

export interface Ack {
  readonly lease: string;
  /** `later`: a retry that does not count as an attempt, because Telegram is away or asks for a pause. */
  readonly outcome: 'sent' | 'partly' | 'gone' | 'retry' | 'later';
  readonly sent?: {
    readonly messageId: number;
    readonly sentMessageId: number;
    readonly fileId?: string;
    readonly fileKind?: 'document' | 'photo';
  }[];
  /** With `partly`: the lease goes on for so long from now. */
  readonly leaseSeconds?: number;
  readonly afterSeconds?: number;
  readonly reason?: string;
}

export interface DueStatus extends Place {
  readonly messageId: number;
  readonly total: number;
  readonly ended: number;
  readonly progress: number;
  readonly position: number | null;
  readonly remainingSeconds: number | null;
}

interface Quantiles {
  readonly p50: number | null;
  readonly p95: number | null;
}

export interface Statistics {
  readonly users: { readonly all: number; readonly new: number; readonly active: number };
  readonly photos: {
    readonly done: number;
    readonly failed: number;
    readonly cancelled: number;
    readonly open: number;
  };
  readonly waitSeconds: Quantiles;
  readonly totalSeconds: Quantiles;
  readonly ratings: { readonly positive: number; readonly negative: number };
  readonly failures: { readonly code: string; readonly photos: number }[];
  readonly models: { readonly model: string; readonly photos: number }[];
}

export interface QueueState {
  readonly queued: number;
  readonly processing: number;
  readonly oldestSeconds: number;
  readonly dead: {
    readonly upscaleId: string;
    readonly code: string;
    readonly message: string;
    readonly at: string;
  }[];
  readonly failedDeliveries: {
    readonly id: string;
    readonly chatId: number;
    readonly error: string | null;
    readonly endedAt: string;
  }[];
}

/** An answer of a survey. */
export interface Choice {
  readonly en: string;
  readonly ru: string;
}

export interface Broadcast {
  readonly id: string;
  readonly text: { readonly en: string; readonly ru: string };
  readonly state: 'draft' | 'running' | 'stopped' | 'done';
  /** Of a survey. */
  readonly options: Choice[] | null;
  readonly answered: number;
  readonly waiting: number;
  readonly sent: number;
  readonly gone: number;
}

export interface Recipient {
  readonly broadcastId: string;
  readonly text: { readonly en: string; readonly ru: string };
  readonly options: Choice[] | null;
  readonly telegramId: number;
  readonly language: string | null;
}

/** What a volunteer of the reading trial is asked. */
export interface Question {
  readonly itemId: string;
  readonly kind: 'word' | 'formula';
  readonly answered: number;
  readonly left: number;
}

/** Calls that act for one user: the options name them. Throws as `createClient` says. */
export function createUserClient(options: ClientOptions) {
  const { json, send, bytes } = speak(options);
  return {
    /** @param language what their chat program speaks, to be remembered */
    getMe: (language?: Language, call?: CallOptions) =>
      json<Me>('GET', language === undefined ? '/v1/me' : `/v1/me?language=${language}`, undefined, call),
    patchMe: (settings: Partial<UserSettings>, call?: CallOptions) =>
      json<Me>('PATCH', '/v1/me', settings, call),
    putConsent: (agreed: boolean, call?: CallOptions) => json<Me>('PUT', '/v1/me/consent', { agreed }, call),
    deleteMe: (call?: CallOptions) => send('DELETE', '/v1/me', undefined, call),
    getMyData: (call?: CallOptions) => json<Record<string, unknown[]>>('GET', '/v1/me/data', undefined, call),
    /** How many were cancelled. */
    cancelMine: async (call?: CallOptions) =>
      (await json<{ count: number }>('POST', '/v1/me/cancel', undefined, call)).count,
    /** The same photo once more; the same `idempotencyKey` gives the same upscale. */
    againUpscale: (
      id: string,
      { idempotencyKey, ...otherwise }: { scale?: 2 | 4; look?: Look; idempotencyKey: string },
      call?: CallOptions,
    ) =>
      json<UpscaleState>('POST', `/v1/upscales/${encodeURIComponent(id)}/again`, otherwise, call, {
        'Idempotency-Key': idempotencyKey,
      }),
    giveFeedback: (
      feedback: {
        readonly upscaleId?: string;
        readonly rating?: -1 | 1;
        readonly reason?: Reason;
        readonly comment?: string;
      },
      call?: CallOptions,
    ) => send('POST', '/v1/feedback', feedback, call),
    /** The same photo message again changes nothing. */
    createDelivery: (delivery: NewDelivery, call?: CallOptions) =>
      json<{ id: string }>('POST', '/v1/deliveries', delivery, call),
    cancelDelivery: async (id: string, call?: CallOptions) =>
      (
        await json<{ count: number }>(
          'POST',
          `/v1/deliveries/${encodeURIComponent(id)}/cancel`,
          undefined,
          call,
        )
      ).count,
    /** Undefined: nothing is left to read. */
    nextQuestion: async (call?: CallOptions) =>
      (await json<{ question: Question | null }>('GET', '/v1/trial/next', undefined, call)).question ??
      undefined,
    /** What was asked within the last hour and is not answered. */
    openQuestion: async (call?: CallOptions) =>
      (await json<{ itemId: string | null }>('GET', '/v1/trial/open', undefined, call)).itemId ?? undefined,
    getCrop: async (itemId: string, call?: CallOptions) =>
      bytes(`/v1/trial/items/${encodeURIComponent(itemId)}/crop`, call),
    /** @param answer null: it cannot be read */
    answerQuestion: (itemId: string, answer: string | null, call?: CallOptions) =>
      send('POST', `/v1/trial/items/${encodeURIComponent(itemId)}/reading`, { answer }, call),
    getStatistics: (days: number, call?: CallOptions) =>
      json<Statistics>('GET', `/v1/admin/statistics?days=${days}`, undefined, call),
    getQueue: (call?: CallOptions) => json<QueueState>('GET', '/v1/admin/queue', undefined, call),
    retryDead: (upscaleId: string, call?: CallOptions) =>
      send('POST', `/v1/admin/queue/${encodeURIComponent(upscaleId)}/retry`, undefined, call),
    ban: (
      ban: { readonly telegramId: number; readonly reason?: string; readonly until?: string },
      call?: CallOptions,
    ) => send('POST', '/v1/admin/bans', ban, call),
    unban: (telegramId: number, call?: CallOptions) =>
      send('DELETE', `/v1/admin/bans/${telegramId}`, undefined, call),
    /** With `options` it is a survey. */
    createBroadcast: (
      text: { readonly en: string; readonly ru: string; readonly options?: readonly Choice[] },
      call?: CallOptions,
    ) => json<Broadcast>('POST', '/v1/admin/broadcasts', text, call),
    /** CSV. */
    getAnswers: (id: string, call?: CallOptions) =>
      bytes(`/v1/admin/broadcasts/${encodeURIComponent(id)}/answers`, call),
    /** @param option null: it is taken back */
    answerPoll: (pollId: string, option: number | null, call?: CallOptions) =>
      send('POST', `/v1/polls/${encodeURIComponent(pollId)}/answer`, { option }, call),
    getReport: (format: 'html' | 'md' | 'json', since?: string, call?: CallOptions) =>
      bytes(`/v1/admin/report?format=${format}${since === undefined ? '' : `&since=${since}`}`, call),
    getBroadcast: (id: string, call?: CallOptions) =>
      json<Broadcast>('GET', `/v1/admin/broadcasts/${encodeURIComponent(id)}`, undefined, call),
    startBroadcast: (id: string, call?: CallOptions) =>
      json<Broadcast>('POST', `/v1/admin/broadcasts/${encodeURIComponent(id)}/start`, undefined, call),
    stopBroadcast: (id: string, call?: CallOptions) =>
      json<Broadcast>('POST', `/v1/admin/broadcasts/${encodeURIComponent(id)}/stop`, undefined, call),
  };
}
export type UserClient = ReturnType<typeof createUserClient>;

/** Calls of whoever sends to chats, for nobody in particular. Throws as `createClient` says. */
export function createSenderClient(options: Omit<ClientOptions, 'user'>) {
  const { json, send } = speak(options);
  return {
    /** @param lease `wait`: seconds to wait for the first one, 60 at most */
    leaseDeliveries: async (
      lease: { max: number; leaseSeconds: number; wait?: number },
      call?: CallOptions,
    ) =>
      (await json<{ deliveries: LeasedDelivery[] }>('POST', '/v1/deliveries/lease', lease, call)).deliveries,
    ackDelivery: (id: string, ack: Ack, call?: CallOptions) =>
      send('POST', `/v1/deliveries/${id}/ack`, ack, call),
    leaseStatuses: async (max: number, call?: CallOptions) =>
      (await json<{ statuses: DueStatus[] }>('POST', '/v1/deliveries/statuses', { max }, call)).statuses,
    /** False: the delivery has ended, and the message is nobody's. */
    putStatus: async (id: string, statusMessageId: number, call?: CallOptions) =>
      (await json<{ open: boolean }>('PUT', `/v1/deliveries/${id}/status`, { statusMessageId }, call)).open,
    moveChat: (from: number, to: number, call?: CallOptions) =>
      send('POST', `/v1/chats/${from}/move`, { to }, call),
    markChatGone: async (chatId: number, reason: string, call?: CallOptions) =>
      (await json<{ count: number }>('POST', `/v1/chats/${chatId}/gone`, { reason }, call)).count,
    leaseRecipients: async (max: number, leaseSeconds: number, call?: CallOptions) =>
      (await json<{ recipients: Recipient[] }>('POST', '/v1/broadcasts/lease', { max, leaseSeconds }, call))
        .recipients,
    ackRecipient: (
      broadcastId: string,
      how: {
        readonly telegramId: number;
        readonly outcome: 'sent' | 'gone' | 'retry';
        readonly pollId?: string;
        readonly afterSeconds?: number;
      },
      call?: CallOptions,
    ) => send('POST', `/v1/broadcasts/${broadcastId}/recipients`, how, call),
  };
}
export type SenderClient = ReturnType<typeof createSenderClient>;

/** JSON there and back. */
export function speak(options: ClientOptions) {
  const call = createCaller(options);

  function send(
    method: string,
    path: string,
    body: unknown,
    circumstances: CallOptions = {},
    headers: Record<string, string> = {},
  ): Promise<Response> {
    const init: RequestInit = { method, headers };
    if (body !== undefined || method === 'POST') {
      init.headers = { ...headers, 'Content-Type': 'application/json' };
      init.body = JSON.stringify(body ?? {});
    }
    return call(path, circumstances, init);
  }

  return {
    async json<T>(...args: Parameters<typeof send>): Promise<T> {
      return (await (await send(...args)).json()) as T;
    },
    async bytes(path: string, circumstances: CallOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
      return new Uint8Array(await (await call(path, circumstances)).arrayBuffer());
    },
    async send(...args: Parameters<typeof send>): Promise<void> {
      await send(...args);
    },
  };
}
