/**
 * WebGPU computes what the CPU computes, several photos at once included. On the card where VK_ICD_FILENAMES names its driver, else on
 * SwiftShader, the Vulkan in software that comes with Chromium: slow, so the pictures are small.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import {
  type InferenceRequest,
  type InferenceResponse,
  type Network,
  openInference,
} from '../../src/engine/inference.ts';
import { loadCatalogue, type Model } from '../../src/engine/models.ts';
import { openPixelWork } from '../../src/engine/pixel-work.ts';
import { type Planes, type Raster, toPlanes } from '../../src/engine/pixels.ts';
import { openThread } from '../../src/engine/thread.ts';
import { networkOf } from '../../src/engine/upscale.ts';
import { openLog } from '../../src/log.ts';
import { drawBoard, drawNoise, largestDifference } from '../helpers/pictures.ts';
import { seededRandom } from '../helpers/seed.ts';

const SWIFTSHADER = '/usr/lib/chromium/vk_swiftshader_icd.json';
const LOADERS = ['x86_64', 'aarch64'].map((machine) => `/usr/lib/${machine}-linux-gnu/libvulkan.so.1`);
// The loader reads it when WebGPU is asked for the first time.
process.env.VK_ICD_FILENAMES ??= SWIFTSHADER;
const skip =
  !existsSync(process.env.VK_ICD_FILENAMES) || !LOADERS.some(existsSync)
    ? 'no Vulkan is installed (Debian: apt-get install chromium libvulkan1)'
    : false;

/** Seconds on a machine with nothing else to do, minutes on one that is busy. */
const SLOW_MS = 600_000;

const catalogue = await loadCatalogue({ modelsDir: '/nonexistent' });
const MODELS = [
  catalogue.defaultFor(2).model,
  catalogue.defaultFor(2, 1).model,
  catalogue.defaultFor(4).model,
];
/** Of full white: a tenth of a step of 8 bits. */
const SAME = 0.1 / 255;

for (const model of MODELS) {
  test(`${model.name}: WebGPU gives the CPU's numbers for several photos in one batch`, {
    skip,
    timeout: SLOW_MS,
  }, async (t) => {
    const random = seededRandom(t);
    const photos = [drawBoard(18, 14, random), drawNoise(18, 14, random), drawBoard(18, 14, random)];
    const cpu = await runOn(t, 'cpu', model, photos);
    const gpu = await runOn(t, 'webgpu', model, photos);
    assert.deepEqual([cpu.device.provider, cpu.takesBatches], ['cpu', false]);
    assert.deepEqual([gpu.device.provider, gpu.takesBatches], ['webgpu', true]);
    assert.equal(gpu.outputs.length, photos.length);
    for (const [index, output] of gpu.outputs.entries()) {
      const worst = difference(output, cpu.outputs[index] as Planes);
      assert.ok(worst <= SAME, `photo ${index + 1}: off by ${(255 * worst).toFixed(3)}/255`);
      t.diagnostic(`photo ${index + 1}: off by at most ${(255 * worst).toFixed(5)}/255`);
    }
    // They are different photos, and so are their outputs.
    assert.ok(difference(gpu.outputs[0] as Planes, gpu.outputs[1] as Planes) > 10 * SAME);
    assert.equal(toPlanes(photos[0] as Raster, 2, 1).width * model.scale, gpu.outputs[0]?.width);
  });
}

test('photos that are worked on together come back whole, whatever they shared a batch with', {
  skip,
  timeout: SLOW_MS,
}, async (t) => {
  const random = seededRandom(t);
  const [model] = MODELS as [Model];
  const sizes = [
    [18, 14],
    [14, 18],
    [18, 14],
    [18, 14],
  ] as const;
  const photos = sizes.map(([width, height]) => drawBoard(width, height, random));
  const [onCpu, onGpu] = [await enlargeTogether(t, 'cpu', 1), await enlargeTogether(t, 'webgpu', 3)];
  for (const [index, raster] of onGpu.entries())
    assert.ok(largestDifference(raster, onCpu[index] as Raster) <= 1, `photo ${index + 1}`);

  async function enlargeTogether(
    t: TestContext,
    executionProvider: 'cpu' | 'webgpu',
    batchSize: number,
  ): Promise<Raster[]> {
    const pixelWork = openPixelWork();
    const log = openLog({ level: 'silent', format: 'json' });
    const inference = openInference({ executionProvider, batchSize, pixelWork, log });
    t.after(() => Promise.all([inference.close(), pixelWork.close()]));
    await inference.prepare(networkFor(model));
    const results = photos.map((photo) => {
      const all = { left: 0, top: 0, width: photo.width, height: photo.height };
      return inference.enlargeTile(networkFor(model), photo, { read: all, keep: all });
    });
    return (await Promise.all(results)).map(({ raster }) => raster);
  }
});

/** Gives the thread all of them at once. */
async function runOn(
  t: TestContext,
  provider: 'cpu' | 'webgpu',
  model: Model,
  tiles: readonly Raster[],
): Promise<InferenceResponse> {
  const thread = openThread<InferenceRequest, InferenceResponse>('inference-thread', { finishes: true });
  t.after(() => thread.close());
  return thread.call({ network: networkFor(model), provider, threads: 1, tiles });
}

function networkFor(model: Model): Network {
  return networkOf(model, 'path' in model.source ? model.source.path : '');
}

/** The largest difference of any value; NaN if one is. */
function difference(one: Planes, other: Planes): number {
  assert.deepEqual([one.width, one.height], [other.width, other.height]);
  let worst = 0;
  for (const [i, value] of one.data.entries()) {
    const distance = Math.abs(value - (other.data[i] as number));
    if (!(distance <= worst)) worst = distance;
  }
  return worst;
}
