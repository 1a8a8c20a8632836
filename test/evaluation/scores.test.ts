/** The measures on cases counted by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bootstrap } from '../../src/evaluation/bootstrap.ts';
import { countLine, distance, fold } from '../../src/evaluation/letter-scores.ts';
import { comparePictures, lumaOf } from '../../src/evaluation/picture-scores.ts';

test('a flat error of 10 levels is 28.13 dB, and SSIM follows its formula', () => {
  const flat = (value: number) => ({ width: 32, height: 32, data: new Float32Array(1024).fill(value) });
  const { psnr, ssim, textPsnr } = comparePictures(flat(110), flat(100), [], 2);
  assert.equal(psnr.toFixed(2), '28.13');
  assert.equal(ssim.toFixed(6), ((2 * 110 * 100 + 6.5025) / (110 ** 2 + 100 ** 2 + 6.5025)).toFixed(6));
  assert.equal(textPsnr, null);
});

test('errors in the outer pixels do not count, errors on a line count as text', () => {
  const truth = { width: 32, height: 32, data: new Float32Array(1024).fill(100) };
  const result = { ...truth, data: truth.data.slice() };
  result.data[0] = 255;
  const line = { text: 'ab', language: 'en', box: [10, 10, 14, 14] as const, xHeight: 5 };
  assert.equal(comparePictures(result, truth, [line], 2).psnr.toFixed(1), '88.1');
  for (let y = 8; y < 16; y++) result.data.fill(110, y * 32 + 8, y * 32 + 16);
  assert.equal(comparePictures(result, truth, [line], 2).textPsnr?.toFixed(2), '28.13');
});

test('brightness has the weights of BT.601', () => {
  const { data } = lumaOf({ width: 3, height: 1, data: Uint8Array.of(255, 0, 0, 0, 255, 0, 0, 0, 255) });
  assert.deepEqual([...data].map(Math.round), [76, 150, 29]);
});

test('look-alike letters of two alphabets are one letter, distance counts edits', () => {
  assert.equal(fold('  COP\n'), fold('сор'));
  assert.equal(distance('kitten', 'sitting'), 3);
  assert.equal(distance('', 'дом'), 3);
});

test('recovered and harmed words are counted word by word', () => {
  const counts = countLine({
    wanted: 'дом лес гора',
    here: 'дом лев гора',
    bicubic: 'лес',
    truth: 'дом лес гора',
  });
  const { letters, wrong, words, read, recoverable, recovered, harmable, harmed } = counts;
  assert.deepEqual([letters, wrong, words, read], [12, 1, 3, 2]);
  assert.deepEqual([recoverable, recovered, harmable, harmed], [2, 2, 1, 1]);
});

test('a line is wholly wrong at most', () => {
  const { wrong, letters } = countLine({ wanted: 'да', here: 'много лишних слов', bicubic: '', truth: '' });
  assert.equal(wrong, letters);
});

test('the interval of a mean of coins is about two standard errors wide, and the same from the same seed', () => {
  const coins = Array.from({ length: 100 }, (_, i) => i % 2);
  const mean = (drawn: readonly number[]): number => drawn.reduce((a, b) => a + b, 0) / drawn.length;
  const { low, high } = bootstrap(coins, mean, 1);
  assert.ok(Math.abs(low - 0.402) < 0.02 && Math.abs(high - 0.598) < 0.02, `${low} ${high}`);
  assert.deepEqual(bootstrap(coins, mean, 1), { low, high });
});
