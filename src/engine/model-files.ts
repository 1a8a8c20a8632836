/** Model files on disk: find one and prove it is the right one, or fetch it from the hub first. */
import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { AppError } from '../errors.ts';
import type { Secret } from '../secret.ts';
import type { HubFile, RemoteFile } from './hub.ts';
import { downloadChecked, type Progress, sha256OfFile } from './model-download.ts';
import type { Model } from './models.ts';
import { leavePart } from './part-file.ts';

export type { Progress } from './model-download.ts';

/** Where pulled models live, and how to reach the hub. */
export interface PullOptions {
  readonly modelsDir: string;
  readonly hfEndpoint: string;
  readonly hfToken?: Secret | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** A model that is installed now. */
export interface Pulled {
  readonly path: string;
  /** Whether anything had to be fetched. */
  readonly fetched: boolean;
  /** Of a hub model: what was fetched, now or earlier. */
  readonly record: PullRecord | undefined;
}

const recordSchema = v.object({
  repository: v.string(),
  revision: v.string(),
  file: v.string(),
  commit: v.nullable(v.string()),
  sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  bytes: v.number(),
  pulledAt: v.string(),
});

/** `MODELS_DIR/<name>.json`: what the first pull fetched, to which every later use and pull is held. */
export type PullRecord = v.InferOutput<typeof recordSchema>;

/**
 * The absolute path of a model's file, read and found to have the right SHA-256.
 * @throws AppError MODEL_MISSING where there is none, MODEL_CORRUPT where it is another file than described
 */
export async function locateModel(model: Model, { modelsDir }: { modelsDir: string }): Promise<string> {
  const { name, source } = model;
  if (source.kind !== 'hub') return await verify(model, source.path, model.sha256);
  const record = await readRecord(name, source, modelsDir);
  if (record === undefined && model.sha256 === null) throw notPulled(model);
  return await verify(model, pulledPath(name, modelsDir), model.sha256 ?? record?.sha256 ?? null);
}

/**
 * Fetches a hub model unless it is installed and intact. A catalogue entry without SHA-256 is pinned to what the hub
 * states at the first pull; a later pull gets that same content or fails.
 * @throws AppError DOWNLOAD, CANCELLED, OUTPUT_UNWRITABLE; for a model with a file of its own, as `locateModel`
 */
export async function pullModel(model: Model, options: PullOptions): Promise<Pulled> {
  const { modelsDir } = options;
  const { name, source } = model;
  if (source.kind !== 'hub') {
    return { path: await locateModel(model, options), fetched: false, record: undefined };
  }
  const record = await unlessAbsent(readRecord(name, source, modelsDir));
  const installed = await unlessAbsent(locateModel(model, options));
  if (installed !== undefined) return { path: installed, fetched: false, record };

  const access = { endpoint: options.hfEndpoint, token: options.hfToken, signal: options.signal };
  // The hub's library is loaded by a pull alone: every command locates models, few fetch one.
  const { describeFile } = await import('./hub.ts');
  const remote = await describeFile(source, access);
  const sha256 = expectedHash(model, record, remote, modelsDir);
  const { repository, revision, file } = source;
  const fetched: PullRecord = {
    repository,
    revision,
    file,
    commit: remote.commit,
    sha256,
    bytes: remote.bytes,
    pulledAt: new Date().toISOString(),
  };
  const path = pulledPath(name, modelsDir);
  const { onProgress } = options;
  let part: string | undefined;
  try {
    await mkdir(modelsDir, { recursive: true });
    part = await downloadChecked({ source, remote, sha256, folder: modelsDir, name, access, onProgress });
    // The record goes first: a record without its file is a model not installed, a file without its record is not known.
    await writeRecord(recordPath(name, modelsDir), fetched);
    await rename(part, path);
    await syncFolder(modelsDir);
  } catch (error) {
    if (part !== undefined) await leavePart(part);
    throw asUnwritable(error, modelsDir);
  }
  return { path, fetched: true, record: fetched };
}

/** What an earlier pull recorded; `undefined` for none, or for one of another repository, revision or file. */
async function readRecord(name: string, source: HubFile, modelsDir: string): Promise<PullRecord | undefined> {
  const path = recordPath(name, modelsDir);
  let content: string;
  try {
    content = await readFile(path, 'utf8');
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw unreadable(path, error);
  }
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), recordSchema), content);
  if (!parsed.success) throw new AppError('MODEL_CORRUPT', `${path} is not a record of a pull`);
  const { repository, revision, file } = parsed.output;
  const same = repository === source.repository && revision === source.revision && file === source.file;
  return same ? parsed.output : undefined;
}

/** What a pull puts right counts as not there; a folder that cannot be read does not. */
async function unlessAbsent<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if (error instanceof AppError && (error.code === 'MODEL_MISSING' || error.code === 'MODEL_CORRUPT'))
      return;
    throw error;
  }
}

/** Reads the whole file: size and date prove nothing. */
async function verify(model: Model, path: string, sha256: string | null): Promise<string> {
  let found: string;
  try {
    found = await sha256OfFile(path);
  } catch (error) {
    if (!isAbsent(error)) throw unreadable(path, error);
    if (model.source.kind === 'hub') throw notPulled(model);
    throw new AppError('MODEL_MISSING', `${model.name} should be at ${path}`, {
      action:
        model.source.kind === 'own' ? 'Put it there, or correct your catalogue' : 'Reinstall Boardsharp',
    });
  }
  if (sha256 === null) {
    throw new AppError(
      'MODEL_CORRUPT',
      `the catalogue states no SHA-256 for ${model.name}; ${path} has ${found}`,
      {
        action: 'Write it into the catalogue if you trust the file',
      },
    );
  }
  if (found === sha256) return path;
  throw new AppError('MODEL_CORRUPT', `${path} has SHA-256 ${found} instead of ${sha256}`, {
    action: {
      hub: `Run \`boardsharp models pull ${model.name}\``,
      own: 'Put the right file there, or correct your catalogue',
      embedded: 'Reinstall Boardsharp',
    }[model.source.kind],
  });
}

/** The one hash that the catalogue, the record of the first pull and the hub agree on. */
function expectedHash(
  model: Model,
  record: PullRecord | undefined,
  remote: RemoteFile,
  modelsDir: string,
): string {
  const pinned = model.sha256 ?? record?.sha256 ?? null;
  const sha256 = pinned ?? remote.sha256;
  if (sha256 === null) {
    throw new AppError('DOWNLOAD', `neither the catalogue nor the hub states a SHA-256 for ${model.name}`, {
      action: 'Add it to the catalogue',
    });
  }
  if (remote.sha256 === null || remote.sha256 === sha256) return sha256;
  const said = model.sha256 === null ? 'the first pull got' : 'the catalogue asks for';
  throw new AppError(
    'DOWNLOAD',
    `the hub now has SHA-256 ${remote.sha256} for ${model.name}, ${said} ${sha256}`,
    {
      action:
        model.sha256 === null
          ? `To accept the new content, remove ${recordPath(model.name, modelsDir)} and pull again`
          : 'Check HF_ENDPOINT and the entry in the catalogue',
    },
  );
}

function pulledPath(name: string, modelsDir: string): string {
  return join(modelsDir, `${name}.onnx`);
}

function recordPath(name: string, modelsDir: string): string {
  return join(modelsDir, `${name}.json`);
}

/** Written aside, flushed and renamed: a record is there whole or not at all. */
async function writeRecord(path: string, record: PullRecord): Promise<void> {
  const aside = `${path}.${randomUUID().slice(0, 8)}.tmp`;
  try {
    const file = await open(aside, 'wx');
    try {
      await file.writeFile(`${JSON.stringify(record, null, 2)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(aside, path);
  } catch (error) {
    await rm(aside, { force: true });
    throw error;
  }
}

/** Makes the renames last through a power cut, where the system can flush a folder (Windows cannot). */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

function notPulled(model: Model): AppError {
  return new AppError('MODEL_MISSING', `${model.name} has not been pulled`, {
    action: `Run \`boardsharp models pull ${model.name}\``,
  });
}

function isAbsent(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

function unreadable(path: string, cause: unknown): AppError {
  const { code } = cause as NodeJS.ErrnoException;
  return new AppError('INPUT_UNREADABLE', `${path} (${code})`, { cause });
}

/** What the file system throws while writing as an error about the folder; everything else as it is. */
function asUnwritable(error: unknown, folder: string): unknown {
  if (error instanceof AppError || !(error instanceof Error) || !('syscall' in error)) return error;
  const { code } = error as NodeJS.ErrnoException;
  const reason = code === 'ENOSPC' || code === 'EDQUOT' ? 'no space left' : code;
  return new AppError('OUTPUT_UNWRITABLE', `${folder} (${reason})`, {
    cause: error,
    action: 'Check MODELS_DIR, its permissions and the free space',
  });
}
