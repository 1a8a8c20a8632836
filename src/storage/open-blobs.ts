/** Opens the store for images that the settings name. */
import { join } from 'node:path';
import type { Config } from '../config.ts';
import type { Blobs } from './blobs.ts';
import { openDiskBlobs } from './disk-blobs.ts';

/** @throws AppError STORAGE */
export async function openBlobs({ s3, dataDir }: Pick<Config, 's3' | 'dataDir'>): Promise<Blobs> {
  if (s3 === undefined) return openDiskBlobs(join(dataDir, 'blobs'));
  // The client is large, and most never need it.
  const { openS3Blobs } = await import('./s3-blobs.ts');
  return openS3Blobs(s3);
}
