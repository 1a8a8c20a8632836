/** Which file a path leads to, whatever it is called: links, capitals and other spellings make no difference. */
import { stat } from 'node:fs/promises';
import { AppError } from '../errors.ts';

/** Equal for two paths that lead to one file; undefined where there is none. */
export async function identityOf(path: string | Buffer): Promise<string | undefined> {
  try {
    const { dev, ino } = await stat(path, { bigint: true });
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}

/** @throws AppError OUTPUT_EXISTS if `path` leads to one of the photos: not even --force replaces an original */
export async function refusePhoto(path: string, photos: ReadonlySet<string>): Promise<void> {
  const identity = await identityOf(path);
  if (identity === undefined || !photos.has(identity)) return;
  throw new AppError('OUTPUT_EXISTS', `${path} is one of the photos`, { action: 'Use -o for another place' });
}
