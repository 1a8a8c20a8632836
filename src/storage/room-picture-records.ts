/** SQL for the pictures of rooms: shared, shown on the room's page, removed, reported. */
import { randomUUID } from 'node:crypto';
import type { Queryable } from './database.ts';
import { SHOWN } from './room-records.ts';

export type FileKind = 'document' | 'photo';

/** A result that is to be shared, with Telegram's name for it where it has one. */
export interface Shareable {
  readonly upscaleId: string;
  readonly fileId: string | null;
  readonly fileKind: FileKind | null;
}

/** A picture as the room's page shows it. */
export interface RoomPicture {
  readonly id: string;
  readonly upscaleId: string;
  readonly width: number;
  readonly height: number;
  /** When the photo was sent. */
  readonly sentAt: Date;
  readonly sharedAt: Date;
  /** What was shared together has this in common. */
  readonly shareId: string;
}

/** A digest is sent so long after the first picture in it. */
const DIGEST_AFTER = `interval '10 minutes'`;
/** Telegram takes no more messages into an album. */
const MAX_ALBUM = 10;

/** Which of these results are there to be shared: the user's own, done, not erased. In the given order. */
export async function findShareable(
  db: Queryable,
  userId: string,
  upscaleIds: readonly string[],
): Promise<Shareable[]> {
  return db.query<Shareable>(
    `select u.id as "upscaleId", f.file_id as "fileId", f.file_kind as "fileKind"
     from unnest($2::uuid[]) with ordinality as wanted (id, place) join upscales u on u.id = wanted.id
     left join lateral (select file_id, file_kind from delivery_items i
       where i.upscale_id = u.id and i.file_id is not null order by i.id limit 1) f on true
     where u.user_id = $1 and u.status = 'done' and u.erased_at is null order by wanted.place`,
    [userId, upscaleIds],
  );
}

/** The results of one delivery of the user's, found by a message it was sent as. In the order of their messages. */
export async function findResultsOfMessage(
  db: Queryable,
  userId: string,
  { chatId, messageId }: { chatId: number; messageId: number },
): Promise<string[]> {
  const rows = await db.query<{ id: string }>(
    `select i.upscale_id as id from delivery_items i join deliveries d on d.id = i.delivery_id
     where d.user_id = $1 and i.upscale_id is not null and d.id in
       (select delivery_id from delivery_items where chat_id = $2 and sent_message_id = $3)
     order by i.message_id, i.id`,
    [userId, chatId, messageId],
  );
  return rows.map(({ id }) => id);
}

/**
 * Shows the results on the room's page and queues them for its other members and its group: what is shared together
 * goes out together. What the room has, or had, is passed over. Call it in a transaction.
 * @param isInChat the group has them already, as these messages
 * @returns how many pictures are new, and how many people they go to
 */
export async function sharePictures(
  tx: Queryable,
  { roomId, userId }: { roomId: string; userId: string },
  results: readonly Shareable[],
  isInChat: readonly SentPicture[] | undefined = undefined,
): Promise<{ pictures: number; people: number }> {
  const shareId = randomUUID();
  const pictures: string[] = [];
  const sent: SentPicture[] = [];
  for (const { upscaleId, fileId, fileKind } of results) {
    const [row] = await tx.query<{ id: string }>(
      `insert into room_pictures (id, room_id, upscale_id, user_id, share_id, file_id, file_kind)
       values ($1, $2, $3, $4, $5, $6, $7) on conflict (room_id, upscale_id) do nothing returning id`,
      [randomUUID(), roomId, upscaleId, userId, shareId, fileId, fileKind],
    );
    if (row === undefined) continue;
    pictures.push(row.id);
    const message = isInChat?.find((one) => one.id === upscaleId);
    if (message !== undefined) sent.push({ ...message, id: row.id });
  }
  if (pictures.length === 0) return { pictures: 0, people: 0 };
  const atOnce = await tx.query<{ id: string }>(
    `insert into room_sends (id, room_id, user_id, share_id)
     select gen_random_uuid(), $1, m.user_id, $3 from room_members m join users u on u.id = m.user_id
     where m.room_id = $1 and m.user_id <> $2 and m.receives = 'each' and u.telegram_id is not null
       and u.unreachable_at is null order by m.joined_at returning id`,
    [roomId, userId, shareId],
  );
  if (isInChat === undefined) {
    const group = await tx.query<{ id: string }>(
      `insert into room_sends (id, room_id, share_id)
       select gen_random_uuid(), id, $2 from rooms where id = $1 and chat_id is not null returning id`,
      [roomId, shareId],
    );
    atOnce.push(...group);
  } else await addSentToChat(tx, roomId, shareId, sent);
  await tx.query(
    `insert into room_send_pictures (send_id, picture_id)
     select s.id, p.id from unnest($1::uuid[]) s (id) cross join unnest($2::uuid[]) p (id)`,
    [atOnce.map(({ id }) => id), pictures],
  );
  const digests = await addToDigests(tx, roomId, userId, pictures);
  return { pictures: pictures.length, people: atOnce.length + digests };
}

/** A picture, or the result it is to become, and the message it was sent as. */
export interface SentPicture {
  readonly id: string;
  readonly chatId: number;
  readonly messageId: number;
}

/** Remembers what the group has, so that it can be taken back there. */
async function addSentToChat(
  tx: Queryable,
  roomId: string,
  shareId: string,
  sent: readonly SentPicture[],
): Promise<void> {
  const id = randomUUID();
  await tx.query(`insert into room_sends (id, room_id, share_id, state) values ($1, $2, $3, 'sent')`, [
    id,
    roomId,
    shareId,
  ]);
  for (const { id: pictureId, chatId, messageId } of sent) {
    await tx.query(
      `insert into room_send_pictures (send_id, picture_id, chat_id, sent_message_id, sent_at)
       values ($1, $2, $3, $4, now())`,
      [id, pictureId, chatId, messageId],
    );
  }
}

/** One digest for each member who wants them, filled until it is full or sent. Returns for how many. */
async function addToDigests(
  tx: Queryable,
  roomId: string,
  userId: string,
  pictures: readonly string[],
): Promise<number> {
  const readers = await tx.query<{ id: string }>(
    `select m.user_id as id from room_members m join users u on u.id = m.user_id
     where m.room_id = $1 and m.user_id <> $2 and m.receives = 'digest' and u.telegram_id is not null
       and u.unreachable_at is null`,
    [roomId, userId],
  );
  for (const reader of readers) {
    const [open] = await tx.query<{ id: string }>(
      `select s.id from room_sends s where s.room_id = $1 and s.user_id = $2 and s.state = 'waiting'
         and s.share_id is null and s.lease is null
         and (select count(*) from room_send_pictures p where p.send_id = s.id) + $3 <= ${MAX_ALBUM} for update`,
      [roomId, reader.id, pictures.length],
    );
    const id = open?.id ?? randomUUID();
    if (open === undefined) {
      await tx.query(
        `insert into room_sends (id, room_id, user_id, not_before) values ($1, $2, $3, now() + ${DIGEST_AFTER})`,
        [id, roomId, reader.id],
      );
    }
    await tx.query('insert into room_send_pictures (send_id, picture_id) select $1, unnest($2::uuid[])', [
      id,
      pictures,
    ]);
  }
  return readers.length;
}

/**
 * What the page shows, the first board of the lecture first: by when the photos were sent, not by which was ready first.
 * What was shared together keeps its own order.
 */
export function findPictures(db: Queryable, roomId: string): Promise<RoomPicture[]> {
  return db.query<RoomPicture>(
    `select p.id, p.upscale_id as "upscaleId", (u.output->>'width')::int as width,
       (u.output->>'height')::int as height, u.created_at as "sentAt", p.shared_at as "sharedAt",
       p.share_id as "shareId"
     from room_pictures p join upscales u on u.id = p.upscale_id where p.room_id = $1 and ${SHOWN}
     order by min(u.created_at) over (partition by p.share_id), p.share_id, p.number`,
    [roomId],
  );
}

/** The picture's upscale, if this room shows it. */
export async function findShownPicture(
  db: Queryable,
  roomId: string,
  pictureId: string,
): Promise<{ upscaleId: string } | undefined> {
  const [row] = await db.query<{ upscaleId: string }>(
    `select p.upscale_id as "upscaleId" from room_pictures p join upscales u on u.id = p.upscale_id
     where p.room_id = $1 and p.id = $2 and ${SHOWN}`,
    [roomId, pictureId],
  );
  return row;
}

export interface PictureOwner {
  readonly id: string;
  readonly roomId: string;
  /** Who shared it. */
  readonly userId: string;
  readonly upscaleId: string;
}

const OWNER = `p.id, p.room_id as "roomId", p.user_id as "userId", p.upscale_id as "upscaleId"`;

export async function findPicture(db: Queryable, id: string): Promise<PictureOwner | undefined> {
  const [picture] = await db.query<PictureOwner>(`select ${OWNER} from room_pictures p where p.id = $1`, [
    id,
  ]);
  return picture;
}

/**
 * The pictures that are, or are shown by, one message: a room's to a member, or the result itself in the chat of who
 * shared it.
 */
export function findPicturesOfMessage(
  db: Queryable,
  { chatId, messageId }: { chatId: number; messageId: number },
): Promise<PictureOwner[]> {
  return db.query<PictureOwner>(
    `select ${OWNER} from room_pictures p where p.removed_at is null and (
       p.id in (select picture_id from room_send_pictures where chat_id = $1 and sent_message_id = $2)
       or p.upscale_id in (select upscale_id from delivery_items where chat_id = $1 and sent_message_id = $2))`,
    [chatId, messageId],
  );
}

/** Takes the picture from the page, from what waits to be sent and, soon, from the chats. */
export async function removePicture(tx: Queryable, id: string): Promise<void> {
  await tx.query('update room_pictures set removed_at = now() where id = $1 and removed_at is null', [id]);
}

/** @param userId null: somebody at the page */
export async function reportPicture(db: Queryable, pictureId: string, userId: string | null): Promise<void> {
  // One that nobody has been told of yet is enough, and each says it once: all those at the page together, too.
  await db.query(
    `insert into room_reports (id, picture_id, user_id) select $1, $2, $3::uuid
     where not exists (select 1 from room_reports
       where picture_id = $2 and (told_at is null or user_id is not distinct from $3::uuid))`,
    [randomUUID(), pictureId, userId],
  );
}

/** The same for a result that its owner erases. Returns the rooms it was in. */
export async function removePicturesOf(tx: Queryable, upscaleId: string): Promise<string[]> {
  const rows = await tx.query<{ id: string }>(
    `update room_pictures set removed_at = now() where upscale_id = $1 and removed_at is null
     returning room_id as id`,
    [upscaleId],
  );
  return rows.map(({ id }) => id);
}
