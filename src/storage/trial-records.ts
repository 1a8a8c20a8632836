/** SQL for the reading trial: its words and formulas, who was shown which form of them, and what they read. */
import type { Queryable } from './database.ts';

export type TrialForm = 'original' | 'result';
export type TrialItemKind = 'word' | 'formula';

/** One word or formula of a trial. */
export interface TrialItemRecord {
  readonly id: string;
  readonly trialId: string;
  /** The board's name in the folder it was loaded from. */
  readonly board: string;
  readonly truth: string;
  /** One spelling for all that mean the same. */
  readonly wordKey: string;
  readonly kind: TrialItemKind;
  readonly language: string | null;
  readonly boardKind: string;
  /** Pixels of the photo. */
  readonly letterHeight: number | null;
  readonly scale: number;
  readonly model: string;
  /** The photo of a user it was cut from; null: the administrator's own. */
  readonly upscaleId: string | null;
  /** What was seen of it when it was loaded; null: nobody looked. */
  readonly circumstances: TrialCircumstances | null;
}

/** What `pilot/circumstances.ts` sees. */
export interface TrialCircumstances {
  readonly contrast: number;
  readonly brightness: number;
  readonly blur: number;
  readonly boardLetterHeight: number | null;
  readonly verdict: 'accepted' | 'softened' | 'fallback';
}

export interface TrialRecord {
  readonly id: string;
  readonly name: string;
  /** Opens the trial's page. */
  readonly code: string;
  readonly items: number;
  readonly createdAt: Date;
  readonly closedAt: Date | null;
}

/** What one person was shown, and what they answered. */
export interface TrialReading {
  readonly itemId: string;
  readonly userId: string;
  readonly form: TrialForm;
  /** Null: "can't read". */
  readonly answer: string | null;
  readonly isRight: boolean;
}

const ITEM_COLUMNS = `i.id, i.trial_id as "trialId", i.board, i.truth, i.word_key as "wordKey", i.kind, i.language,
  i.board_kind as "boardKind", i.letter_height as "letterHeight", i.scale, i.model, i.upscale_id as "upscaleId", i.circumstances`;

/** Adds a trial with its items; their pictures are stored before. */
export async function insertTrial(
  tx: Queryable,
  { id, name, code }: { id: string; name: string; code: string },
  items: readonly TrialItemRecord[],
): Promise<void> {
  await tx.query('insert into trials (id, name, code) values ($1, $2, $3)', [id, name, code]);
  for (const item of items) {
    await tx.query(
      `insert into trial_items
         (id, trial_id, board, truth, word_key, kind, language, board_kind, letter_height, scale, model, upscale_id,
          circumstances)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13::jsonb)`,
      [
        ...[item.id, id, item.board, item.truth, item.wordKey, item.kind, item.language, item.boardKind],
        ...[item.letterHeight, item.scale, item.model, item.upscaleId, JSON.stringify(item.circumstances)],
      ],
    );
  }
}

/** All trials, the newest first. */
export function listTrials(db: Queryable): Promise<TrialRecord[]> {
  return db.query<TrialRecord>(
    `select t.id, t.name, t.code, count(i.id)::int as items, t.created_at as "createdAt", t.closed_at as "closedAt"
     from trials t left join trial_items i on i.trial_id = t.id group by t.id order by t.created_at desc, t.id`,
  );
}

/** The trial whose page this code opens. */
export async function findTrialByCode(db: Queryable, code: string): Promise<{ id: string } | undefined> {
  const [trial] = await db.query<{ id: string }>('select id from trials where code = $1', [code]);
  return trial;
}

export async function isItemOf(db: Queryable, itemId: string, trialId: string): Promise<boolean> {
  const rows = await db.query('select 1 from trial_items where id = $1 and trial_id = $2', [itemId, trialId]);
  return rows.length > 0;
}

/** Ends a trial, or lets it go on. False if there is none with this id. */
export async function setTrialClosed(db: Queryable, id: string, closed: boolean): Promise<boolean> {
  const rows = await db.query(
    `update trials set closed_at = case when $2 then coalesce(closed_at, now()) end where id = $1 returning id`,
    [id, closed],
  );
  return rows.length > 0;
}

/** Removes a trial with everything that was read in it; the ids of its items, whose pictures are to be erased. */
export async function deleteTrial(tx: Queryable, id: string): Promise<string[]> {
  const items = await tx.query<{ id: string }>('select id from trial_items where trial_id = $1', [id]);
  await tx.query('delete from trials where id = $1', [id]);
  return items.map((item) => item.id);
}

/** Removes what was cut from a user's photos, with everything that was read of it; the ids of the items. */
export async function deleteItemsOfUser(tx: Queryable, userId: string): Promise<string[]> {
  const items = await tx.query<{ id: string }>(
    'delete from trial_items where upscale_id in (select id from upscales where user_id = $1) returning id',
    [userId],
  );
  return items.map(({ id }) => id);
}

/** Removes what was cut from one photo of a user, with everything that was read of it; the ids of the items. */
export async function deleteItemsOfUpscale(tx: Queryable, upscaleId: string): Promise<string[]> {
  const items = await tx.query<{ id: string }>('delete from trial_items where upscale_id = $1 returning id', [
    upscaleId,
  ]);
  return items.map(({ id }) => id);
}

/** Which of `ids` are items. */
export async function findItemIds(db: Queryable, ids: readonly string[]): Promise<string[]> {
  const rows = await db.query<{ id: string }>('select id from trial_items where id = any($1::uuid[])', [ids]);
  return rows.map(({ id }) => id);
}

/** What this user was shown last, within so many seconds, and has not answered, in a trial that is open, or in this one. */
export async function findUnanswered(
  db: Queryable,
  userId: string,
  { withinSeconds = null, trialId = null }: { withinSeconds?: number | null; trialId?: string | null } = {},
): Promise<(TrialItemRecord & { form: TrialForm }) | undefined> {
  const [found] = await db.query<TrialItemRecord & { form: TrialForm }>(
    `select ${ITEM_COLUMNS}, r.form from trial_readings r
     join trial_items i on i.id = r.item_id join trials t on t.id = i.trial_id
     where r.user_id = $1 and r.answered_at is null and t.closed_at is null
       and ($2::float is null or r.shown_at > now() - make_interval(secs => $2))
       and i.trial_id = coalesce($3::uuid, i.trial_id) order by r.shown_at desc limit 1`,
    [userId, withinSeconds, trialId],
  );
  return found;
}

/** Items of open trials, or of this one, that this user may still be shown, with how often each form was read by others. */
export function findCandidates(
  db: Queryable,
  userId: string,
  trialId: string | null,
): Promise<(TrialItemRecord & { originals: number; results: number })[]> {
  return db.query(
    `select ${ITEM_COLUMNS},
       count(r.user_id) filter (where r.form = 'original')::int as originals,
       count(r.user_id) filter (where r.form = 'result')::int as results
     from trial_items i join trials t on t.id = i.trial_id and t.closed_at is null
     left join trial_readings r on r.item_id = i.id
     where i.trial_id = coalesce($2::uuid, i.trial_id) and not exists (select 1 from trial_readings seen
       where seen.user_id = $1 and seen.word_key = i.word_key)
     group by i.id`,
    [userId, trialId],
  );
}

/** Remembers that this user is shown this item in this form. False if they have been shown it, or its twin, already. */
export async function insertReading(
  db: Queryable,
  item: Pick<TrialItemRecord, 'id' | 'trialId' | 'wordKey'>,
  userId: string,
  form: TrialForm,
): Promise<boolean> {
  const rows = await db.query(
    `insert into trial_readings (item_id, user_id, trial_id, word_key, form) values ($1, $2, $3, $4, $5)
     on conflict do nothing returning item_id`,
    [item.id, userId, item.trialId, item.wordKey, form],
  );
  return rows.length > 0;
}

/** The item as this user was shown it, if they were. */
export async function findShown(
  db: Queryable,
  itemId: string,
  userId: string,
): Promise<(TrialItemRecord & { form: TrialForm; answered: boolean }) | undefined> {
  const [found] = await db.query<TrialItemRecord & { form: TrialForm; answered: boolean }>(
    `select ${ITEM_COLUMNS}, r.form, r.answered_at is not null as answered from trial_readings r
     join trial_items i on i.id = r.item_id where r.item_id = $1 and r.user_id = $2`,
    [itemId, userId],
  );
  return found;
}

/** Stores an answer; the first one counts. False if there was one already. */
export async function saveAnswer(
  db: Queryable,
  { itemId, userId, answer, isRight }: Omit<TrialReading, 'form'>,
): Promise<boolean> {
  const rows = await db.query(
    `update trial_readings set answer = $3, is_right = $4, answered_at = now()
     where item_id = $1 and user_id = $2 and answered_at is null returning item_id`,
    [itemId, userId, answer, isRight],
  );
  return rows.length > 0;
}

/** How many this user has answered. */
export async function countReadings(db: Queryable, userId: string): Promise<number> {
  const [row] = await db.query<{ answered: number }>(
    'select count(*)::int as answered from trial_readings where user_id = $1 and answered_at is not null',
    [userId],
  );
  return row?.answered ?? 0;
}

/** All items, of one trial or of all. */
export function findTrialItems(db: Queryable, trialId?: string): Promise<TrialItemRecord[]> {
  return db.query<TrialItemRecord>(
    `select ${ITEM_COLUMNS} from trial_items i where i.trial_id = coalesce($1::uuid, i.trial_id) order by i.id`,
    [trialId ?? null],
  );
}

/** Everything that was answered, of one trial or of all. */
export function findReadings(db: Queryable, trialId?: string): Promise<TrialReading[]> {
  return db.query<TrialReading>(
    `select item_id as "itemId", user_id as "userId", form, answer, is_right as "isRight" from trial_readings
     where answered_at is not null and trial_id = coalesce($1::uuid, trial_id) order by item_id, user_id`,
    [trialId ?? null],
  );
}
