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
}

/** How a user is known: by exactly one of these. `local` is whoever uses the page on loopback without a key. */
export type Identity =
  | { readonly telegramId: number }
  | { readonly apiKeyHash: string }
  | { readonly local: true };

const COLUMNS = `id, telegram_id as "telegramId", settings, consent_at as "consentAt", daily_photos as "dailyPhotos",
  created_at as "createdAt"`;

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
  await db.query('update users set consent_at = $2 where id = $1', [id, at]);
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
