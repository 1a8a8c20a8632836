/** Where photos, results and saved tiles are kept: one interface, a folder or S3 behind it. */
import type { Readable } from 'node:stream';

export interface BlobInfo {
  readonly key: string;
  readonly bytes: number;
  readonly modifiedAt: Date;
}

export interface Blobs {
  /**
   * Stores the content under `key`, replacing what was there; whole or not at all.
   * @param options.lasting false where losing it in a power cut costs only time
   * @throws AppError STORAGE, or whatever reading `content` throws
   */
  put(
    key: string,
    content: Uint8Array | AsyncIterable<Uint8Array>,
    options?: { lasting?: boolean },
  ): Promise<{ bytes: number }>;
  /** @throws AppError BLOB_MISSING, STORAGE */
  get(key: string): Promise<{ stream: Readable; bytes: number }>;
  /** The whole content. @throws AppError BLOB_MISSING, STORAGE */
  read(key: string): Promise<Uint8Array<ArrayBuffer>>;
  /** Bytes; undefined if there is nothing. @throws AppError STORAGE */
  size(key: string): Promise<number | undefined>;
  /** Nothing happens if there is nothing. @throws AppError STORAGE */
  delete(key: string): Promise<void>;
  /** Everything whose key begins with `prefix`. @throws AppError STORAGE */
  list(prefix: string): AsyncIterable<BlobInfo>;
  /** Ends connections. Idempotent. */
  close(): Promise<void>;
}

/** Keys are made by us: a kind, an id, and sometimes a part; never anything a user sent. */
export function checkKey(key: string): string {
  if (!/^[a-z]+(\/[a-z0-9-]{1,64}){1,2}$/.test(key)) throw new TypeError(`not a key of ours: ${key}`);
  return key;
}
