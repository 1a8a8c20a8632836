/** Which photos the user means and where each result goes: paths in, a list of work out. */
import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { EXTENSION_OF, INPUT_EXTENSIONS, type OutputFormat } from '../engine/image-format.ts';
import { AppError, toAppError } from '../errors.ts';
import { identityOf, refusePhoto } from './file-identity.ts';

/** Ends the names of results that lie beside their photos, and keeps them from being taken for photos next time. */
const RESULT_MARK = '-boardsharp';

/** A photo that was found, or a path that cannot be used and why. */
export interface Photo {
  readonly path: string;
  /** As `identityOf` gives it. */
  readonly identity?: string | undefined;
  readonly error?: AppError;
}

/** One photo to do, or the reason why not. */
export interface PhotoTask {
  readonly input: string;
  /** Where the result goes; undefined when it depends on nothing but an error. */
  readonly output: string | undefined;
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

/**
 * Where results go: `target` is a file for one photo, a folder for several, or undefined for beside each photo.
 * A result that would replace a photo, or the result of another one, becomes an error.
 */
export async function planOutputs(
  photos: readonly Photo[],
  target: string | undefined,
  format: OutputFormat,
): Promise<PhotoTask[]> {
  const isFile = target !== undefined && photos.length === 1 && (await namesFile(target));
  const originals = identitiesOf(photos);
  const taken = new Set<string>();
  const tasks: PhotoTask[] = [];
  for (const { path, error } of photos) {
    if (error !== undefined) {
      tasks.push({ input: path, output: undefined, error });
      continue;
    }
    const output = isFile ? target : defaultOutput(path, target, format);
    try {
      await refusePhoto(output, originals);
      const place = await realPlace(output);
      if (taken.has(place))
        throw new AppError('OUTPUT_EXISTS', `another photo of this run becomes ${output}`, {
          action: 'Use -o for another place',
        });
      taken.add(place);
      tasks.push({ input: path, output });
    } catch (thrown) {
      tasks.push({ input: path, output, error: toAppError(thrown) });
    }
  }
  return tasks;
}

/** The same for two names of one folder; the folder itself may still be missing. */
async function realPlace(path: string): Promise<string> {
  const folder = await realpath(dirname(path)).catch(() => resolve(dirname(path)));
  return join(folder, basename(path));
}

function defaultOutput(path: string, folder: string | undefined, format: OutputFormat): string {
  const stem = basename(path, extname(path));
  const extension = EXTENSION_OF[format];
  return folder === undefined
    ? join(dirname(path), `${stem}${RESULT_MARK}.${extension}`)
    : join(folder, `${stem}.${extension}`);
}

/** A target names a file when it has an image's ending and is not a folder already. */
async function namesFile(target: string): Promise<boolean> {
  if (formatOfName(target) === undefined) return false;
  const info = await stat(target).catch(() => undefined);
  return !info?.isDirectory();
}

/** The output format that a file's ending asks for. */
export function formatOfName(name: string): OutputFormat | undefined {
  const extension = extname(name).slice(1).toLowerCase();
  if (extension === 'jpeg') return 'jpeg';
  return (Object.keys(EXTENSION_OF) as OutputFormat[]).find((format) => EXTENSION_OF[format] === extension);
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
