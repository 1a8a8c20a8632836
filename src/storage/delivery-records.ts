/** SQL for deliveries: results on their way to chats. Whoever holds a lease sends; nobody else may meanwhile. */
import { randomUUID } from 'node:crypto';
import type { Queryable } from './database.ts';

export type SendAs = 'file' | 'photo';
export type Language = 'en' | 'ru';

/** One photo message whose result, or whose refusal, is to be sent. */
export interface NewDeliveryItem {
  readonly userId: string;
  readonly chatId: number;
  readonly threadId: number | null;
  readonly isGroup: boolean;
  /** Photos of one album in one chat are delivered together. */
  readonly albumId: string | null;
  readonly sendAs: SendAs;
  readonly language: Language;
  readonly messageId: number;
  readonly fileName: string | null;
  /** Exactly one of the two. */
  readonly upscaleId: string | null;
  readonly errorCode: string | null;
}

export interface DeliveryItem {
  readonly messageId: number;
  readonly fileName: string | null;
  readonly upscaleId: string | null;
  readonly errorCode: string | null;
  /** Set once Telegram has answered. */
  readonly sentMessageId: number | null;
  /** The group became a supergroup meanwhile: messages have other numbers there. */
  readonly isLeftBehind: boolean;
}

export interface SentItem {
  readonly messageId: number;
  readonly sentMessageId: number;
  /** Telegram's name of the result. */
  readonly fileId?: string;
  readonly fileKind?: 'document' | 'photo';
}

/** What is common to what is sent and to how it stands. */
interface Place {
  readonly id: string;
  readonly telegramId: number;
  readonly chatId: number;
  readonly threadId: number | null;
  readonly isGroup: boolean;
  readonly language: Language;
  readonly statusMessageId: number | null;
}

export interface LeasedDelivery extends Place {
  /** Needed to say how it went. */
  readonly lease: string;
  readonly albumId: string | null;
  readonly sendAs: SendAs;
  /** Whether to ask what they think of it: of the first one, and now and then. */
  readonly asksRating: boolean;
  /** Counting this one. */
  readonly attempts: number;
  /** In the order of their messages. */
  readonly items: readonly DeliveryItem[];
}

export interface DueStatus extends Place {
  /** The first photo's message. */
  readonly messageId: number;
  /** Photos in it, and how many of them have ended. */
  readonly total: number;
  readonly ended: number;
  /** Of all its photos together, 0…1. */
  readonly progress: number;
  /** The one of its open photos that will start last; null if none is queued. */
  readonly lastQueued: string | null;
}

/** An album is complete when no photo of it has come for this long. */
const ALBUM_QUIET = `interval '2 seconds'`;
/** Who is served sooner needs no status. */
const FIRST_STATUS = `interval '1.5 seconds'`;
/** Telegram's patience with edits. */
const STATUS_EVERY = `(case when is_group then interval '10 seconds' else interval '3 seconds' end)`;
/** Who is asked every time stops answering. */
const RATED_EVERY = 3;
/** A delivery that failed so often, and not because Telegram was away, is given up. */
const MAX_ATTEMPTS = 20;

const PLACE = `d.id, u.telegram_id as "telegramId", d.chat_id as "chatId", d.thread_id as "threadId",
  d.is_group as "isGroup", d.language, d.status_message_id as "statusMessageId"`;

/**
 * Adds the item to its album's open delivery, or to a new one; the same item again changes nothing.
 * Call it in a transaction. Returns the delivery's id.
 */
export async function addDeliveryItem(tx: Queryable, item: NewDeliveryItem): Promise<string> {
  const { userId, chatId, threadId, isGroup, albumId, sendAs, language } = item;
  const { messageId, fileName, upscaleId, errorCode } = item;
  // Two photos of one album at the same moment must meet in one delivery.
  await tx.query('select pg_advisory_xact_lock(hashtextextended($1, 6279))', [
    `${chatId} ${albumId ?? messageId}`,
  ]);
  const [known] = await tx.query<{ id: string }>(
    `select delivery_id as id from delivery_items
     where chat_id = $1 and message_id = $2 and upscale_id is not distinct from $3`,
    [chatId, messageId, upscaleId],
  );
  if (known !== undefined) return known.id;
  const [album] =
    albumId === null
      ? []
      : await tx.query<{ id: string }>(
          `update deliveries set closes_at = now() + ${ALBUM_QUIET}
           where chat_id = $1 and album_id = $2 and user_id = $3 and state = 'open' and closes_at > now() returning id`,
          [chatId, albumId, userId],
        );
  const id = album?.id ?? randomUUID();
  if (album === undefined) {
    const quiet = albumId === null ? 'now()' : `now() + ${ALBUM_QUIET}`;
    await tx.query(
      `insert into deliveries (id, user_id, chat_id, thread_id, is_group, album_id, send_as, language, closes_at,
         status_due_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8, ${quiet}, now() + ${FIRST_STATUS})`,
      [id, userId, chatId, threadId, isGroup, albumId, sendAs, language],
    );
  }
  await tx.query(
    `insert into delivery_items (delivery_id, chat_id, message_id, upscale_id, error_code, file_name)
     values ($1, $2, $3, $4, $5, $6)`,
    [id, chatId, messageId, upscaleId, errorCode, fileName],
  );
  return id;
}

const HAS_OPEN_PHOTOS = `exists (select 1 from delivery_items i join upscales p on p.id = i.upscale_id
  where i.delivery_id = d.id and p.status in ('queued', 'processing'))`;

/** Leases deliveries that are complete: each to one asker, until the time is over or it is acknowledged. */
export async function leaseDeliveries(
  db: Queryable,
  { max, leaseSeconds }: { max: number; leaseSeconds: number },
): Promise<LeasedDelivery[]> {
  const leased = await db.query<Omit<LeasedDelivery, 'items'>>(
    `with ready as (
       select d.id from deliveries d
       where d.state = 'open' and d.not_before <= now() and d.closes_at <= now()
         and (d.leased_until is null or d.leased_until <= now()) and not ${HAS_OPEN_PHOTOS}
       order by d.not_before, d.created_at limit $1 for update skip locked)
     update deliveries d set lease = gen_random_uuid(), attempts = d.attempts + 1,
       leased_until = now() + make_interval(secs => $2)
     from ready, users u where d.id = ready.id and u.id = d.user_id
     returning ${PLACE}, d.lease, d.album_id as "albumId", d.send_as as "sendAs", d.attempts,
       (select count(*) from deliveries o where o.user_id = d.user_id and o.created_at < d.created_at)
         % ${RATED_EVERY} = 0 as "asksRating"`,
    [max, leaseSeconds],
  );
  const items = await db.query<DeliveryItem & { deliveryId: string }>(
    `select i.delivery_id as "deliveryId", i.message_id as "messageId", i.file_name as "fileName",
       i.upscale_id as "upscaleId", i.error_code as "errorCode", i.sent_message_id as "sentMessageId",
       i.chat_id <> d.chat_id as "isLeftBehind"
     from delivery_items i join deliveries d on d.id = i.delivery_id
     where i.delivery_id = any($1::uuid[]) order by i.message_id, i.id`,
    [leased.map(({ id }) => id)],
  );
  const byDelivery = Map.groupBy(items, ({ deliveryId }) => deliveryId);
  return leased.map((delivery) => ({
    ...delivery,
    items: (byDelivery.get(delivery.id) ?? []).map(({ deliveryId: _, ...item }) => item),
  }));
}

/** Remembers which of its items are out. False if the lease is somebody else's by now. */
export async function saveSent(
  tx: Queryable,
  id: string,
  lease: string,
  sent: readonly SentItem[],
): Promise<boolean> {
  const [held] = await tx.query(
    `select 1 from deliveries where id = $1 and lease = $2 and state = 'open' for update`,
    [id, lease],
  );
  if (held === undefined) return false;
  for (const { messageId, sentMessageId, fileId = null, fileKind = null } of sent) {
    await tx.query(
      `update delivery_items set sent_message_id = $3, file_id = $4, file_kind = $5
       where delivery_id = $1 and message_id = $2`,
      [id, messageId, sentMessageId, fileId, fileKind],
    );
  }
  return true;
}

/** A lease that is held goes on for so long from now. */
export async function renewLease(tx: Queryable, id: string, seconds: number): Promise<void> {
  await tx.query('update deliveries set leased_until = now() + make_interval(secs => $2) where id = $1', [
    id,
    seconds,
  ]);
}

/** Ends a leased delivery. */
export async function endDelivery(
  tx: Queryable,
  id: string,
  state: 'sent' | 'gone' | 'failed',
  error: string | null,
): Promise<void> {
  await tx.query(
    'update deliveries set state = $2, error = $3, ended_at = now(), lease = null, leased_until = null where id = $1',
    [id, state, error],
  );
}

/**
 * Gives a leased delivery back, to be tried after a while; it is given up when it was tried often enough.
 * @param how `counts`: false where the attempt says nothing about the delivery
 */
export async function retryDelivery(
  tx: Queryable,
  id: string,
  { afterSeconds, error, counts }: { afterSeconds: number; error: string | null; counts: boolean },
): Promise<void> {
  const [row] = await tx.query<{ attempts: number }>('select attempts from deliveries where id = $1', [id]);
  if (counts && (row?.attempts ?? 0) >= MAX_ATTEMPTS) return endDelivery(tx, id, 'failed', error);
  await tx.query(
    `update deliveries set lease = null, leased_until = null, error = $3, attempts = attempts - $4::int,
       not_before = now() + make_interval(secs => $2) where id = $1`,
    [id, afterSeconds, error, counts ? 0 : 1],
  );
}

/** Open deliveries whose status is to be told now; each to one asker, and again after a few seconds. */
export function leaseStatuses(db: Queryable, max: number): Promise<DueStatus[]> {
  return db.query<DueStatus>(
    `with due as (
       select d.id from deliveries d
       where d.state = 'open' and d.status_due_at <= now() and d.lease is null and ${HAS_OPEN_PHOTOS}
       order by d.status_due_at limit $1 for update skip locked),
     told as (
       update deliveries d set status_due_at = now() + ${STATUS_EVERY} from due where d.id = due.id returning d.*)
     select ${PLACE}, min(i.message_id) as "messageId", count(*)::int as total,
       count(*) filter (where p.id is null or p.status not in ('queued', 'processing'))::int as ended,
       avg(case when p.id is null or p.status not in ('queued', 'processing') then 1 else p.progress end)::float
         as progress,
       (array_agg(p.id order by p.turn desc, p.created_at desc) filter (where p.status = 'queued'))[1]
         as "lastQueued"
     from told d join users u on u.id = d.user_id join delivery_items i on i.delivery_id = d.id
     left join upscales p on p.id = i.upscale_id
     group by ${PLACE.replace(/ as "\w+"/g, '')}`,
    [max],
  );
}

/**
 * Remembers the status message. False if the delivery has ended or is being sent: whoever sends it knows nothing of the
 * message, so nobody will delete it but who sent it.
 */
export async function saveStatusMessage(db: Queryable, id: string, messageId: number): Promise<boolean> {
  const rows = await db.query(
    `update deliveries set status_message_id = $2
     where id = $1 and state = 'open' and (leased_until is null or leased_until <= now()) returning id`,
    [id, messageId],
  );
  return rows.length > 0;
}

/** The open photos of a delivery of this user's; undefined if it is not theirs. */
export async function findOpenPhotos(
  db: Queryable,
  id: string,
  userId: string,
): Promise<string[] | undefined> {
  const [row] = await db.query<{ photos: string[] }>(
    `select coalesce(array_agg(p.id) filter (where p.status in ('queued', 'processing')), '{}') as photos
     from deliveries d left join delivery_items i on i.delivery_id = d.id left join upscales p on p.id = i.upscale_id
     where d.id = $1 and d.user_id = $2 group by d.id`,
    [id, userId],
  );
  return row?.photos;
}

/** Ends every open delivery to a chat that cannot be reached. Returns how many. */
export async function endDeliveriesTo(db: Queryable, chatId: number, error: string): Promise<number> {
  const ended = await db.query(
    `update deliveries set state = 'gone', error = $2, ended_at = now(), lease = null, leased_until = null
     where chat_id = $1 and state = 'open' returning id`,
    [chatId, error],
  );
  return ended.length;
}

/** A group has become a supergroup: what is on its way follows. Messages of the old one cannot be replied to. */
export async function moveDeliveries(tx: Queryable, from: number, to: number): Promise<void> {
  await tx.query(
    `update deliveries set chat_id = $2, status_message_id = null where chat_id = $1 and state = 'open'`,
    [from, to],
  );
}

/** Deliveries that were given up, the newest first. */
export function findFailedDeliveries(
  db: Queryable,
  limit: number,
): Promise<{ id: string; chatId: number; error: string | null; endedAt: Date }[]> {
  return db.query(
    `select id, chat_id as "chatId", error, ended_at as "endedAt" from deliveries
     where state = 'failed' order by ended_at desc limit $1`,
    [limit],
  );
}

/** When the next delivery may become ready by itself: an album that closes, a pause or a lease that ends. */
export async function secondsToNextDelivery(db: Queryable): Promise<number | undefined> {
  const [row] = await db.query<{ seconds: number | null }>(
    `select extract(epoch from min(greatest(not_before, closes_at, coalesce(leased_until, now()))) - now())::float
       as seconds from deliveries d where state = 'open' and not ${HAS_OPEN_PHOTOS}`,
  );
  return row?.seconds === null || row === undefined ? undefined : Math.max(0, row.seconds);
}
