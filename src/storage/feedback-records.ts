/** SQL for what users say about results. */
import { randomUUID } from 'node:crypto';
import type { Queryable } from './database.ts';

/** Why a result was not good. */
export const REASONS = ['unreadable', 'letters', 'slow', 'other'] as const;
export type Reason = (typeof REASONS)[number];

export interface Feedback {
  readonly userId: string;
  readonly upscaleId: string | null;
  readonly rating: -1 | 0 | 1;
  readonly reason: Reason | null;
  readonly comment: string | null;
}

/**
 * A rating of a result replaces the one before; a comment about nothing in particular is kept beside the others. With it
 * stands what the result was made by and how long it took: results are erased, what was said of them stays.
 */
export async function saveFeedback(
  db: Queryable,
  { userId, upscaleId, rating, reason, comment }: Feedback,
): Promise<void> {
  await db.query(
    `insert into feedback (id, user_id, upscale_id, rating, reason, comment, model, scale, letter_height, wait_ms, total_ms)
     select $1, $2, $3, $4, $5, $6, u.model, u.scale, (u.quality->>'letterHeight')::real,
       (1000 * extract(epoch from u.started_at - u.created_at))::int,
       (1000 * extract(epoch from u.finished_at - u.created_at))::int
     from (select 1) one left join upscales u on u.id = $3
     on conflict (user_id, upscale_id) where upscale_id is not null
     do update set
       -- A reason or a comment alone leaves the rating as it was.
       rating = case when excluded.rating = 0 then feedback.rating else excluded.rating end,
       reason = case when excluded.rating > 0 then null else coalesce(excluded.reason, feedback.reason) end,
       comment = coalesce(excluded.comment, feedback.comment), created_at = now()`,
    [randomUUID(), userId, upscaleId, rating, reason, comment],
  );
}
