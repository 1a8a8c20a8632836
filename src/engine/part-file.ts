/** Unfinished downloads on disk: each belongs to one pull at a time, and outlives it for the next to continue. */
import { randomUUID } from 'node:crypto';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * A path for downloading the content with this hash, which nobody else writes to. It exists already, partly filled,
 * where an earlier pull of the same content was interrupted; parts of other content are removed.
 *
 * The claim is a rename, so that of two pulls one gets the part and the other starts anew. A part in use bears its
 * owner's process number: the part of a process that was killed is taken over.
 */
export async function claimPart(folder: string, name: string, sha256: string): Promise<string> {
  const key = sha256.slice(0, 12);
  const mine = join(folder, `.${name}.${key}.${process.pid}-${randomUUID().slice(0, 8)}.part`);
  const pattern = new RegExp(`^\\.${name}\\.([0-9a-f]{12})(?:\\.(\\d+)-[0-9a-f]{8})?\\.part$`);
  let claimed = false;
  for (const file of await readdir(folder)) {
    const [found, content, owner] = pattern.exec(file) ?? [];
    if (found === undefined || (owner !== undefined && isAlive(Number(owner)))) continue;
    if (content === key && !claimed) claimed = await tryRename(join(folder, file), mine);
    else await rm(join(folder, file), { force: true });
  }
  return mine;
}

/** Leaves a claimed part for a later pull of the same content; an empty one is removed. Never throws. */
export async function leavePart(path: string): Promise<void> {
  try {
    if ((await stat(path)).size === 0) await rm(path);
    else await rename(path, path.replace(/\.\d+-[0-9a-f]{8}\.part$/, '.part'));
  } catch {
    // Nothing was begun, or the disk fails: the error that ended the pull is the one to tell.
  }
}

async function tryRename(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // EPERM: it lives, under another user.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
