/** The catalogue: ours is right, wrong ones are refused with the place, a user's adds and never overrides. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { locateModel } from '../../src/engine/model-files.ts';
import { chooseScale, LONGEST_SIDE_FOR_X4, loadCatalogue, modelFor } from '../../src/engine/models.ts';
import { type Entry, fileEntry, hubEntry, writeEmbedded, writeOwn } from '../helpers/catalogue-files.ts';
import { temporaryFolder } from '../helpers/engine.ts';

test('the embedded catalogue is right, and its own networks are the files it describes', async (t) => {
  const modelsDir = temporaryFolder(t);
  const catalogue = await loadCatalogue({ modelsDir });
  for (const model of catalogue.models.values()) {
    if (model.source.kind === 'embedded') await locateModel(model, { modelsDir });
  }
  for (const scale of [2, 4] as const) {
    const { model, why } = catalogue.defaultFor(scale);
    assert.equal(model.scale, scale);
    assert.equal(model.source.kind, 'embedded', 'the default works without a download');
    assert.ok(why.length > 0);
  }
});

test('an unknown name is answered with those there are', async (t) => {
  const catalogue = await loadCatalogue({ modelsDir: temporaryFolder(t) });
  assert.throws(() => catalogue.get('boardsharp-x3'), {
    code: 'MODEL_UNKNOWN',
    detail: /boardsharp-x3; .*boardsharp-x2/,
  });
});

test("a user's catalogue adds models, with files beside it", async (t) => {
  const modelsDir = temporaryFolder(t);
  await writeOwn(modelsDir, { mine: fileEntry({ base: 'none', range: 255 }), theirs: hubEntry() });
  const catalogue = await loadCatalogue({ modelsDir });
  assert.deepEqual(catalogue.get('mine').source, { kind: 'own', path: join(modelsDir, 'network.onnx') });
  assert.equal(catalogue.get('theirs').source.kind, 'hub');
  assert.equal(catalogue.defaultFor(2).model.name, 'boardsharp-x2');
});

test("a user's catalogue overrides nothing", async (t) => {
  const modelsDir = temporaryFolder(t);
  await writeOwn(modelsDir, { 'boardsharp-x2': fileEntry() });
  await assert.rejects(loadCatalogue({ modelsDir }), { code: 'CATALOGUE', detail: /boardsharp-x2/ });
  const defaults = { 2: { model: 'mine', why: 'I like it' } };
  await writeFile(
    join(modelsDir, 'catalogue.json'),
    JSON.stringify({ defaults, models: { mine: fileEntry() } }),
  );
  await assert.rejects(loadCatalogue({ modelsDir }), { code: 'CATALOGUE', detail: /defaults: .*MODEL/ });
});

const wrong: readonly [string, Entry, RegExp][] = [
  ['a scale there is not', { scale: 3 }, /models\.mine\.scale/],
  ['a halo that is no multiple', { halo: 31 }, /models\.mine\.halo: must be a multiple/],
  ['a hash that is none', { sha256: 'abc' }, /models\.mine\.sha256/],
  ['a misspelt field', { license: 'MIT' }, /models\.mine\.license/],
  ['a path that leaves the folder', { source: { file: '../secret.onnx' } }, /models\.mine\.source/],
  ['an absolute path', { source: { file: '/etc/passwd' } }, /models\.mine\.source/],
  [
    'a repository with a query',
    { source: { repository: 'a/b?c', revision: 'main', file: 'm.onnx' } },
    /models\.mine\.source/,
  ],
  ['a range there is not', { range: 100 }, /models\.mine\.range/],
  ['a share above all', { damping: { share: 1.5, smallPixels: 8, largePixels: 12 } }, /damping\.share/],
  [
    'damping of a whole picture',
    { base: 'none', damping: { share: 0.5, smallPixels: 8, largePixels: 12 } },
    /damping: damps corrections/,
  ],
  ['damping without a way up', { damping: { share: 0.5, smallPixels: 8, largePixels: 8 } }, /largePixels/],
];
for (const [what, changes, place] of wrong) {
  test(`an entry with ${what} is refused, and the place named`, async (t) => {
    const modelsDir = temporaryFolder(t);
    await writeOwn(modelsDir, { mine: fileEntry(changes) });
    await assert.rejects(loadCatalogue({ modelsDir }), { code: 'CATALOGUE', detail: place });
  });
}

test('all wrong places are reported together', async (t) => {
  const modelsDir = temporaryFolder(t);
  await writeOwn(modelsDir, { 'Mine!': fileEntry({ halo: -2 }), catalogue: fileEntry({ tilePixels: 0 }) });
  await assert.rejects(loadCatalogue({ modelsDir }), { detail: /Mine!.*halo.*catalogue.*tilePixels/s });
});

test('a catalogue that is no JSON or not there is an error', async (t) => {
  const [modelsDir, embeddedDir] = [temporaryFolder(t), temporaryFolder(t)];
  await writeFile(join(modelsDir, 'catalogue.json'), '{"models": {');
  await assert.rejects(loadCatalogue({ modelsDir }), { code: 'CATALOGUE', detail: /not JSON/ });
  await assert.rejects(loadCatalogue({ modelsDir: embeddedDir, embeddedDir }), {
    code: 'CATALOGUE',
    detail: /not there/,
  });
});

test('a default that is no model of its scale is refused', async (t) => {
  const [modelsDir, embeddedDir] = [temporaryFolder(t), temporaryFolder(t)];
  const two = { model: 'two', why: 'a slip' };
  const small = { model: 'four', why: 'the only one', small: { ...two, upToPixels: 9 } };
  for (const four of [two, small]) {
    await writeEmbedded(embeddedDir, {}, { 2: two, 4: four });
    await assert.rejects(loadCatalogue({ modelsDir, embeddedDir }), {
      code: 'CATALOGUE',
      detail: /default for 4/,
    });
  }
});

test('a small crop gets the model for small crops where there is one', async (t) => {
  const [modelsDir, embeddedDir] = [temporaryFolder(t), temporaryFolder(t)];
  const four = { model: 'four', why: 'it is the only one' };
  const small = { model: 'better', why: 'it costs nothing there', upToPixels: 5000 };
  await writeEmbedded(
    embeddedDir,
    { better: fileEntry() },
    { 2: { model: 'two', why: 'fast', small }, 4: four },
  );
  const catalogue = await loadCatalogue({ modelsDir, embeddedDir });
  assert.equal(catalogue.defaultFor(2, 5000).model.name, 'better');
  assert.equal(catalogue.defaultFor(2, 5001).model.name, 'two');
  assert.equal(catalogue.defaultFor(2).model.name, 'two');
  assert.equal(catalogue.defaultFor(4, 1).model.name, 'four');
  assert.equal(catalogue.smallDefaultFor(2)?.upToPixels, 5000);
  assert.equal(catalogue.smallDefaultFor(4), undefined);
  assert.equal(modelFor(catalogue, 2, { preset: undefined, pixels: 5000 }).name, 'better');
  assert.equal(modelFor(catalogue, 2, { preset: 'two', pixels: 5000 }).name, 'two');
  assert.equal(modelFor(catalogue, 4, { preset: 'two' }).name, 'four', 'the setting is of the other scale');
  assert.throws(() => modelFor(catalogue, 4, { preset: 'none' }), { code: 'MODEL_UNKNOWN' });
});

test('small crops are enlarged four times, photos twice', () => {
  assert.equal(chooseScale(1, 1), 4);
  assert.equal(chooseScale(LONGEST_SIDE_FOR_X4, 300), 4);
  assert.equal(chooseScale(300, LONGEST_SIDE_FOR_X4 + 1), 2);
  assert.equal(chooseScale(1280, 960), 2);
  assert.equal(chooseScale(2560, 2560), 2);
});
