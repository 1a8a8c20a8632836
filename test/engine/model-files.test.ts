/** Model files: proven by hash, fetched whole or not at all, over a real connection to a small hub. */
import assert from 'node:assert/strict';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { locateModel, type PullOptions, pullModel } from '../../src/engine/model-files.ts';
import { loadCatalogue, type Model } from '../../src/engine/models.ts';
import { Secret } from '../../src/secret.ts';
import { type Entry, fileEntry, hubEntry, writeOwn } from '../helpers/catalogue-files.ts';
import { temporaryFolder } from '../helpers/engine.ts';
import {
  bytesFrom,
  COMMIT,
  FILE,
  type LocalHub,
  openLocalHub,
  REPOSITORY,
  sha256,
} from '../helpers/local-hub.ts';

interface Setting {
  readonly hub: LocalHub;
  readonly modelsDir: string;
  readonly model: Model;
  readonly pull: (options?: Partial<PullOptions>) => ReturnType<typeof pullModel>;
}

/** A hub, an empty models folder but for the catalogue, and the model "net" in it. */
async function open(t: TestContext, changes: Entry = {}): Promise<Setting> {
  const hub = await openLocalHub(t);
  const modelsDir = temporaryFolder(t);
  const model = await modelOf(modelsDir, hubEntry(changes));
  return {
    hub,
    modelsDir,
    model,
    pull: (options) => pullModel(model, { modelsDir, hfEndpoint: hub.url, ...options }),
  };
}

async function modelOf(modelsDir: string, entry: Entry): Promise<Model> {
  await writeOwn(modelsDir, { net: entry });
  return (await loadCatalogue({ modelsDir })).get('net');
}

async function filesIn(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((file) => file !== 'catalogue.json').sort();
}

/** A pull whose connection breaks when exactly 70 000 bytes have arrived. */
async function pullCutMidway({ hub, pull }: Setting): Promise<void> {
  hub.stallAfter = 70_000;
  const onProgress: PullOptions['onProgress'] = ({ receivedBytes }) => {
    if (receivedBytes === 70_000) hub.cut();
  };
  await assert.rejects(pull({ onProgress }), { code: 'DOWNLOAD', action: /continues/ });
  hub.stallAfter = Number.POSITIVE_INFINITY;
}

const PART = /^\.net\.[0-9a-f]{12}\.part$/;

test('a file beside the catalogue is found when its hash is right', async (t) => {
  const modelsDir = temporaryFolder(t);
  const content = bytesFrom('ours', 5000);
  const model = await modelOf(modelsDir, fileEntry({ sha256: sha256(content), bytes: 5000 }));
  await assert.rejects(locateModel(model, { modelsDir }), { code: 'MODEL_MISSING', detail: /network\.onnx/ });
  await writeFile(join(modelsDir, 'network.onnx'), content);
  assert.equal(await locateModel(model, { modelsDir }), join(modelsDir, 'network.onnx'));
  content[4999] = (content[4999] ?? 0) ^ 1;
  await writeFile(join(modelsDir, 'network.onnx'), content);
  await assert.rejects(locateModel(model, { modelsDir }), { code: 'MODEL_CORRUPT', detail: /instead of/ });
});

test('a file without a hash in the catalogue is not used, and its hash is told', async (t) => {
  const modelsDir = temporaryFolder(t);
  const model = await modelOf(modelsDir, fileEntry());
  await writeFile(join(modelsDir, 'network.onnx'), 'x');
  const told = { code: 'MODEL_CORRUPT', detail: new RegExp(sha256(Buffer.from('x'))) };
  await assert.rejects(locateModel(model, { modelsDir }), told);
});

test('the first pull fetches, pins and records; the second needs no hub', async (t) => {
  const { hub, modelsDir, model, pull } = await open(t);
  await assert.rejects(locateModel(model, { modelsDir }), {
    code: 'MODEL_MISSING',
    action: /models pull net/,
  });
  const seen: number[] = [];
  const pulled = await pull({ onProgress: ({ receivedBytes }) => seen.push(receivedBytes) });
  assert.deepEqual(await readFile(pulled.path), hub.content);
  assert.equal(seen.at(-1), hub.content.length);
  assert.deepEqual(await filesIn(modelsDir), ['net.json', 'net.onnx']);
  const record = JSON.parse(await readFile(join(modelsDir, 'net.json'), 'utf8'));
  assert.equal(record.sha256, sha256(hub.content));
  assert.equal(record.commit, COMMIT);
  assert.equal(await locateModel(model, { modelsDir }), pulled.path);
  await hub.close();
  assert.equal((await pull()).fetched, false);
});

for (const variation of [{ hash: 'listing' }, { storage: 'direct' }, { ignoreRange: true }] as const) {
  test(`a pull works with a hub of ${JSON.stringify(variation)}`, async (t) => {
    const { hub, pull } = await open(t);
    Object.assign(hub, variation);
    assert.deepEqual(await readFile((await pull()).path), hub.content);
  });
}

test('a file changed after the pull is not used, and the next pull repairs it', async (t) => {
  const { hub, modelsDir, model, pull } = await open(t);
  const { path } = await pull();
  await writeFile(path, bytesFrom('other', hub.content.length));
  await assert.rejects(locateModel(model, { modelsDir }), {
    code: 'MODEL_CORRUPT',
    action: /models pull net/,
  });
  assert.equal((await pull()).fetched, true);
  assert.equal(await locateModel(model, { modelsDir }), path);
});

test('what the first pull pinned is not replaced when the hub changes its mind', async (t) => {
  const { hub, modelsDir, pull } = await open(t);
  const { path } = await pull();
  await rm(path);
  hub.content = bytesFrom('a newer model', 200_000);
  await assert.rejects(pull(), { code: 'DOWNLOAD', detail: /first pull/, action: /net\.json/ });
  await rm(join(modelsDir, 'net.json'));
  assert.deepEqual(await readFile((await pull()).path), hub.content);
});

test('another hash than the catalogue asks for is refused before anything is fetched', async (t) => {
  const { hub, modelsDir, pull } = await open(t, { sha256: '0'.repeat(64) });
  await assert.rejects(pull(), { code: 'DOWNLOAD', detail: /catalogue asks for/ });
  assert.equal(hub.asked.filter(({ range }) => range !== 'bytes=0-0').length, 0);
  assert.deepEqual(await filesIn(modelsDir), []);
});

test('a hub that states no hash is trusted only with one in the catalogue', async (t) => {
  const { hub, modelsDir, pull } = await open(t);
  hub.hash = 'nowhere';
  await assert.rejects(pull(), { code: 'DOWNLOAD', detail: /SHA-256/ });
  const pinned = await modelOf(modelsDir, hubEntry({ sha256: sha256(hub.content) }));
  assert.equal((await pullModel(pinned, { modelsDir, hfEndpoint: hub.url })).fetched, true);
});

test('an entry that names another revision is a model not pulled yet', async (t) => {
  const { modelsDir, pull } = await open(t);
  await pull();
  const source = { repository: REPOSITORY, revision: COMMIT, file: FILE };
  const moved = await modelOf(modelsDir, hubEntry({ source }));
  await assert.rejects(locateModel(moved, { modelsDir }), { code: 'MODEL_MISSING' });
});

test('a connection cut midway leaves a part, from which the next pull goes on', async (t) => {
  const setting = await open(t);
  const { hub, modelsDir, model, pull } = setting;
  await pullCutMidway(setting);
  assert.deepEqual(
    (await filesIn(modelsDir)).map((file) => PART.test(file)),
    [true],
  );
  await assert.rejects(locateModel(model, { modelsDir }), { code: 'MODEL_MISSING' });
  const { path } = await pull();
  assert.deepEqual(await readFile(path), hub.content);
  assert.equal(hub.asked.at(-1)?.range, 'bytes=70000-');
  assert.deepEqual(await filesIn(modelsDir), ['net.json', 'net.onnx']);
});

test('a server that cannot continue makes the pull start again', async (t) => {
  const setting = await open(t);
  const { hub, pull } = setting;
  await pullCutMidway(setting);
  hub.ignoreRange = true;
  assert.deepEqual(await readFile((await pull()).path), hub.content);
});

test('a part of content that has changed since is thrown away', async (t) => {
  const setting = await open(t);
  const { hub, modelsDir, pull } = setting;
  await pullCutMidway(setting);
  hub.content = bytesFrom('a newer model', 150_000);
  assert.deepEqual(await readFile((await pull()).path), hub.content);
  assert.deepEqual(await filesIn(modelsDir), ['net.json', 'net.onnx']);
});

test('a damaged part, and one of a process that was killed, end in a right file', async (t) => {
  const { hub, modelsDir, pull } = await open(t);
  // No process has this number: it is above what Linux allows.
  const orphan = `.net.${sha256(hub.content).slice(0, 12)}.4999999-0123abcd.part`;
  await writeFile(join(modelsDir, orphan), bytesFrom('something else', 1000));
  assert.deepEqual(await readFile((await pull()).path), hub.content);
  assert.ok(
    hub.asked.some(({ range }) => range === 'bytes=1000-'),
    'the part was taken over',
  );
  assert.deepEqual(await filesIn(modelsDir), ['net.json', 'net.onnx']);
});

test('bytes that do not hash to what the hub states never get the real name', async (t) => {
  const { hub, modelsDir, pull } = await open(t);
  hub.damaged = bytesFrom('not the model', hub.content.length);
  await assert.rejects(pull(), { code: 'DOWNLOAD', detail: /thrown away/ });
  assert.deepEqual(await filesIn(modelsDir), []);
});

test('a cancelled pull leaves at most a part', async (t) => {
  const { modelsDir, pull } = await open(t);
  const controller = new AbortController();
  const stopped = pull({ signal: controller.signal, onProgress: () => controller.abort() });
  await assert.rejects(stopped, { code: 'CANCELLED' });
  assert.deepEqual(
    (await filesIn(modelsDir)).map((file) => PART.test(file)),
    [true],
  );
  await assert.rejects(pull({ signal: controller.signal }), { code: 'CANCELLED' });
});

test('two pulls at once both end well', async (t) => {
  const setting = await open(t);
  const { hub, modelsDir, pull } = setting;
  await pullCutMidway(setting);
  for (const { path } of await Promise.all([pull(), pull(), pull()])) {
    assert.deepEqual(await readFile(path), hub.content);
  }
  assert.deepEqual(await filesIn(modelsDir), ['net.json', 'net.onnx']);
});

test('the token goes to the hub alone, and into no error', async (t) => {
  const { hub, pull } = await open(t);
  hub.token = 'of-the-classroom';
  await assert.rejects(pull(), { code: 'DOWNLOAD', detail: /401/, action: /Set HF_TOKEN/ });
  const refused = pull({ hfToken: new Secret('of-somebody-else') });
  await assert.rejects(refused, (error: Error) => {
    assert.match(error.message, /401.*HF_TOKEN is valid/);
    assert.doesNotMatch(JSON.stringify(error, Object.getOwnPropertyNames(error)), /somebody/);
    return true;
  });
  await pull({ hfToken: new Secret('of-the-classroom') });
  const answered = hub.asked.slice(2);
  assert.ok(answered.some(({ at }) => at === 'storage'));
  for (const { at, authorization } of answered) {
    assert.equal(authorization, at === 'hub' ? 'Bearer of-the-classroom' : undefined);
  }
});

const absent: readonly [string, Record<string, string>, RegExp][] = [
  ['file', { file: 'model.onnx' }, /no file model\.onnx/],
  ['revision', { revision: 'v9' }, /no revision v9/],
  ['repository', { repository: 'nobody/nothing' }, /nobody\/nothing/],
];
for (const [what, changes, told] of absent) {
  test(`a ${what} the hub does not have is named`, async (t) => {
    const { pull } = await open(t, {
      source: { repository: REPOSITORY, revision: 'main', file: FILE, ...changes },
    });
    await assert.rejects(pull(), { code: 'DOWNLOAD', detail: told, action: /catalogue/ });
  });
}

test('a hub that fails or is down is told apart', async (t) => {
  const { hub, modelsDir, pull } = await open(t);
  hub.status = 503;
  await assert.rejects(pull(), { code: 'DOWNLOAD', detail: /answers 503/ });
  await hub.close();
  await assert.rejects(pull(), {
    code: 'DOWNLOAD',
    detail: /cannot be reached \(ECONNREFUSED\)/,
    action: /HF_ENDPOINT/,
  });
  assert.deepEqual(await filesIn(modelsDir), []);
});

test('an address is not repeated, however fetching from it fails', async (t) => {
  const { model, modelsDir } = await open(t);
  const hfEndpoint = 'http://me:hunter2@127.0.0.1:9';
  await assert.rejects(pullModel(model, { modelsDir, hfEndpoint }), (error: Error & { code?: string }) => {
    assert.equal(error.code, 'DOWNLOAD');
    assert.match(error.message, /127\.0\.0\.1:9/);
    assert.doesNotMatch(error.message, /hunter2/);
    return true;
  });
});

test('a folder that cannot be made is an error about the folder', async (t) => {
  const { hub, model } = await open(t);
  const file = join(temporaryFolder(t), 'a-file');
  await writeFile(file, '');
  const pulling = pullModel(model, { modelsDir: join(file, 'models'), hfEndpoint: hub.url });
  await assert.rejects(pulling, { code: 'OUTPUT_UNWRITABLE', action: /MODELS_DIR/ });
});
