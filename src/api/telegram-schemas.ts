/** The shapes of what the Telegram bot asks for: its users, deliveries, and the administrator's routes. */
import { type Static, type TSchema, Type } from 'typebox';
import { LOOKS } from '../job.ts';
import { REASONS } from '../storage/feedback-records.ts';
import { nullable, UpscaleAnswer, words } from './schemas.ts';

/** Telegram's ids have at most 52 bits. */
export const telegramNumber = Type.Integer({ minimum: -(2 ** 52), maximum: 2 ** 52 });
export const uuid = Type.String({ format: 'uuid' });
export const language = words(['en', 'ru'], 'Of the messages');
const sendAs = words(['file', 'photo'], 'As a file nothing is lost; as a photo Telegram compresses it');
const count = Type.Integer({ minimum: 0 });
export const fileId = Type.String({
  minLength: 1,
  maxLength: 300,
  description: "Telegram's name of the file",
});
export const fileKind = words(['document', 'photo'], 'What Telegram keeps it as');
const seconds = nullable(Type.Number({ minimum: 0 }));

/**
 * In what is sent to us null must stay null: of a list of types the validator converts none that fits, of alternatives
 * it would make 0 or an empty text of it.
 */
export function orNull<T extends TSchema>(schema: T, description?: string) {
  const { type, enum: choices, ...rest } = schema as { type?: string; enum?: unknown[] };
  return Type.Unsafe<Static<T> | null>({
    ...rest,
    type: [type, 'null'],
    ...(choices === undefined ? {} : { enum: [...choices, null] }),
    ...(description === undefined ? {} : { description }),
  });
}

export function closed<T extends Record<string, TSchema>>(properties: T) {
  return Type.Object(properties, { additionalProperties: false });
}

export const Id = Type.Object({ id: Type.String({ maxLength: 100 }) });
export const ChatId = Type.Object({ id: Type.String({ pattern: '^-?\\d{1,16}$' }) });

const settings = {
  scale: orNull(
    Type.Unsafe<2 | 4>({ type: 'integer', enum: [2, 4] }),
    'Null: chosen by the size of the photo',
  ),
  look: words(LOOKS, 'How boards shall look'),
  sendAs,
  language: orNull(language, 'Null: as the chat program says'),
};
export const UserSettings = closed(settings);
export type UserSettings = Static<typeof UserSettings>;
export const SettingsChange = Type.Partial(Type.Object(settings), { additionalProperties: false });

export const MeQuery = Type.Object(
  {
    language: Type.Optional(
      words(['en', 'ru'], 'What your chat program speaks: for what you are sent unasked'),
    ),
  },
  { additionalProperties: false },
);
export const MeAnswer = Type.Object({
  settings: UserSettings,
  isAdmin: Type.Boolean(),
  consentAt: nullable(
    Type.String({ format: 'date-time' }),
    'Since when your photos may be used; null: they may not',
  ),
  ban: nullable(Type.Object({ reason: nullable(Type.String()), until: nullable(Type.String()) })),
  openUpscales: count,
  createdAt: Type.String({ format: 'date-time' }),
});
export const MyData = Type.Object(
  {},
  { additionalProperties: true, description: 'A list of rows for each kind of data' },
);
export const CountAnswer = Type.Object({ count });

export const AgainBody = closed({
  scale: Type.Optional(settings.scale),
  look: Type.Optional(words(LOOKS, 'How the board shall look')),
});
export const ConsentBody = closed({ agreed: Type.Boolean() });
export const FeedbackBody = closed({
  upscaleId: Type.Optional(uuid),
  rating: Type.Optional(Type.Unsafe<-1 | 1>({ type: 'integer', enum: [-1, 1] })),
  reason: Type.Optional(words(REASONS, 'Why it was not good')),
  comment: Type.Optional(Type.String({ minLength: 1, maxLength: 4096 })),
});

export const DeliveryBody = closed({
  chatId: telegramNumber,
  threadId: Type.Optional(orNull(telegramNumber)),
  isGroup: Type.Boolean(),
  albumId: Type.Optional(orNull(Type.String({ maxLength: 64 }))),
  messageId: telegramNumber,
  sendAs,
  language,
  fileName: Type.Optional(orNull(Type.String({ maxLength: 255 }))),
  upscaleId: Type.Optional(uuid),
  errorCode: Type.Optional(Type.String({ pattern: '^[A-Z_]{3,40}$', description: 'Instead of an upscale' })),
});
export const DeliveryAnswer = Type.Object({ id: uuid });

const place = {
  id: uuid,
  telegramId: telegramNumber,
  chatId: telegramNumber,
  threadId: nullable(telegramNumber),
  isGroup: Type.Boolean(),
  language,
  statusMessageId: nullable(telegramNumber),
};

export const LeaseBody = closed({
  max: Type.Integer({ minimum: 1, maximum: 50 }),
  leaseSeconds: Type.Integer({ minimum: 10, maximum: 600 }),
  wait: Type.Optional(
    Type.Number({ minimum: 0, maximum: 60, description: 'Seconds to wait for the first one' }),
  ),
});
export const LeasedDeliveries = Type.Object({
  deliveries: Type.Array(
    Type.Object({
      ...place,
      lease: uuid,
      albumId: nullable(Type.String()),
      sendAs,
      asksRating: Type.Boolean({ description: 'Now and then: who is asked every time stops answering' }),
      attempts: count,
      items: Type.Array(
        Type.Object({
          messageId: telegramNumber,
          fileName: nullable(Type.String()),
          upscale: nullable(UpscaleAnswer),
          errorCode: nullable(Type.String()),
          sentMessageId: nullable(telegramNumber),
          isLeftBehind: Type.Boolean({
            description: 'Its message is in a chat that has moved: nothing can reply to it',
          }),
        }),
      ),
    }),
  ),
});

export const AckBody = closed({
  lease: uuid,
  outcome: words(
    ['sent', 'partly', 'gone', 'retry', 'later'],
    'partly: some are out and the lease goes on; gone: the chat cannot be reached; later: a retry that says nothing about ' +
      'the delivery, because Telegram is away or asks for a pause: it does not count as an attempt',
  ),
  sent: Type.Optional(
    Type.Array(
      closed({
        messageId: telegramNumber,
        sentMessageId: telegramNumber,
        fileId: Type.Optional(fileId),
        fileKind: Type.Optional(fileKind),
      }),
      { maxItems: 200 },
    ),
  ),
  leaseSeconds: Type.Optional(
    Type.Number({ minimum: 1, maximum: 600, description: 'with partly: the lease goes on so long from now' }),
  ),
  afterSeconds: Type.Optional(Type.Number({ minimum: 0, maximum: 86_400 })),
  reason: Type.Optional(Type.String({ maxLength: 300 })),
});

export const StatusesBody = closed({ max: Type.Integer({ minimum: 1, maximum: 100 }) });
export const DueStatuses = Type.Object({
  statuses: Type.Array(
    Type.Object({
      ...place,
      messageId: telegramNumber,
      total: count,
      ended: count,
      progress: Type.Number({ minimum: 0, maximum: 1 }),
      position: nullable(Type.Integer({ minimum: 1 })),
      remainingSeconds: seconds,
    }),
  ),
});
export const StatusBody = closed({ statusMessageId: telegramNumber });
export const StatusAnswer = Type.Object({
  open: Type.Boolean({ description: 'False: it has ended, and the message is nobody’s' }),
});

export const MoveBody = closed({ to: telegramNumber });
export const GoneBody = closed({ reason: Type.String({ maxLength: 300 }) });

const quantiles = Type.Object({ p50: seconds, p95: seconds });
export const StatisticsQuery = closed({ days: Type.Optional(Type.Integer({ minimum: 1, maximum: 3650 })) });
export const StatisticsAnswer = Type.Object({
  users: Type.Object({ all: count, new: count, active: count }),
  photos: Type.Object({ done: count, failed: count, cancelled: count, open: count }),
  waitSeconds: quantiles,
  totalSeconds: quantiles,
  ratings: Type.Object({ positive: count, negative: count }),
  failures: Type.Array(Type.Object({ code: Type.String(), photos: count })),
  models: Type.Array(Type.Object({ model: Type.String(), photos: count })),
});

export const QueueAnswer = Type.Object({
  queued: count,
  processing: count,
  oldestSeconds: Type.Number({ minimum: 0 }),
  dead: Type.Array(
    Type.Object({
      upscaleId: uuid,
      code: Type.String(),
      message: Type.String(),
      at: Type.String({ format: 'date-time' }),
    }),
    { description: 'Photos that were given up after faults of ours, the newest first' },
  ),
  failedDeliveries: Type.Array(
    Type.Object({ id: uuid, chatId: telegramNumber, error: nullable(Type.String()), endedAt: Type.String() }),
  ),
});

export const BanBody = closed({
  telegramId: Type.Integer({ minimum: 1, maximum: 2 ** 52 }),
  reason: Type.Optional(Type.String({ maxLength: 300 })),
  until: Type.Optional(Type.String({ format: 'date-time', description: 'Empty: for ever' })),
});

/** Telegram's own limits of polls. */
const choice = (make: typeof closed) =>
  make({
    en: Type.String({ minLength: 1, maxLength: 100 }),
    ru: Type.String({ minLength: 1, maxLength: 100 }),
  });
export const BroadcastBody = closed({
  en: Type.String({ minLength: 1, maxLength: 4096 }),
  ru: Type.String({ minLength: 1, maxLength: 4096 }),
  options: Type.Optional(
    Type.Array(choice(closed), { minItems: 2, maxItems: 10, description: 'A survey: what can be answered' }),
  ),
});
const options = nullable(Type.Array(choice(Type.Object as typeof closed)), 'Of a survey');
export const PollId = Type.Object({ id: Type.String({ maxLength: 64 }) });
export const PollAnswerBody = closed({
  option: orNull(Type.Integer({ minimum: 0, maximum: 9 }), 'Null: it is taken back'),
});
export const BroadcastAnswer = Type.Object({
  id: uuid,
  text: Type.Object({ en: Type.String(), ru: Type.String() }),
  state: words(['draft', 'running', 'stopped', 'done'], 'A draft is sent to nobody'),
  options,
  answered: count,
  waiting: count,
  sent: count,
  gone: count,
});
export const RecipientsAnswer = Type.Object({
  recipients: Type.Array(
    Type.Object({
      broadcastId: uuid,
      text: Type.Object({ en: Type.String(), ru: Type.String() }),
      options,
      telegramId: telegramNumber,
      language: nullable(Type.String()),
    }),
  ),
});
export const RecipientBody = closed({
  telegramId: telegramNumber,
  outcome: words(['sent', 'gone', 'retry'], 'How it went'),
  pollId: Type.Optional(Type.String({ maxLength: 64, description: 'Of the poll that was sent' })),
  afterSeconds: Type.Optional(Type.Number({ minimum: 0, maximum: 86_400 })),
});
