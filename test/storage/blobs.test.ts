/** One contract for every store of images: the folder, and S3 on a server of this machine where there is one. */
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { HeadObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { AppError } from '../../src/errors.ts';
import { Secret } from '../../src/secret.ts';
import type { BlobInfo, Blobs } from '../../src/storage/blobs.ts';
import { openDiskBlobs } from '../../src/storage/disk-blobs.ts';
import { openS3Blobs } from '../../src/storage/s3-blobs.ts';
import { temporaryFolder } from '../helpers/engine.ts';
import { NO_S3_STORE, s3ConfigAt, startS3Store } from '../helpers/s3-store.ts';

const withCode = (code: string) => (error: unknown) => error instanceof AppError && error.code === code;

function keepsItsPromises(open: () => Blobs): void {
  const photo = () => `photos/${randomUUID()}`;

  test('gives back what was put, as bytes and as a stream', async () => {
    const [blobs, key, content] = [open(), photo(), randomBytes(100_000)];
    assert.deepEqual(await blobs.put(key, content), { bytes: 100_000 });
    assert.deepEqual(Buffer.from(await blobs.read(key)), content);
    const { stream, bytes } = await blobs.get(key);
    assert.equal(bytes, 100_000);
    assert.deepEqual(Buffer.concat(await stream.toArray()), content);
    assert.equal(await blobs.size(key), 100_000);
  });

  test('takes a stream of unknown length', async () => {
    const [blobs, key, content] = [open(), photo(), randomBytes(6_000_000)];
    const chunks = Array.from({ length: 60 }, (_, i) => content.subarray(i * 100_000, (i + 1) * 100_000));
    assert.deepEqual(await blobs.put(key, Readable.from(chunks)), { bytes: 6_000_000 });
    assert.deepEqual(Buffer.from(await blobs.read(key)), content);
  });

  test('takes a result of many megabytes, which ends amid a part', async () => {
    const [blobs, key, content] = [open(), photo(), randomBytes(11_000_000)];
    assert.deepEqual(await blobs.put(key, content), { bytes: 11_000_000 });
    assert.ok(content.equals(await blobs.read(key)));
  });

  test('takes nothing at all', async () => {
    const [blobs, key] = [open(), photo()];
    assert.deepEqual(await blobs.put(key, Readable.from([])), { bytes: 0 });
    assert.equal((await blobs.read(key)).length, 0);
    assert.deepEqual(await blobs.put(key, new Uint8Array()), { bytes: 0 });
  });

  test('keeps what was there when a stream breaks, and throws its error', async () => {
    const [blobs, key] = [open(), photo()];
    await blobs.put(key, Buffer.from('before'));
    async function* breaking() {
      yield randomBytes(300_000);
      throw new AppError('TOO_MANY_BYTES', 'enough');
    }
    await assert.rejects(blobs.put(key, breaking()), withCode('TOO_MANY_BYTES'));
    assert.equal(Buffer.from(await blobs.read(key)).toString(), 'before');
  });

  test('replaces what was there', async () => {
    const [blobs, key] = [open(), photo()];
    await blobs.put(key, Buffer.from('a long first'));
    await blobs.put(key, Buffer.from('second'), { lasting: false });
    assert.equal(Buffer.from(await blobs.read(key)).toString(), 'second');
  });

  test('says that there is nothing', async () => {
    const [blobs, key] = [open(), photo()];
    await assert.rejects(blobs.get(key), withCode('BLOB_MISSING'));
    await assert.rejects(blobs.read(key), withCode('BLOB_MISSING'));
    assert.equal(await blobs.size(key), undefined);
    await blobs.delete(key);
  });

  test('lists by the beginning of the key, and deletes', async () => {
    const [blobs, id, other] = [open(), randomUUID(), randomUUID()];
    const list = async (prefix: string) => {
      return (await infos(blobs, prefix)).map(({ key }) => key).sort();
    };
    assert.deepEqual(await list(`tiles/${id}/`), []);
    for (const part of ['a-0', 'a-1']) await blobs.put(`tiles/${id}/${part}`, Buffer.from(part));
    await blobs.put(`tiles/${other}/a-0`, Buffer.from('other'));
    assert.deepEqual(await list(`tiles/${id}/`), [`tiles/${id}/a-0`, `tiles/${id}/a-1`]);
    assert.ok((await list('tiles/')).includes(`tiles/${other}/a-0`));
    const [info] = await infos(blobs, `tiles/${other}/`);
    assert.equal(info?.bytes, 5);
    assert.ok(Math.abs(Date.now() - (info?.modifiedAt.getTime() ?? 0)) < 60_000);
    for (const key of await list(`tiles/${id}/`)) await blobs.delete(key);
    assert.deepEqual(await list(`tiles/${id}/`), []);
  });

  test('takes no key that is not made by us', async () => {
    for (const key of [
      '../etc/passwd',
      'photos/../x',
      '/photos/x',
      'photos/',
      'photos/a b',
      'photos/a/b/c',
      'photos/.x',
    ]) {
      await assert.rejects(async () => open().put(key, Buffer.from('x')), TypeError, key);
      await assert.rejects(async () => open().read(key), TypeError, key);
    }
  });

  test('writes from many sides at once leave one of them, whole', async () => {
    const [blobs, key] = [open(), photo()];
    const contents = Array.from({ length: 8 }, (_, i) => Buffer.alloc(50_000, i));
    await Promise.all(contents.map((content) => blobs.put(key, content)));
    const kept = Buffer.from(await blobs.read(key));
    assert.ok(contents.some((content) => content.equals(kept)));
  });
}

describe('a folder', () => {
  let blobs: Blobs;
  test('opens, and removes what dead processes left unfinished', async (t) => {
    const folder = temporaryFolder(t);
    await mkdir(join(folder, '.unfinished'));
    await writeFile(join(folder, '.unfinished', 'x'), 'x');
    const opened = await openDiskBlobs(folder);
    await assert.rejects(
      opened.put(
        `photos/${randomUUID()}`,
        Readable.from(
          (function* () {
            yield Buffer.from('x');
            throw new Error('cut off');
          })(),
        ),
      ),
      /cut off/,
    );
    // The young one may be another process's; the broken one is gone.
    assert.deepEqual(await readdir(join(folder, '.unfinished')), ['x']);
  });
  test('says what is wrong with it', async (t) => {
    const file = join(temporaryFolder(t), 'a-file');
    await writeFile(file, 'x');
    await assert.rejects(openDiskBlobs(join(file, 'folder')), withCode('STORAGE'));
  });
  describe('as a store', () => {
    const folder = mkdtempSync(join(tmpdir(), 'boardsharp-test-'));
    after(() => rm(folder, { recursive: true, force: true }));
    before(async () => {
      blobs = await openDiskBlobs(folder);
    });
    keepsItsPromises(() => blobs);
  });
});

describe('S3', { skip: NO_S3_STORE }, () => {
  let store: Awaited<ReturnType<typeof startS3Store>>;
  let blobs: Blobs;
  before(async () => {
    store = await startS3Store();
    blobs = await openS3Blobs(store.config);
  });
  after(async () => {
    await blobs?.close();
    await store.stop();
  });
  keepsItsPromises(() => blobs);
  test('sends what is large in parts, each with its own time on a slow line, and what is small at once', async (t) => {
    const { endpoint, bucket: Bucket, region, accessKeyId, secretAccessKey } = store.config;
    const credentials = { accessKeyId: accessKeyId.reveal(), secretAccessKey: secretAccessKey.reveal() };
    const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
    t.after(() => client.destroy());
    for (const [bytes, parts] of [
      [5 * 1024 * 1024, undefined],
      [5 * 1024 * 1024 + 1, '2'],
      [11_000_000, '3'],
    ] as const) {
      const key = `results/${randomUUID()}`;
      await blobs.put(key, randomBytes(bytes));
      // S3 writes behind the tag of an object how many parts it came in.
      const { ETag } = await client.send(new HeadObjectCommand({ Bucket, Key: key }));
      assert.equal(/-(\d+)"$/.exec(ETag ?? '')?.[1], parts, `${bytes} bytes: ${ETag}`);
    }
  });
  test('tells of a bucket that is not there, a wrong secret, and a server that is not there', async () => {
    for (const [changes, told] of [
      [{ bucket: 'none' }, /there is no bucket "none"/],
      [{ secretAccessKey: new Secret('wrong') }, /boardsharp \(403/],
      [{ endpoint: 'http://127.0.0.1:1' }, /boardsharp \(.*ECONNREFUSED/],
    ] as const) {
      await assert.rejects(openS3Blobs({ ...store.config, ...changes }), { code: 'STORAGE', message: told });
    }
  });
});

test('an S3 store that takes connections and says nothing is told, and not waited for', async (t) => {
  const server = createServer(() => undefined).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const config = s3ConfigAt(`http://127.0.0.1:${port}`);
  await assert.rejects(openS3Blobs(config, { answerWithinMs: 50 }), withCode('STORAGE'));
});

async function infos(blobs: Blobs, prefix: string): Promise<BlobInfo[]> {
  const found: BlobInfo[] = [];
  for await (const info of blobs.list(prefix)) found.push(info);
  return found;
}
