/** Which photos the user means: paths in, photos out. */
import { readdir, stat } from 'node:fs/promises';
import { basename, extname, join, sep } from 'node:path';
import { INPUT_EXTENSIONS } from '../engine/image-format.ts';
import { AppError } from '../errors.ts';
import { identityOf } from './file-identity.ts';

/** Ends the names of results that lie beside their photos, and keeps them from being taken for photos next time. */
export const RESULT_MARK = '-boardsharp';

/** A photo that was found, or a path that cannot be used and why. */
export interface Photo {
  readonly path: string;
  /** What the system calls it: bytes where its name is not UTF-8. */
  readonly file: string | Buffer;
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
  const failed = (error: AppError): Photo[] => [{ path, file: path, error }];
  try {
    const info = await stat(path);
    if (info.isFile()) return [{ path, file: path, identity: await identityOf(path) }];
    if (!info.isDirectory()) return failed(notAFile(path));
    const found = (await readdir(path, { encoding: 'buffer' }))
      .map((bytes) => ({ bytes, name: bytes.toString() }))
      .filter(({ name }) => isPhotoName(name))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    if (found.length > 0) {
      return await Promise.all(found.map(({ bytes, name }) => inFolder(path, name, bytes)));
    }
    return failed(new AppError('INPUT_NOT_FOUND', `no photos in the folder ${path}`));
  } catch (error) {
    return failed(inputError(path, error));
  }
}

async function inFolder(folder: string, name: string, bytes: Buffer): Promise<Photo> {
  const path = join(folder, name);
  const file = Buffer.from(name).equals(bytes) ? path : Buffer.concat([Buffer.from(folder + sep), bytes]);
  return { path, file, identity: await identityOf(file) };
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
  // Arguments arrive as text, in which the bytes of such a name are lost already.
  if (code === 'ENOENT' && path.includes('\ufffd')) {
    return new AppError('INPUT_NOT_FOUND', `${path}, a name that is not UTF-8`, {
      action: 'Rename it, or name its folder',
      cause: error,
    });
  }
  if (code === 'ENOENT' || code === 'ENOTDIR') return new AppError('INPUT_NOT_FOUND', path, { cause: error });
  return new AppError('INPUT_UNREADABLE', `${path} (${code ?? message})`, { cause: error });
}
