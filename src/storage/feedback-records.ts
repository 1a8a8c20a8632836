/** SQL for what users say about results. */
import { randomUUID } from 'node:crypto';
import type { Queryable } from './database.ts';

/** A rating of a result replaces the one before; a comment about nothing in particular is kept beside the others. */
export async function saveFeedback(
  db: Queryable,
  {
    userId,
    upscaleId,
    rating,
    comment,
  }: { userId: string; upscaleId: string | null; rating: -1 | 0 | 1; comment: string | null },
): Promise<void> {
  await db.query(
    `insert into feedback (id, user_id, upscale_id, rating, comment) values ($1, $2, $3, $4, $5)
     on conflict (user_id, upscale_id) where upscale_id is not null
     do update set rating = excluded.rating, comment = coalesce(excluded.comment, feedback.comment),
       created_at = now()`,
    [randomUUID(), userId, upscaleId, rating, comment],
  );
}
