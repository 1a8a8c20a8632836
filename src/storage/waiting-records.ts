/** SQL for how long photos wait: what is ahead of one, and how fast the last ones were. */
import type { Queryable } from './database.ts';

export interface Ahead {
  /** Photos that will start before this one. */
  readonly queued: number;
  /** The same, by their pixels; null where nobody has decoded them yet. */
  readonly waiting: readonly { readonly pixels: number | null; readonly count: number }[];
  readonly processing: readonly { readonly pixels: number | null; readonly progress: number }[];
}

const PIXELS = `(input->>'width')::float * (input->>'height')::float`;

/** What is ahead of a queued upscale. */
export async function findAhead(db: Queryable, id: string): Promise<Ahead> {
  const rows = await db.query<{ status: string; pixels: number | null; progress: number; count: number }>(
    `select o.status, o.pixels, o.progress, count(*)::int as count
     from (select id, status, ${PIXELS} as pixels, progress, turn, created_at from upscales
       where status in ('queued', 'processing')) o
     join upscales own on own.id = $1 and own.id <> o.id
     where o.status = 'processing' or (o.turn, o.created_at, o.id) < (own.turn, own.created_at, own.id)
     group by 1, 2, 3`,
    [id],
  );
  const waiting = rows.filter(({ status }) => status === 'queued');
  return {
    waiting,
    queued: waiting.reduce((sum, { count }) => sum + count, 0),
    processing: rows
      .filter(({ status }) => status === 'processing')
      .flatMap(({ count, ...photo }) => Array.from({ length: count }, () => photo)),
  };
}

export interface Throughput {
  readonly msPerPixel: number;
  /** What even the smallest photo took. */
  readonly leastMs: number;
  readonly meanPixels: number;
  readonly mostPixels: number;
}

/** Photos the measurement looks back on. */
const WINDOW = 100;

/** Of the last photos that were done; undefined while there is none. */
export async function measureThroughput(db: Queryable): Promise<Throughput | undefined> {
  const [row] = await db.query<{ [K in keyof Throughput]: number | null }>(
    `select sum(worked_ms)::float / nullif(sum(pixels), 0) as "msPerPixel", min(worked_ms)::float as "leastMs",
       avg(pixels)::float as "meanPixels", max(pixels)::float as "mostPixels"
     from (select worked_ms, coalesce((reduced_to->>'width')::float * (reduced_to->>'height')::float, ${PIXELS}) as pixels
       from upscales where status = 'done' order by finished_at desc limit $1) recent
     where pixels > 0`,
    [WINDOW],
  );
  if (row === undefined || row.msPerPixel === null) return undefined;
  return row as Throughput;
}
