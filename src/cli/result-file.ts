/** Writes a result so that it is there whole or not at all. */
import { randomUUID } from 'node:crypto';
import type { Stats } from 'node:fs';
import { access, constants, link, lstat, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AppError } from '../errors.ts';
import { refusePhoto } from './file-identity.ts';

/**
 * Makes the folder of a result and sees whether the result may lie there, before anything is done for it.
 * @throws AppError OUTPUT_EXISTS unless `replace`; OUTPUT_UNWRITABLE
 */
export async function preparePlace(path: string, { replace }: { replace: boolean }): Promise<void> {
  try {
    const folder = dirname(path);
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK | constants.X_OK);
    const existing = await findExisting(path);
    if (existing?.isDirectory())
      throw new AppError('OUTPUT_EXISTS', `${path} is a folder`, { action: 'Use -o for another place' });
    if (existing && !replace) throw new AppError('OUTPUT_EXISTS', path);
  } catch (error) {
    throw error instanceof AppError ? error : unwritable(path, error);
  }
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
  // Without the result's own name in it, which may be as long as the system allows already.
  const temporary = join(dirname(path), `.boardsharp-${randomUUID()}.part`);
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
    throw unwritable(path, error);
  } finally {
    await rm(temporary, { force: true }).catch(() => undefined);
  }
}

/** A hard link fails if the name is taken, where a rename would silently replace; some file systems have none. */
async function moveToFree(temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path);
  } catch (error) {
    const taken = (error as NodeJS.ErrnoException).code === 'EEXIST';
    // What else they say differs by system: EPERM, ENOTSUP, ENOSYS, EISDIR. If it was something else, rename fails too.
    if (taken || (await findExisting(path))) throw new AppError('OUTPUT_EXISTS', path, { cause: error });
    await rename(temporary, path);
  }
}

async function findExisting(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function unwritable(path: string, error: unknown): AppError {
  const { code, message } = error as NodeJS.ErrnoException;
  return new AppError('OUTPUT_UNWRITABLE', `${path} (${code ?? message})`, { cause: error });
}
