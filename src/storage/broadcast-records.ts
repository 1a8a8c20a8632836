/** SQL for broadcasts: one text to every user of Telegram who can be reached, stopped and resumed at any moment. */
import { randomUUID } from 'node:crypto';
import type { Queryable } from './database.ts';

/** An answer to choose. */
export interface Choice {
  readonly en: string;
  readonly ru: string;
}

export interface Broadcast {
  readonly id: string;
  readonly text: { readonly en: string; readonly ru: string };
  readonly state: 'draft' | 'running' | 'stopped' | 'done';
  /** Of a survey; null: nothing is asked. */
  readonly options: readonly Choice[] | null;
  readonly answered: number;
  readonly waiting: number;
  readonly sent: number;
  readonly gone: number;
}

/** Drafts a broadcast to everybody who can be reached and is not banned now. */
export async function createBroadcast(
  tx: Queryable,
  text: { en: string; ru: string },
  options: readonly Choice[] | null = null,
): Promise<string> {
  const id = randomUUID();
  await tx.query('insert into broadcasts (id, text_en, text_ru, options) values ($1, $2, $3, $4::jsonb)', [
    id,
    text.en,
    text.ru,
    options === null ? null : JSON.stringify(options),
  ]);
  await tx.query(
    `insert into broadcast_recipients (broadcast_id, user_id)
     select $1, id from users where telegram_id is not null and unreachable_at is null
       and (banned_at is null or banned_until <= now())`,
    [id],
  );
  return id;
}

export async function findBroadcast(db: Queryable, id: string): Promise<Broadcast | undefined> {
  const [found] = await db.query<Broadcast>(
    `select b.id, json_build_object('en', text_en, 'ru', text_ru) as text, b.state, b.options,
       count(r.answered_at)::int as answered,
       count(r.user_id) filter (where r.state = 'waiting')::int as waiting,
       count(r.user_id) filter (where r.state = 'sent')::int as sent,
       count(r.user_id) filter (where r.state = 'gone')::int as gone
     from broadcasts b left join broadcast_recipients r on r.broadcast_id = b.id where b.id = $1 group by b.id`,
    [id],
  );
  return found;
}

/** Starts or resumes it, or stops it; with nobody left it is done. False if there is none, or it was done. */
export async function setBroadcastState(
  db: Queryable,
  id: string,
  state: 'running' | 'stopped',
): Promise<boolean> {
  const rows = await db.query(
    `update broadcasts set state = case when exists
         (select 1 from broadcast_recipients where broadcast_id = $1 and state = 'waiting') then $2 else 'done' end
     where id = $1 and state <> 'done' returning id`,
    [id, state],
  );
  return rows.length > 0;
}

export interface LeasedRecipient {
  readonly broadcastId: string;
  readonly text: { readonly en: string; readonly ru: string };
  readonly options: readonly Choice[] | null;
  readonly telegramId: number;
  /** As the user set it, else as their chat program says; null: not known. */
  readonly language: string | null;
}

/** Recipients of running broadcasts, each to one asker until the lease is over. */
export function leaseRecipients(
  db: Queryable,
  max: number,
  leaseSeconds: number,
): Promise<LeasedRecipient[]> {
  return db.query<LeasedRecipient>(
    `with next as (
       select r.broadcast_id, r.user_id from broadcast_recipients r
       join broadcasts b on b.id = r.broadcast_id and b.state = 'running'
       where r.state = 'waiting' and (r.leased_until is null or r.leased_until <= now())
       limit $1 for update of r skip locked)
     update broadcast_recipients r set leased_until = now() + make_interval(secs => $2)
     from next, users u, broadcasts b
     where r.broadcast_id = next.broadcast_id and r.user_id = next.user_id and u.id = r.user_id
       and b.id = r.broadcast_id
     returning r.broadcast_id as "broadcastId", json_build_object('en', b.text_en, 'ru', b.text_ru) as text,
       b.options, u.telegram_id as "telegramId", coalesce(u.settings->>'language', u.language) as language`,
    [max, leaseSeconds],
  );
}

/** Says how it went with one recipient; a retry waits for `afterSeconds`. The last one ends the broadcast. */
export async function settleRecipient(
  tx: Queryable,
  broadcastId: string,
  telegramId: number,
  outcome:
    | { readonly state: 'sent' | 'gone'; readonly pollId: string | null }
    | { readonly afterSeconds: number },
): Promise<void> {
  const own = `broadcast_id = $1 and user_id = (select id from users where telegram_id = $2)`;
  if ('state' in outcome) {
    await tx.query(
      `update broadcast_recipients set state = $3, poll_id = $4, leased_until = null where ${own}`,
      [broadcastId, telegramId, outcome.state, outcome.pollId],
    );
  } else {
    await tx.query(
      `update broadcast_recipients set leased_until = now() + make_interval(secs => $3) where ${own}`,
      [broadcastId, telegramId, outcome.afterSeconds],
    );
  }
  await tx.query(
    `update broadcasts set state = 'done' where id = $1 and state = 'running' and not exists
       (select 1 from broadcast_recipients where broadcast_id = $1 and state = 'waiting')`,
    [broadcastId],
  );
}

/** What somebody chose in their poll; null: they took it back. False if it is no poll of theirs. */
export async function savePollAnswer(
  db: Queryable,
  pollId: string,
  userId: string,
  answer: number | null,
): Promise<boolean> {
  const rows = await db.query(
    `update broadcast_recipients set answer = $3::smallint, answered_at = case when $3::smallint is null then null else now() end
     where poll_id = $1 and user_id = $2 returning user_id`,
    [pollId, userId, answer],
  );
  return rows.length > 0;
}

export interface SurveyAnswer {
  readonly answeredAt: Date;
  readonly language: string | null;
  readonly answer: number;
  /** Photos of theirs that were done until then: new people see things otherwise. */
  readonly photos: number;
}

/** Who answered what; people are not named. */
export function findSurveyAnswers(db: Queryable, broadcastId: string): Promise<SurveyAnswer[]> {
  return db.query<SurveyAnswer>(
    `select r.answered_at as "answeredAt", coalesce(u.settings->>'language', u.language) as language, r.answer,
       (select count(*)::int from upscales p where p.user_id = u.id and p.status = 'done'
         and p.finished_at <= r.answered_at) as photos
     from broadcast_recipients r join users u on u.id = r.user_id
     where r.broadcast_id = $1 and r.answered_at is not null order by r.answered_at`,
    [broadcastId],
  );
}
