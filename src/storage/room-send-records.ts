/** SQL for what goes out to rooms: leased and acknowledged like deliveries, behind them; and what is taken back. */
import type { Queryable } from './database.ts';
import type { Language } from './delivery-records.ts';
import type { FileKind } from './room-picture-records.ts';
import type { RoomRole } from './room-records.ts';

export interface SendPicture {
  readonly pictureId: string;
  readonly upscaleId: string;
  /** Null: it has to be uploaded once more. */
  readonly fileId: string | null;
  readonly fileKind: FileKind | null;
}

/** One message, or one album, of a room. */
export interface LeasedSend {
  readonly id: string;
  readonly lease: string;
  /** Counting this one. */
  readonly attempts: number;
  readonly roomId: string;
  readonly title: string;
  readonly chatId: number;
  readonly threadId: number | null;
  readonly isGroup: boolean;
  readonly language: Language;
  /** What the recipient may do with it; null in a group. */
  readonly role: RoomRole | null;
  readonly pictures: readonly SendPicture[];
}

/** It could not be sent so often. */
const MAX_ATTEMPTS = 20;
/** Telegram lets a bot take back what is younger than 48 hours; an hour is left for the way. */
const DELETABLE = `interval '47 hours'`;

/**
 * Leases what may go out now, each to one asker. A picture that Telegram has no name for goes to one recipient first;
 * the others get it by that name. Call it in a transaction.
 */
export async function leaseSends(
  tx: Queryable,
  { max, leaseSeconds }: { max: number; leaseSeconds: number },
): Promise<LeasedSend[]> {
  // Two askers at once would each find a first recipient.
  await tx.query('select pg_advisory_xact_lock(6280)');
  const sends = await tx.query<Omit<LeasedSend, 'pictures'>>(
    `with next as (
       select s.id from room_sends s
       where s.state = 'waiting' and s.not_before <= now() and (s.leased_until is null or s.leased_until <= now())
         and (s.share_id is null
           or not exists (select 1 from room_pictures p
             where p.share_id = s.share_id and p.file_id is null and p.removed_at is null)
           or s.id = (select o.id from room_sends o where o.share_id = s.share_id and o.state = 'waiting'
             order by o.leased_until is null or o.leased_until <= now(), o.not_before, o.number limit 1))
       order by s.not_before, s.number limit $1 for update)
     update room_sends s set lease = gen_random_uuid(), attempts = s.attempts + 1,
       leased_until = now() + make_interval(secs => $2)
     from next, rooms r
     where s.id = next.id and r.id = s.room_id
     returning s.id, s.lease, s.attempts, s.room_id as "roomId", r.title,
       coalesce((select u.telegram_id from users u where u.id = s.user_id), r.chat_id) as "chatId",
       case when s.user_id is null then r.thread_id end as "threadId", s.user_id is null as "isGroup",
       coalesce((select m.language from room_members m where m.room_id = r.id
         and m.user_id = coalesce(s.user_id, r.owner_id)), 'ru') as language,
       (select m.role from room_members m where m.room_id = r.id and m.user_id = s.user_id) as role`,
    [max, leaseSeconds],
  );
  const pictures = await tx.query<SendPicture & { sendId: string }>(
    `select sp.send_id as "sendId", p.id as "pictureId", p.upscale_id as "upscaleId", p.file_id as "fileId",
       p.file_kind as "fileKind"
     from room_send_pictures sp join room_pictures p on p.id = sp.picture_id join upscales u on u.id = p.upscale_id
     where sp.send_id = any($1::uuid[]) and sp.sent_message_id is null and p.removed_at is null
       and (p.file_id is not null or u.erased_at is null) order by p.number`,
    [sends.map(({ id }) => id)],
  );
  const bySend = Map.groupBy(pictures, ({ sendId }) => sendId);
  return sends.map((send) => ({
    ...send,
    pictures: (bySend.get(send.id) ?? []).map(({ sendId: _, ...picture }) => picture),
  }));
}

export interface SentMessage {
  readonly pictureId: string;
  readonly messageId: number;
  readonly fileId: string | null;
  readonly fileKind: FileKind | null;
}

/** Whether the lease is held; nobody else takes it before the transaction ends. */
export async function holdSend(tx: Queryable, id: string, lease: string): Promise<boolean> {
  const rows = await tx.query(
    `select 1 from room_sends where id = $1 and lease = $2 and state = 'waiting' for update`,
    [id, lease],
  );
  return rows.length > 0;
}

/** Remembers the messages, and Telegram's names of what was uploaded. True if there are new names. */
export async function saveSentMessages(
  tx: Queryable,
  id: string,
  chatId: number,
  messages: readonly SentMessage[],
): Promise<boolean> {
  let isNamed = false;
  for (const { pictureId, messageId, fileId, fileKind } of messages) {
    await tx.query(
      `update room_send_pictures set chat_id = $3, sent_message_id = $4, sent_at = now()
       where send_id = $1 and picture_id = $2`,
      [id, pictureId, chatId, messageId],
    );
    const named = await tx.query(
      `update room_pictures set file_id = $2, file_kind = $3 where id = $1 and file_id is null and $2::text is not null
       returning id`,
      [pictureId, fileId, fileKind],
    );
    isNamed ||= named.length > 0;
  }
  return isNamed;
}

/** Until something waits no longer by itself: a pause or a lease ends. Undefined: nothing waits. */
export async function secondsToNextSend(db: Queryable): Promise<number | undefined> {
  const [row] = await db.query<{ seconds: number | null }>(
    `select extract(epoch from min(greatest(not_before, coalesce(leased_until, now()))) - now())::float as seconds
     from room_sends where state = 'waiting'`,
  );
  return row?.seconds === null || row === undefined ? undefined : Math.max(0, row.seconds);
}

/** A lease that is held goes on for so long from now. */
export async function renewSend(tx: Queryable, id: string, seconds: number): Promise<void> {
  await tx.query('update room_sends set leased_until = now() + make_interval(secs => $2) where id = $1', [
    id,
    seconds,
  ]);
}

export async function endSend(tx: Queryable, id: string, state: 'sent' | 'gone'): Promise<void> {
  await tx.query('update room_sends set state = $2, lease = null, leased_until = null where id = $1', [
    id,
    state,
  ]);
}

/** Gives it back for a while; after many attempts that count it is given up. */
export async function retrySend(
  tx: Queryable,
  id: string,
  { afterSeconds, forgetFiles, counts }: { afterSeconds: number; forgetFiles: boolean; counts: boolean },
): Promise<void> {
  await tx.query(
    `update room_sends set lease = null, leased_until = null, not_before = now() + make_interval(secs => $2),
       attempts = attempts - case when $3 then 0 else 1 end,
       state = case when $3 and attempts >= ${MAX_ATTEMPTS} then 'gone' else state end where id = $1`,
    [id, afterSeconds, counts],
  );
  // Another bot's names are nothing to this one.
  if (forgetFiles) {
    await tx.query(
      `update room_pictures set file_id = null, file_kind = null
       where id in (select picture_id from room_send_pictures where send_id = $1)`,
      [id],
    );
  }
}

/** Ends what waits for a chat that no message reaches. */
export async function endSendsTo(tx: Queryable, chatId: number): Promise<void> {
  await tx.query(
    `update room_sends s set state = 'gone', lease = null, leased_until = null from rooms r
     where r.id = s.room_id and s.state = 'waiting'
       and (s.user_id = (select id from users where telegram_id = $1) or (s.user_id is null and r.chat_id = $1))`,
    [chatId],
  );
}

/** A message with a picture that was removed. */
export interface Deletion {
  readonly sendId: string;
  readonly pictureId: string;
  readonly chatId: number;
  readonly messageId: number;
}

export function leaseDeletions(db: Queryable, max: number, leaseSeconds: number): Promise<Deletion[]> {
  return db.query<Deletion>(
    `with next as (
       select sp.send_id, sp.picture_id from room_send_pictures sp join room_pictures p on p.id = sp.picture_id
       where p.removed_at is not null and sp.sent_message_id is not null and sp.deleted_at is null
         and sp.sent_at > now() - ${DELETABLE} and (sp.leased_until is null or sp.leased_until <= now())
       limit $1 for update of sp skip locked)
     update room_send_pictures sp set leased_until = now() + make_interval(secs => $2) from next
     where sp.send_id = next.send_id and sp.picture_id = next.picture_id
     returning sp.send_id as "sendId", sp.picture_id as "pictureId", sp.chat_id as "chatId",
       sp.sent_message_id as "messageId"`,
    [max, leaseSeconds],
  );
}

/** @param afterSeconds undefined: it is gone, or nobody can take it back any more */
export async function settleDeletion(
  db: Queryable,
  { sendId, pictureId }: Pick<Deletion, 'sendId' | 'pictureId'>,
  afterSeconds: number | undefined,
): Promise<void> {
  await db.query(
    `update room_send_pictures set deleted_at = case when $3::float is null then now() end,
       leased_until = now() + make_interval(secs => coalesce($3, 0)) where send_id = $1 and picture_id = $2`,
    [sendId, pictureId, afterSeconds ?? null],
  );
}

/** A picture that somebody has reported to the administrators. */
export interface Report {
  readonly reportId: string;
  readonly roomId: string;
  readonly title: string;
  readonly picture: SendPicture;
  /** Of whoever shared it. */
  readonly telegramId: number | null;
}

export async function leaseReports(db: Queryable, leaseSeconds: number): Promise<Report[]> {
  const rows = await db.query<Omit<Report, 'picture'> & SendPicture>(
    `with next as (
       select id from room_reports where told_at is null and (leased_until is null or leased_until <= now())
       order by created_at limit 5 for update skip locked)
     update room_reports t set leased_until = now() + make_interval(secs => $1)
     from next, room_pictures p, rooms r
     where t.id = next.id and p.id = t.picture_id and r.id = p.room_id
     returning t.id as "reportId", r.id as "roomId", r.title, p.id as "pictureId", p.upscale_id as "upscaleId",
       p.file_id as "fileId", p.file_kind as "fileKind",
       (select telegram_id from users u where u.id = p.user_id) as "telegramId"`,
    [leaseSeconds],
  );
  return rows.map(({ reportId, roomId, title, telegramId, ...picture }) => ({
    reportId,
    roomId,
    title,
    telegramId,
    picture,
  }));
}

export async function settleReport(db: Queryable, reportId: string): Promise<void> {
  await db.query('update room_reports set told_at = now() where id = $1', [reportId]);
}

/** What a delivery that has just been sent gives to rooms by itself. */
export interface Finished {
  readonly userId: string;
  readonly telegramId: number | null;
  readonly chatId: number;
  readonly threadId: number | null;
  readonly isGroup: boolean;
  readonly language: Language;
  readonly items: readonly { readonly upscaleId: string; readonly sentMessageId: number }[];
}

/** Only what answers a photo: who asked for the same photo once more has shared it already. */
export async function findFinished(tx: Queryable, deliveryId: string): Promise<Finished | undefined> {
  const [delivery] = await tx.query<Omit<Finished, 'items'>>(
    `select user_id as "userId", chat_id as "chatId", thread_id as "threadId", is_group as "isGroup", language,
       (select telegram_id from users u where u.id = user_id) as "telegramId"
     from deliveries where id = $1`,
    [deliveryId],
  );
  if (delivery === undefined) return undefined;
  const items = await tx.query<Finished['items'][number]>(
    `select i.upscale_id as "upscaleId", i.sent_message_id as "sentMessageId" from delivery_items i
     join upscales u on u.id = i.upscale_id and u.status = 'done'
     where i.delivery_id = $1 and i.sent_message_id is not null and not exists (
       select 1 from delivery_items o where o.chat_id = i.chat_id and o.message_id = i.message_id and o.id < i.id)
     order by i.message_id, i.id`,
    [deliveryId],
  );
  return { ...delivery, items };
}

/** The rooms that a user gives everything to. */
export async function findGenerous(tx: Queryable, userId: string): Promise<string[]> {
  const rows = await tx.query<{ id: string }>(
    `select room_id as id from room_members where user_id = $1 and shares = 'always'`,
    [userId],
  );
  return rows.map(({ id }) => id);
}
