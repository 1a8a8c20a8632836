/** `boardsharp models` and `models pull`: what they print and when they refuse. */
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { runModels } from '../../src/cli/models-command.ts';
import { hubEntry, writeOwn } from '../helpers/catalogue-files.ts';
import { temporaryFolder } from '../helpers/engine.ts';
import { openLocalHub, sha256 } from '../helpers/local-hub.ts';

/** The command with a local hub that has the model "net", and what it wrote. */
async function open(t: TestContext, { isTTY = false, model }: { isTTY?: boolean; model?: string } = {}) {
  const hub = await openLocalHub(t);
  const modelsDir = temporaryFolder(t);
  await writeOwn(modelsDir, { net: hubEntry({ summary: 'A network for tests' }) });
  const [stdout, stderr] = [new PassThrough(), Object.assign(new PassThrough(), { isTTY })];
  const config = { model, modelsDir, hfEndpoint: hub.url, hfToken: undefined };
  const { signal } = new AbortController();
  return {
    hub,
    run: (...args: string[]) => runModels(args, { config, stdout, stderr, signal }),
    out: () => String(stdout.read() ?? ''),
    err: () => String(stderr.read() ?? ''),
  };
}

test('the list shows state, licence, size and the defaults with their reasons', async (t) => {
  const { run, out, err } = await open(t);
  assert.equal(await run(), 0);
  const text = out();
  assert.match(text, /boardsharp-x2 +x2 default +embedded +[\d.]+ MB +Apache-2\.0/);
  assert.match(text, /net +x2 +not installed .*A network for tests/);
  assert.match(text, /Default for x4: boardsharp-x4 \(.+\)\./);
  assert.equal(err(), '');
});

test('the list says which model MODEL chooses, and when it is none', async (t) => {
  const chosen = await open(t, { model: 'net' });
  await chosen.run();
  assert.match(chosen.out(), /MODEL=net is used/);
  const unknown = await open(t, { model: 'nothing' });
  await unknown.run();
  assert.match(unknown.out(), /MODEL=nothing names none/);
});

test('the list as JSON is one object', async (t) => {
  const { run, out } = await open(t);
  await run('--json');
  const { models, defaults } = JSON.parse(out());
  assert.equal(defaults.length, 2);
  const net = models.find((model: { name: string }) => model.name === 'net');
  assert.equal(net.state, 'not installed');
  assert.equal(net.path, null);
  assert.equal(net.default, false);
});

test('a pull prints one line, and the list shows it as pulled with its size', async (t) => {
  const { hub, run, out, err } = await open(t);
  assert.equal(await run('pull', 'net'), 0);
  const text = out();
  assert.match(
    text,
    /^Pulled net \(200\.0 kB, SHA-256 [0-9a-f]{64}, commit [0-9a-f]{40}\) to .*net\.onnx\n$/,
  );
  assert.ok(text.includes(sha256(hub.content)));
  assert.equal(err(), '', 'no progress where there is no terminal');
  await run();
  assert.match(out(), /net +x2 +pulled +200\.0 kB/);
  await run('pull', 'net');
  assert.match(out(), /installed already/);
});

test('a pull shows its progress on a terminal', async (t) => {
  const { run, err } = await open(t, { isTTY: true });
  await run('pull', 'net');
  assert.match(err(), /100 % +net, 200\.0 kB/);
});

test('a pull as JSON is one object with the record', async (t) => {
  const { run, out } = await open(t);
  await run('pull', 'net', '--json');
  const { name, fetched, record } = JSON.parse(out());
  assert.deepEqual([name, fetched, record.repository], ['net', true, 'someone/some-model']);
});

test('an embedded model has nothing to be pulled', async (t) => {
  const { hub, run, out } = await open(t);
  assert.equal(await run('pull', 'boardsharp-x2'), 0);
  assert.match(out(), /installed already/);
  assert.equal(hub.asked.length, 0);
});

test('wrong usage and unknown names are refused', async (t) => {
  const { run } = await open(t);
  for (const args of [['push', 'net'], ['pull'], ['pull', 'net', 'more'], ['--colour']]) {
    await assert.rejects(run(...args), { code: 'USAGE' }, args.join(' '));
  }
  await assert.rejects(run('pull', 'nothing'), { code: 'MODEL_UNKNOWN', detail: /net/ });
});
