/** Downloads a file of the hub to disk, continuing where an earlier attempt ended, and checks it by SHA-256. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rm, truncate } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { AppError } from '../errors.ts';
import type { HubAccess, HubFile, RemoteFile } from './hub.ts';
import { claimPart, leavePart } from './part-file.ts';

/** How far a download is, in bytes. */
export interface Progress {
  readonly receivedBytes: number;
  readonly totalBytes: number;
}

/** What to fetch, where to put it and what it must hash to. */
export interface Download {
  readonly source: HubFile;
  readonly remote: RemoteFile;
  readonly sha256: string;
  readonly folder: string;
  readonly name: string;
  readonly access: HubAccess;
  readonly onProgress: ((progress: Progress) => void) | undefined;
}

/**
 * Fetches the file into `folder` under a temporary name.
 * @returns the path, whose content is complete, checked and flushed to disk; the caller renames it
 * @throws AppError DOWNLOAD or CANCELLED, and whatever the file system throws; what arrived stays as a part
 */
export async function downloadChecked(download: Download): Promise<string> {
  const path = await claimPart(download.folder, download.name, download.sha256);
  try {
    const continued = await fill(path, download);
    let found = await sha256OfFile(path);
    if (found !== download.sha256 && continued) {
      // The part may be what is wrong: once more from nothing.
      await truncate(path, 0);
      await fill(path, download);
      found = await sha256OfFile(path);
    }
    if (found === download.sha256) return path;
    await rm(path);
    const detail = `${download.source.file} arrived with SHA-256 ${found} instead of ${download.sha256}, and was thrown away`;
    throw new AppError('DOWNLOAD', detail);
  } catch (error) {
    await leavePart(path);
    throw error;
  }
}

/** SHA-256 of a file in hex, read as a stream. */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** Appends what is missing; says whether the file had a beginning that was kept. */
async function fill(path: string, { source, remote, access, onProgress }: Download): Promise<boolean> {
  const file = await open(path, 'a');
  try {
    let receivedBytes = (await file.stat()).size;
    if (receivedBytes >= remote.bytes) return true;
    const { openFile } = await import('./hub.ts');
    const { start, body } = await openFile(source, remote, receivedBytes, access);
    if (start !== receivedBytes) {
      await file.truncate(start);
      receivedBytes = start;
    }
    for await (const chunk of body) {
      receivedBytes += chunk.length;
      if (receivedBytes > remote.bytes) {
        throw new AppError(
          'DOWNLOAD',
          `${source.file} is longer than the ${remote.bytes} bytes the hub states`,
        );
      }
      await file.appendFile(chunk);
      onProgress?.({ receivedBytes, totalBytes: remote.bytes });
    }
    if (receivedBytes < remote.bytes) {
      throw new AppError('DOWNLOAD', `${source.file} ended after ${receivedBytes} of ${remote.bytes} bytes`, {
        action: 'Run the same command again: it continues where this one stopped',
      });
    }
    await file.sync();
    return start > 0;
  } finally {
    await file.close();
  }
}
