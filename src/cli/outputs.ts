/** Where each result goes: photos and a target in, a list of work out. */
import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { EXTENSION_OF, INPUT_EXTENSIONS, type OutputFormat } from '../engine/image-format.ts';
import { AppError, toAppError } from '../errors.ts';
import { usage } from './command.ts';
import { refusePhoto } from './file-identity.ts';
import { identitiesOf, type Photo, RESULT_MARK } from './photos.ts';

/** The place and format of the results of a run. */
export interface Target {
  readonly kind: 'beside' | 'folder' | 'file';
  /** Empty for beside each photo. */
  readonly path: string;
  readonly format: OutputFormat;
}

/** One photo to do, or the reason why not. */
export interface PhotoTask {
  readonly input: string;
  readonly file: Photo['file'];
  /** Where the result goes; undefined when it depends on nothing but an error. */
  readonly output: string | undefined;
  readonly error?: AppError;
}

/** Endings that mean a picture, so that they are no folder's name by accident. */
const PICTURE_ENDINGS: ReadonlySet<string> = new Set([...INPUT_EXTENSIONS, 'bmp', 'jxl', 'pdf', 'svg']);

/**
 * What `-o` means: a folder that exists or ends in a slash, a file for one photo, else a new folder.
 * @param path empty: beside each photo
 * @param wanted the format asked for; empty: the one of the file's ending, else JPEG
 * @throws AppError USAGE where the path can be neither
 */
export async function chooseTarget(
  path: string | undefined,
  photoCount: number,
  wanted: OutputFormat | undefined,
): Promise<Target> {
  const format = wanted ?? 'jpeg';
  if (path === undefined) return { kind: 'beside', path: '', format };
  const existing = await stat(path).catch(() => undefined);
  const named = formatOfName(path);
  if (existing?.isDirectory() || /[/\\]$/.test(path)) return { kind: 'folder', path, format };
  if (photoCount > 1 && (existing !== undefined || named !== undefined)) {
    const what = existing === undefined ? 'names one file' : 'is a file';
    throw usage(`-o ${path} ${what}, and ${photoCount} photos need a folder`);
  }
  if (named !== undefined) {
    if (wanted !== undefined && wanted !== named)
      throw usage(`--format ${wanted} does not fit the name ${path}`);
    return { kind: 'file', path, format: named };
  }
  if (existing !== undefined || PICTURE_ENDINGS.has(endingOf(path))) {
    const what = existing === undefined ? 'is no name for a result' : 'is a file, but none for a result';
    throw usage(`-o ${path} ${what}: those end in jpg, png and webp`);
  }
  return { kind: 'folder', path, format };
}

/** Where results go. A result that would replace a photo, or the result of another one, becomes an error. */
export async function planOutputs(photos: readonly Photo[], target: Target): Promise<PhotoTask[]> {
  const originals = identitiesOf(photos);
  const taken = new Set<string>();
  const tasks: PhotoTask[] = [];
  for (const { path, file, error } of photos) {
    if (error !== undefined) {
      tasks.push({ input: path, file, output: undefined, error });
      continue;
    }
    const output = outputOf(path, target);
    try {
      await refusePhoto(output, originals);
      const place = await realPlace(output);
      if (taken.has(place))
        throw new AppError('OUTPUT_EXISTS', `another photo of this run becomes ${output}`, {
          action: 'Use -o for another place',
        });
      taken.add(place);
      tasks.push({ input: path, file, output });
    } catch (thrown) {
      tasks.push({ input: path, file, output, error: toAppError(thrown) });
    }
  }
  return tasks;
}

/** The same for two names of one folder; the folder itself may still be missing. */
async function realPlace(path: string): Promise<string> {
  const folder = await realpath(dirname(path)).catch(() => resolve(dirname(path)));
  return join(folder, basename(path));
}

function outputOf(path: string, target: Target): string {
  if (target.kind === 'file') return target.path;
  const stem = basename(path, extname(path));
  const extension = EXTENSION_OF[target.format];
  return target.kind === 'beside'
    ? join(dirname(path), `${stem}${RESULT_MARK}.${extension}`)
    : join(target.path, `${stem}.${extension}`);
}

/** The output format that a file's ending asks for. */
function formatOfName(name: string): OutputFormat | undefined {
  const ending = endingOf(name);
  if (ending === 'jpeg') return 'jpeg';
  return (Object.keys(EXTENSION_OF) as OutputFormat[]).find((format) => EXTENSION_OF[format] === ending);
}

function endingOf(name: string): string {
  return extname(name).slice(1).toLowerCase();
}
