import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareDevices, probeTile } from '../../src/engine/device-choice.ts';
import { toPlanes } from '../../src/engine/pixels.ts';

const output = toPlanes(probeTile(), 2, 1);
const off = (by: number) => ({ ...output, data: output.data.with(777, (output.data[777] ?? 0) + by) });

const CASES = [
  {
    name: 'agrees and is faster',
    gpu: { output: off(0.003), ms: 2 },
    take: true,
    reason: /faster: 2\.0 ms against 9\.0/,
  },
  { name: 'agrees and is slower', gpu: { output, ms: 80 }, take: false, reason: /not faster/ },
  {
    name: 'is wrong at one value',
    gpu: { output: off(0.02), ms: 2 },
    take: false,
    reason: /off by 5\.1\/255/,
  },
  { name: 'gives a NaN', gpu: { output: off(Number.NaN), ms: 2 }, take: false, reason: /something else/ },
];

for (const { name, gpu, take, reason } of CASES) {
  test(`a GPU that ${name} is ${take ? 'taken' : 'left'}`, () => {
    const choice = compareDevices(gpu, { output, ms: 9 });
    assert.equal(choice.take, take);
    assert.match(choice.reason, reason);
  });
}
