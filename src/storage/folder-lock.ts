/** One process at a time in a folder: a lock that the system itself drops when its holder dies, however it dies. */
import { mkdir } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { AppError } from '../errors.ts';

/**
 * Locks `folder` by the file beside it; the answer lets go of it.
 *
 * A file that says "locked" would outlive `kill -9`, and a process number in it may belong to somebody else by then
 * (in a container it is always 1). Node has no flock, but its SQLite takes the system's own locks on every platform:
 * an open exclusive transaction on an empty database holds one.
 * @throws AppError DATABASE_IN_USE at once, DATABASE if the file cannot be made
 */
export async function lockFolder(folder: string): Promise<() => void> {
  const path = `${folder}.lock`;
  let file: DatabaseSync | undefined;
  try {
    await mkdir(folder, { recursive: true });
    file = new DatabaseSync(path, { timeout: 0 });
    file.exec('pragma journal_mode = off; begin exclusive');
  } catch (error) {
    file?.close();
    const { errcode, message } = error as { errcode?: number; message: string };
    if (errcode === SQLITE_BUSY) throw new AppError('DATABASE_IN_USE', folder, { cause: error });
    throw new AppError('DATABASE', `${path} cannot be made: ${message}`, {
      cause: error,
      action: 'Check DATA_DIR and its permissions',
    });
  }
  const held = file;
  return () => {
    if (held.isOpen) held.close();
  };
}

const SQLITE_BUSY = 5;
