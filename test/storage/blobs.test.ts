/** One contract for every store of images: the folder, and S3 on a server of this machine where there is one. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '../../src/errors.ts';
import { Secret } from '../../src/secret.ts';
import type { BlobInfo, Blobs } from '../../src/storage/blobs.ts';
import { openDiskBlobs } from '../../src/storage/disk-blobs.ts';
import { openS3Blobs } from '../../src/storage/s3-blobs.ts';
import { temporaryFolder } from '../helpers/engine.ts';
import { freePort } from '../helpers/server-process.ts';

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

  test('takes nothing at all', async () => {
    const [blobs, key] = [open(), photo()];
    assert.deepEqual(await blobs.put(key, Readable.from([])), { bytes: 0 });
    assert.equal((await blobs.read(key)).length, 0);
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

const MOTO = spawnSync('moto_server', ['--help']).status === 0;

describe('S3', { skip: MOTO ? false : 'moto_server is not installed (Python: moto with its server)' }, () => {
  let server: ChildProcess;
  let blobs: Blobs;
  const config = (port: number, bucket = 'boardsharp') => ({
    endpoint: `http://127.0.0.1:${port}`,
    bucket,
    region: 'us-east-1',
    accessKeyId: new Secret('test'),
    secretAccessKey: new Secret('test'),
  });
  let port: number;
  before(async () => {
    port = await freePort();
    server = spawn('moto_server', ['-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' });
    await answering(`http://127.0.0.1:${port}/moto-api/`);
    await fetch(`http://127.0.0.1:${port}/boardsharp`, { method: 'PUT' });
    blobs = await openS3Blobs(config(port));
  });
  after(async () => {
    await blobs?.close();
    server.kill('SIGKILL');
  });
  keepsItsPromises(() => blobs);
  test('a bucket that is not there, and a server that is not, are told', async () => {
    await assert.rejects(openS3Blobs(config(port, 'none')), (error: AppError) => {
      assert.match(error.message, /there is no bucket "none"/);
      return error.code === 'STORAGE';
    });
    await assert.rejects(openS3Blobs(config(1)), withCode('STORAGE'));
  });
});

async function infos(blobs: Blobs, prefix: string): Promise<BlobInfo[]> {
  const found: BlobInfo[] = [];
  for await (const info of blobs.list(prefix)) found.push(info);
  return found;
}

/** Another program's server tells nobody when it is up. */
async function answering(url: string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const answer = await fetch(url).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer !== undefined) return;
    await delay(100);
  }
  throw new Error(`${url} does not answer`);
}
