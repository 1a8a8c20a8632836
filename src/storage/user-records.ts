/** SQL for users: people of Telegram, holders of API keys, and whoever uses the local page. */
import { randomUUID } from 'node:crypto';
import type { Queryable } from './database.ts';

export interface User {
  readonly id: string;
  readonly telegramId: number | null;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly consentAt: Date | null;
  /** Photos a day; null: the default. */
  readonly dailyPhotos: number | null;
  readonly createdAt: Date;
  /** Null: not banned, or not any more. */
  readonly ban: { readonly reason: string | null; readonly until: Date | null } | null;
}

/** How a user is known: by exactly one of these. `local` is whoever uses the page on loopback without a key. */
export type Identity =
  | { readonly telegramId: number }
  | { readonly apiKeyHash: string }
  | { readonly local: true };

const COLUMNS = `id, telegram_id as "telegramId", settings, consent_at as "consentAt", daily_photos as "dailyPhotos",
  created_at as "createdAt",
  case when banned_at is not null and coalesce(banned_until > now(), true)
    then json_build_object('reason', ban_reason, 'until', banned_until) end as ban`;

/** The user with this identity, made if there is none. */
export async function findOrCreateUser(db: Queryable, identity: Identity): Promise<User> {
  const [column, value] = columnOf(identity);
  const find = () => db.query<User>(`select ${COLUMNS} from users where ${column} = $1`, [value]);
  const [known] = await find();
  if (known !== undefined) return known;
  const [created] = await db.query<User>(
    `insert into users (id, ${column}) values ($1, $2) on conflict (${column}) do nothing returning ${COLUMNS}`,
    [randomUUID(), value],
  );
  // Somebody else may have made the user meanwhile.
  const [user] = created === undefined ? await find() : [created];
  if (user === undefined) throw new Error('a user vanished while being made');
  return user;
}

/** Begins what a volunteer of the reading page is known by, in the place of a key's digest. */
const READER = 'reader ';

/** A condition on `users`: who uses the service, and does not only read for the trial. */
export const USES_SERVICE = `coalesce(api_key_hash, '') not like '${READER}%'`;

/** The volunteer with this digest, made if there is none. Nobody else is known by it: a key's digest is of the key alone. */
export function findOrCreateReader(db: Queryable, digest: string): Promise<User> {
  return findOrCreateUser(db, { apiKeyHash: `${READER}${digest}` });
}

function columnOf(identity: Identity): ['telegram_id' | 'api_key_hash' | 'is_local', unknown] {
  if ('telegramId' in identity) return ['telegram_id', identity.telegramId];
  if ('apiKeyHash' in identity) return ['api_key_hash', identity.apiKeyHash];
  return ['is_local', true];
}

export async function findUser(db: Queryable, id: string): Promise<User | undefined> {
  const [user] = await db.query<User>(`select ${COLUMNS} from users where id = $1`, [id]);
  return user;
}

/** The same, and nobody else changes or locks the user before the transaction ends. */
export async function lockUser(tx: Queryable, id: string): Promise<User | undefined> {
  const [user] = await tx.query<User>(`select ${COLUMNS} from users where id = $1 for update`, [id]);
  return user;
}

/** Replaces the settings. */
export async function saveUserSettings(
  db: Queryable,
  id: string,
  settings: Readonly<Record<string, unknown>>,
): Promise<void> {
  await db.query('update users set settings = $2::jsonb where id = $1', [id, JSON.stringify(settings)]);
}

/** When the user agreed to how photos are handled; null takes it back. */
export async function saveConsent(db: Queryable, id: string, at: Date | null): Promise<void> {
  // Who agrees once more has agreed all the time.
  await db.query(
    'update users set consent_at = case when $2::timestamptz is not null then coalesce(consent_at, $2) end where id = $1',
    [id, at],
  );
}

/** Photos that may be used: sent after their owner agreed, and still there. The newest first. */
export function findGivenPhotos(db: Queryable, max: number): Promise<{ id: string; format: string }[]> {
  return db.query(
    `select p.id, p.input->>'format' as format from upscales p join users u on u.id = p.user_id
     where p.status = 'done' and p.erased_at is null and p.created_at >= u.consent_at
     order by p.created_at desc limit $1`,
    [max],
  );
}

/** Whether the photo of this upscale may be used. In a transaction that stays so until its end. */
export async function isGiven(db: Queryable, upscaleId: string): Promise<boolean> {
  const rows = await db.query(
    `select 1 from upscales p join users u on u.id = p.user_id
     where p.id = $1 and p.erased_at is null and p.created_at >= u.consent_at for share`,
    [upscaleId],
  );
  return rows.length > 0;
}

/** Of these photos those that are known here, and whether they may be used. */
export function findGiven(db: Queryable, ids: readonly string[]): Promise<{ id: string; given: boolean }[]> {
  return db.query(
    `select p.id, p.erased_at is null and coalesce(p.created_at >= u.consent_at, false) as given
     from upscales p join users u on u.id = p.user_id where p.id = any($1::uuid[])`,
    [ids],
  );
}

/** Removes the user with all rows that are theirs; their blobs must be gone before. */
export async function deleteUser(db: Queryable, id: string): Promise<void> {
  await db.query('delete from users where id = $1', [id]);
}

/** Counts one more photo of the user's today, UTC. */
export async function addUsage(db: Queryable, userId: string, bytes: number): Promise<void> {
  await db.query(
    `insert into quotas (user_id, day, photos, bytes) values ($1, (now() at time zone 'utc')::date, 1, $2)
     on conflict (user_id, day) do update set photos = quotas.photos + 1, bytes = quotas.bytes + excluded.bytes`,
    [userId, bytes],
  );
}

/** Photos and bytes this user had accepted since midnight UTC. */
export async function findUsage(db: Queryable, userId: string): Promise<{ photos: number; bytes: number }> {
  const [row] = await db.query<{ photos: number; bytes: number }>(
    `select photos, bytes from quotas where user_id = $1 and day = (now() at time zone 'utc')::date`,
    [userId],
  );
  return row ?? { photos: 0, bytes: 0 };
}

/** Bans a user of Telegram, known or not yet, until a time or for ever. */
export async function banUser(
  db: Queryable,
  telegramId: number,
  { reason, until }: { reason: string | null; until: Date | null },
): Promise<void> {
  const { id } = await findOrCreateUser(db, { telegramId });
  await db.query('update users set banned_at = now(), ban_reason = $2, banned_until = $3 where id = $1', [
    id,
    reason,
    until,
  ]);
}

/** False if there is no such user. */
export async function unbanUser(db: Queryable, telegramId: number): Promise<boolean> {
  const rows = await db.query(
    'update users set banned_at = null, ban_reason = null, banned_until = null where telegram_id = $1 returning id',
    [telegramId],
  );
  return rows.length > 0;
}

/** Whether messages reach the user, as Telegram said last. */
export async function saveReachable(db: Queryable, telegramId: number, reachable: boolean): Promise<void> {
  await db.query(
    `update users set unreachable_at = case when $2 then null else coalesce(unreachable_at, now()) end
     where telegram_id = $1 and (unreachable_at is null) <> $2`,
    [telegramId, reachable],
  );
}

/** What their chat program speaks. */
export async function saveLanguage(db: Queryable, id: string, language: 'en' | 'ru'): Promise<void> {
  await db.query('update users set language = $2 where id = $1 and language is distinct from $2', [
    id,
    language,
  ]);
}

/** Everything that is stored about a user, for themselves; no image and nobody else's data. */
export async function findEverything(db: Queryable, id: string): Promise<Record<string, unknown[]>> {
  const tables = {
    user: `select id, telegram_id, language, settings, consent_at, created_at, banned_at, ban_reason, banned_until
      from users where id = $1`,
    upscales: `select id, status, scale, look, model, format, input, output, quality, error, created_at, started_at,
      finished_at, erased_at from upscales where user_id = $1 order by created_at`,
    deliveries: `select d.id, d.chat_id, d.state, d.send_as, d.language, d.created_at, d.ended_at,
      json_agg(json_build_object('message_id', i.message_id, 'upscale_id', i.upscale_id, 'file_name', i.file_name))
        as items
      from deliveries d left join delivery_items i on i.delivery_id = d.id where d.user_id = $1
      group by d.id order by d.created_at`,
    feedback: `select upscale_id, rating, reason, comment, model, scale, letter_height, wait_ms, total_ms, created_at from feedback
        where user_id = $1 order by created_at`,
    rooms: `select r.title, m.role, m.name, m.shares, m.receives, m.joined_at from room_members m
      join rooms r on r.id = m.room_id where m.user_id = $1 order by m.joined_at`,
    roomPictures: `select r.title, p.upscale_id, p.shared_at, p.removed_at from room_pictures p
      join rooms r on r.id = p.room_id where p.user_id = $1 order by p.number`,
    photosADay: 'select day, photos, bytes from quotas where user_id = $1 order by day',
    events: 'select at, kind, upscale_id, data from events where user_id = $1 order by at',
  };
  const found: Record<string, unknown[]> = {};
  for (const [name, sql] of Object.entries(tables)) found[name] = await db.query(sql, [id]);
  return found;
}
