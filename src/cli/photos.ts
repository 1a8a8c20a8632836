/** Which photos the user means: paths in, photos out. */
import { readdir, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { INPUT_EXTENSIONS } from '../engine/image-format.ts';
import { AppError } from '../errors.ts';
import { identityOf } from './file-identity.ts';

/** Ends the names of results that lie beside their photos, and keeps them from being taken for photos next time. */
export const RESULT_MARK = '-boardsharp';

/** A photo that was found, or a path that cannot be used and why. */
export interface Photo {
  readonly path: string;
  /** As `identityOf` gives it. */
  readonly identity?: string | undefined;
  readonly error?: AppError;
}

/**
 * Expands files and folders (not their subfolders) into photos, in the order given, names sorted within a folder.
 * A path that cannot be used becomes a task with an error, so that the others are still done.
 */
export async function findPhotos(paths: readonly string[]): Promise<Photo[]> {
  const found = await Promise.all(paths.map((path) => expand(path)));
  return found.flat();
}

async function expand(path: string): Promise<Photo[]> {
  try {
    const info = await stat(path);
    if (info.isFile()) return [{ path, identity: await identityOf(path) }];
    if (!info.isDirectory()) return [{ path, error: notAFile(path) }];
    const names = (await readdir(path)).filter(isPhotoName).sort();
    if (names.length > 0) return await Promise.all(names.map((name) => inFolder(join(path, name))));
    return [{ path, error: new AppError('INPUT_NOT_FOUND', `no photos in the folder ${path}`) }];
  } catch (error) {
    return [{ path, error: inputError(path, error) }];
  }
}

async function inFolder(path: string): Promise<Photo> {
  return { path, identity: await identityOf(path) };
}

function isPhotoName(name: string): boolean {
  const extension = extname(name).slice(1).toLowerCase();
  const stem = basename(name, extname(name));
  return (
    INPUT_EXTENSIONS.some((known) => known === extension) &&
    !stem.endsWith(RESULT_MARK) &&
    !name.startsWith('.')
  );
}

/** The files that no result may replace. */
export function identitiesOf(photos: readonly Photo[]): ReadonlySet<string> {
  return new Set(photos.flatMap(({ identity }) => identity ?? []));
}

/** What a pipe, a device or the like is told. */
export function notAFile(path: string): AppError {
  return new AppError('INPUT_UNREADABLE', `${path} is not a file`, {
    action: 'Name a photo or a folder of photos',
  });
}

/** A file system's refusal to read, in the catalogue's words. */
export function inputError(path: string, error: unknown): AppError {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') return new AppError('INPUT_NOT_FOUND', path, { cause: error });
  return new AppError('INPUT_UNREADABLE', `${path} (${code ?? message})`, { cause: error });
}
