/** What the rest of the program sees of a database, whichever it is. SQL is PostgreSQL's dialect in both. */

/** Whatever statements can be run on: the database itself or an open transaction. */
export interface Queryable {
  /** Runs one statement. Timestamps come as `Date`, bigints as numbers, jsonb parsed. */
  query<Row = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  /** Runs several statements without parameters; the rows of all of them. */
  script(text: string): Promise<Record<string, unknown>[]>;
}

export interface Database extends Queryable {
  readonly kind: 'embedded' | 'postgres';
  /** Runs `work` in one transaction: committed when it resolves, rolled back when it throws. Do not nest. */
  transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T>;
  /**
   * Calls `onMessage` for every NOTIFY on `channel`. After a lost connection it listens again and calls `onGap`,
   * because messages may have been missed: whatever is waited for must then be looked up.
   */
  listen(channel: string, onMessage: (payload: string) => void, onGap?: () => void): Promise<Listening>;
  /** Holds the advisory lock (`space`, `id`) for as long as this process lives, through lost connections. */
  holdLock(space: number, id: number): Promise<void>;
  /** Closes it. Idempotent. */
  close(): Promise<void>;
}

export interface Listening {
  close(): Promise<void>;
}
