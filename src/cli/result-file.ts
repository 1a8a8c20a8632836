/** Writes a result so that it is there whole or not at all. */
import { randomUUID } from 'node:crypto';
import { link, lstat, mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { AppError } from '../errors.ts';
import { refusePhoto } from './file-identity.ts';

/** @throws AppError OUTPUT_EXISTS if there is something at `path` already */
export async function refuseExisting(path: string): Promise<void> {
  const existing = await lstat(path).catch(() => undefined);
  if (existing !== undefined) throw new AppError('OUTPUT_EXISTS', path);
}

/**
 * Writes to a temporary name in the same folder (made if missing), flushes, then renames.
 * @param options `keep` are identities of files that are not replaced, not even with `replace`
 * @throws AppError OUTPUT_EXISTS unless `replace`; OUTPUT_UNWRITABLE; CANCELLED. No partial file stays behind.
 */
export async function writeResult(
  path: string,
  bytes: Uint8Array,
  {
    replace,
    keep,
    signal,
  }: { replace: boolean; keep: ReadonlySet<string>; signal?: AbortSignal | undefined },
): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomUUID().slice(0, 8)}.part`);
  try {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(temporary, 'wx');
    try {
      await file.writeFile(bytes, { signal });
      await file.sync();
    } finally {
      await file.close();
    }
    // Checked when the outputs were planned, too; the folder may have changed since.
    await refusePhoto(path, keep);
    await (replace ? rename(temporary, path) : moveToFree(temporary, path));
  } catch (error) {
    if (error instanceof AppError) throw error;
    if (signal?.aborted) throw new AppError('CANCELLED', `${path} was not written`, { cause: error });
    const { code, syscall, message } = error as NodeJS.ErrnoException;
    // mkdir says EEXIST, too, when a file is where the folder should be; only link says it of the result.
    if (code === 'EEXIST' && syscall === 'link') throw new AppError('OUTPUT_EXISTS', path, { cause: error });
    throw new AppError('OUTPUT_UNWRITABLE', `${path} (${code ?? message})`, { cause: error });
  } finally {
    await rm(temporary, { force: true }).catch(() => undefined);
  }
}

/** A hard link fails if the name is taken, where a rename would silently replace; some file systems have none. */
async function moveToFree(temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS') throw error;
    await refuseExisting(path);
    await rename(temporary, path);
  }
}
