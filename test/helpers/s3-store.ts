/** A real S3 store for tests: scripts/s3-store.sh on loopback, and buckets in it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import type { S3Config } from '../../src/config.ts';
import { Secret } from '../../src/secret.ts';
import { ROOT } from '../deploy/manifests.ts';
import { freePort } from './server-process.ts';

/** Why there is none; false where there is one. */
export const NO_S3_STORE =
  existsSync('/usr/bin/swift-proxy-server') && existsSync('/usr/bin/swift-object-server')
    ? false
    : 'no S3 store is installed (Debian: apt-get install swift-proxy swift-account swift-container swift-object)';

/** How a store of s3-store.sh is spoken to. */
export function s3ConfigAt(endpoint: string, bucket = 'boardsharp'): S3Config {
  const [accessKeyId, secretAccessKey] = [new Secret('test:tester'), new Secret('testing')];
  return { endpoint, bucket, region: 'us-east-1', accessKeyId, secretAccessKey };
}

/** Makes the bucket as soon as the store answers, which it tells nobody. */
export async function makeBucket({ endpoint, bucket: Bucket }: S3Config): Promise<void> {
  const { accessKeyId, secretAccessKey, region } = s3ConfigAt(endpoint);
  const credentials = { accessKeyId: accessKeyId.reveal(), secretAccessKey: secretAccessKey.reveal() };
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  for (let attempt = 1; ; attempt++) {
    try {
      await client.send(new CreateBucketCommand({ Bucket }));
      return client.destroy();
    } catch (error) {
      if ((error as Error).name === 'BucketAlreadyOwnedByYou') return client.destroy();
      if (attempt === 300) throw error;
      await delay(200);
    }
  }
}

/** Starts it in a folder of its own, with a bucket in it. */
export async function startS3Store(): Promise<{ config: S3Config; stop: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'boardsharp-s3-'));
  const port = await freePort();
  const store = spawn(join(ROOT, 'scripts/s3-store.sh'), [folder, '127.0.0.1', String(port)], {
    stdio: 'ignore',
  });
  const config = s3ConfigAt(`http://127.0.0.1:${port}`);
  await makeBucket(config);
  return {
    config,
    async stop() {
      const ended = store.exitCode === null ? once(store, 'exit') : undefined;
      store.kill('SIGTERM');
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
