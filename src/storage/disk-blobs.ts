/** Blobs as files in a folder: written beside their place, then renamed into it. */
import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { AppError } from '../errors.ts';
import { type BlobInfo, type Blobs, checkKey } from './blobs.ts';

/** Where unfinished files live: outside every prefix, so that no list shows them. */
const UNFINISHED = '.unfinished';

/** Opens the folder, made if missing. Unfinished files of processes that died are removed. @throws AppError STORAGE */
export async function openDiskBlobs(folder: string): Promise<Blobs> {
  const unfinished = join(folder, UNFINISHED);
  await stored(folder, async () => {
    await mkdir(unfinished, { recursive: true });
    for (const name of await readdir(unfinished)) await removeIfOld(join(unfinished, name));
  });
  const pathOf = (key: string): string => join(folder, ...checkKey(key).split('/'));

  async function write(path: string, content: Uint8Array | AsyncIterable<Uint8Array>, lasting: boolean) {
    const file = await open(path, 'wx');
    let bytes = 0;
    try {
      for await (const chunk of content instanceof Uint8Array ? [content] : content) {
        await stored(path, () => file.writeFile(chunk));
        bytes += chunk.length;
      }
      if (lasting) await stored(path, () => file.sync());
    } finally {
      await file.close();
    }
    return bytes;
  }

  return {
    async put(key, content, { lasting = true } = {}) {
      const path = pathOf(key);
      const temporary = join(unfinished, randomUUID());
      try {
        const bytes = await write(temporary, content, lasting);
        await stored(key, async () => {
          await renameInto(temporary, path);
          // The file is safe only when its name is, too.
          if (lasting) await syncFolder(dirname(path));
        });
        return { bytes };
      } catch (error) {
        await rm(temporary, { force: true }).catch(() => undefined);
        throw error;
      }
    },
    async get(key) {
      const file = await stored(key, () => open(pathOf(key)));
      try {
        const { size } = await file.stat();
        return { stream: createReadStream('', { fd: file }), bytes: size };
      } catch (error) {
        await file.close();
        throw error;
      }
    },
    read: (key) => stored(key, () => readFile(pathOf(key))),
    async size(key) {
      const path = pathOf(key);
      return stored(key, async () => (await stat(path)).size).catch(unlessMissing);
    },
    async delete(key) {
      const path = pathOf(key);
      await stored(key, () => rm(path, { force: true }));
      // The folder of an upscale's tiles goes with the last of them; one that is not empty stays.
      if (key.split('/').length > 2) await rmdir(dirname(path)).catch(() => undefined);
    },
    async *list(prefix) {
      const start = join(folder, ...prefix.split('/').slice(0, -1));
      const entries = await readdir(start, { recursive: true, withFileTypes: true }).catch(unlessNoFolder);
      for (const entry of entries ?? []) {
        if (!entry.isFile()) continue;
        const path = join(entry.parentPath, entry.name);
        const key = relative(folder, path).split(sep).join('/');
        if (!key.startsWith(prefix) || key.startsWith(UNFINISHED)) continue;
        const info = await stat(path).catch(() => undefined);
        if (info !== undefined) yield { key, bytes: info.size, modifiedAt: info.mtime } satisfies BlobInfo;
      }
    },
    async close() {},
  };
}

/** A folder may be removed, being empty, between its making and the rename into it. */
async function renameInto(from: string, to: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    await mkdir(dirname(to), { recursive: true });
    try {
      return await rename(from, to);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || attempt === 3) throw error;
    }
  }
}

async function syncFolder(path: string): Promise<void> {
  // Windows opens no folders, and needs none flushed.
  const folder = await open(path).catch(() => undefined);
  await folder?.sync().catch(() => undefined);
  await folder?.close();
}

const OLD_MS = 3_600_000;

async function removeIfOld(path: string): Promise<void> {
  const info = await stat(path).catch(() => undefined);
  if (info !== undefined && Date.now() - info.mtimeMs > OLD_MS) await rm(path, { force: true });
}

async function stored<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AppError || error instanceof TypeError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    throw code === 'ENOENT'
      ? new AppError('BLOB_MISSING', what, { cause: error })
      : new AppError('STORAGE', `${what} (${code ?? message})`, { cause: error });
  }
}

function unlessMissing(error: unknown): undefined {
  if (error instanceof AppError && error.code === 'BLOB_MISSING') return undefined;
  throw error;
}

function unlessNoFolder(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined;
  throw new AppError('STORAGE', error.message, { cause: error });
}
