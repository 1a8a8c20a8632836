/** SQL for what happened: who of the administrators did what. Holds no image and no text a user wrote. */
import type { Queryable } from './database.ts';

/** Notes that a user did something; it stays as long as they do. */
export async function addEvent(
  db: Queryable,
  { userId, kind, data }: { userId: string; kind: string; data: Readonly<Record<string, string | number>> },
): Promise<void> {
  await db.query('insert into events (user_id, kind, data) values ($1, $2, $3::jsonb)', [
    userId,
    kind,
    JSON.stringify(data),
  ]);
}
