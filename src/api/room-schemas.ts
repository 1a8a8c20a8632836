/** The shapes of what is asked about rooms: by members, by whoever holds a room's code, and by the bot. */
import { Type } from 'typebox';
import { nullable, words } from './schemas.ts';
import { closed, fileId, fileKind, language, orNull, telegramNumber, uuid } from './telegram-schemas.ts';

const count = Type.Integer({ minimum: 0 });
const title = Type.String({ minLength: 1, maxLength: 80, pattern: '\\S' });
const name = Type.String({
  minLength: 1,
  maxLength: 64,
  description: 'As the owner and moderators see them',
});
/** Any text is let through: what is no code is not found, as a code that was never given out. */
const code = Type.String({ maxLength: 100 });
const role = words(['owner', 'moderator', 'member'], 'What they may do');
const shares = words(['ask', 'always'], 'Whether their results go there by one tap, or by themselves');
const receives = words(['each', 'digest', 'nothing'], 'Each at once, several together, or none');

export const RoomId = Type.Object({ id: Type.String({ maxLength: 100 }) });
export const RoomCode = Type.Object({ code });
export const MemberId = Type.Object({
  id: Type.String({ maxLength: 100 }),
  memberId: Type.String({ maxLength: 100 }),
});
export const PictureId = Type.Object({ code, id: Type.String({ maxLength: 100 }) });

export const RoomAnswer = Type.Object(
  {
    id: uuid,
    code: Type.String({ description: 'Who holds it may join, and sees the page' }),
    title: Type.String(),
    role,
    shares,
    receives,
    members: count,
    pictures: count,
    isGroup: Type.Boolean({ description: 'It is a group of Telegram, or a topic of one' }),
    pageUrl: nullable(Type.String(), 'Where its page is; null where PUBLIC_URL is not set'),
  },
  { description: 'A room, as one of its members sees it' },
);
export const RoomsAnswer = Type.Object({ rooms: Type.Array(RoomAnswer) });
export const NewRoomBody = closed({
  title,
  name,
  language,
  chat: Type.Optional(closed({ chatId: telegramNumber, threadId: orNull(telegramNumber) })),
});
export const RoomChange = closed({ title });
export const DoorAnswer = Type.Object({
  title: Type.String(),
  members: count,
  isGroup: Type.Boolean(),
  isMember: Type.Boolean(),
});
export const JoinBody = closed({ code, name, language });
export const WishesBody = closed({ shares: Type.Optional(shares), receives: Type.Optional(receives) });
export const MembersAnswer = Type.Object({
  members: Type.Array(Type.Object({ memberId: uuid, name: Type.String(), role })),
});
export const RoleBody = closed({ role: words(['moderator', 'member'], 'What they may do from now on') });
export const ShareBody = closed({
  upscaleIds: Type.Optional(Type.Array(uuid, { minItems: 1, maxItems: 10 })),
  message: Type.Optional(closed({ chatId: telegramNumber, messageId: telegramNumber })),
});
export const SharedAnswer = Type.Object({
  pictures: Type.Integer({ minimum: 0, description: 'New ones' }),
  people: Type.Integer({ minimum: 0, description: 'Who get them in Telegram' }),
});
export const MessageBody = closed({ chatId: telegramNumber, messageId: telegramNumber });

export const GalleryQuery = Type.Object(
  {
    wait: Type.Optional(
      Type.Number({ minimum: 0, maximum: 60, description: 'Seconds to wait for a change' }),
    ),
    version: Type.Optional(Type.String({ maxLength: 100, description: 'The one that is known' })),
  },
  { additionalProperties: false },
);
export const GalleryAnswer = Type.Object({
  version: Type.String(),
  title: Type.String(),
  members: count,
  joinUrl: nullable(Type.String(), 'Where one joins in Telegram; null where there is no bot'),
  retentionSeconds: Type.Number({ description: 'How long pictures are kept' }),
  pictures: Type.Array(
    Type.Object({
      id: uuid,
      shareId: uuid,
      width: count,
      height: count,
      sentAt: Type.String({
        format: 'date-time',
        description: 'When the photo was sent: the order of the boards',
      }),
      sharedAt: Type.String({ format: 'date-time' }),
    }),
  ),
});
export const GalleryPictureQuery = Type.Object(
  { download: Type.Optional(Type.Boolean({ description: 'As a file to keep' })) },
  { additionalProperties: false },
);
/** A file of this type as the answer. */
export function fileAnswer(type: string) {
  return { description: 'The file', content: { [type]: { schema: { type: 'string', format: 'binary' } } } };
}

const sendPicture = {
  pictureId: uuid,
  upscaleId: uuid,
  fileId: nullable(fileId),
  fileKind: nullable(fileKind),
};
export const LeaseSendsBody = closed({
  max: Type.Integer({ minimum: 1, maximum: 100 }),
  leaseSeconds: Type.Integer({ minimum: 10, maximum: 600 }),
  wait: Type.Optional(
    Type.Number({ minimum: 0, maximum: 60, description: 'Seconds to wait for the first one' }),
  ),
});
export const LeasedSends = Type.Object({
  sends: Type.Array(
    Type.Object({
      id: uuid,
      lease: uuid,
      attempts: count,
      roomId: uuid,
      title: Type.String(),
      chatId: telegramNumber,
      threadId: nullable(telegramNumber),
      isGroup: Type.Boolean(),
      language,
      role: nullable(role),
      pictures: Type.Array(Type.Object(sendPicture)),
    }),
  ),
});
export const SendAckBody = closed({
  lease: uuid,
  outcome: words(
    ['sent', 'gone', 'retry', 'later', 'hold'],
    'gone: it cannot be sent at all; later: a retry that does not count; hold: the lease goes on',
  ),
  chatId: Type.Optional(telegramNumber),
  messages: Type.Optional(
    Type.Array(
      closed({
        pictureId: uuid,
        messageId: telegramNumber,
        fileId: orNull(fileId),
        fileKind: orNull(fileKind),
      }),
      { maxItems: 10 },
    ),
  ),
  afterSeconds: Type.Optional(Type.Number({ minimum: 0, maximum: 86_400 })),
  leaseSeconds: Type.Optional(
    Type.Number({ minimum: 1, maximum: 600, description: 'With hold: so long from now' }),
  ),
  forgetFiles: Type.Optional(
    Type.Boolean({ description: 'Telegram does not know their names: they are to be uploaded again' }),
  ),
});
export const RoomChores = Type.Object({
  deletions: Type.Array(
    Type.Object({ sendId: uuid, pictureId: uuid, chatId: telegramNumber, messageId: telegramNumber }),
  ),
  reports: Type.Array(
    Type.Object({
      reportId: uuid,
      roomId: uuid,
      title: Type.String(),
      telegramId: nullable(telegramNumber),
      picture: Type.Object(sendPicture),
    }),
  ),
});
export const ChoreBody = closed({
  deletion: Type.Optional(
    closed({
      sendId: uuid,
      pictureId: uuid,
      afterSeconds: Type.Optional(
        Type.Number({ minimum: 0, maximum: 86_400, description: 'It is to be tried again; else it is done' }),
      ),
    }),
  ),
  reportId: Type.Optional(uuid),
});
export const BotBody = closed({ username: Type.String({ pattern: '^\\w{3,64}$' }) });
