/** The measures on cases counted by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bootstrap } from '../../src/evaluation/bootstrap.ts';
import { cellsOf } from '../../src/evaluation/letter-cells.ts';
import { countLine, distance, fold } from '../../src/evaluation/letter-scores.ts';
import { patientCrop, plainCrop } from '../../src/evaluation/line-crops.ts';
import { comparePictures, lumaOf } from '../../src/evaluation/picture-scores.ts';
import { enlargeLanczos, reduceByArea } from '../../src/evaluation/resample.ts';

test('a flat error of 10 levels is 28.13 dB, and SSIM follows its formula', () => {
  const flat = (value: number) => ({ width: 32, height: 32, data: new Float32Array(1024).fill(value) });
  const { psnr, ssim, textPsnr } = comparePictures(flat(110), flat(100), [], 2);
  assert.equal(psnr.toFixed(2), '28.13');
  assert.equal(ssim.toFixed(6), ((2 * 110 * 100 + 6.5025) / (110 ** 2 + 100 ** 2 + 6.5025)).toFixed(6));
  assert.equal(textPsnr, null);
});

test('a reduction is the mean of each channel, and Lanczos keeps what is even', () => {
  const data = Uint8Array.from({ length: 4 * 2 * 3 }, (_, i) => (i * 37) % 256);
  const mean = (left: number, channel: number): number => {
    const at = (x: number, y: number): number => data[(y * 4 + left + x) * 3 + channel] ?? 0;
    return Math.round((at(0, 0) + at(1, 0) + at(0, 1) + at(1, 1)) / 4);
  };
  const half = reduceByArea({ width: 4, height: 2, data }, 2);
  assert.deepEqual([half.width, half.height], [2, 1]);
  assert.deepEqual(
    [...half.data],
    [0, 2].flatMap((left) => [0, 1, 2].map((channel) => mean(left, channel))),
  );
  const flat = { width: 3, height: 3, data: new Uint8Array(27).map((_, i) => [10, 20, 30][i % 3] ?? 0) };
  const large = enlargeLanczos(flat, 2);
  assert.deepEqual([large.width, large.height, ...large.data.subarray(0, 3)], [6, 6, 10, 20, 30]);
});

test('errors in the outer pixels do not count, errors on a line count as text', () => {
  const truth = { width: 32, height: 32, data: new Float32Array(1024).fill(100) };
  const result = { ...truth, data: truth.data.slice() };
  result.data[0] = 255;
  const line = { text: 'ab', language: 'en', box: [10, 10, 14, 14] as const, xHeight: 5 };
  assert.equal(comparePictures(result, truth, [line], 2).psnr.toFixed(1), '88.1');
  for (let y = 8; y < 16; y++) result.data.fill(110, y * 32 + 8, y * 32 + 16);
  const far = { ...line, box: [27, 27, 30, 30] as const };
  const scores = comparePictures(result, truth, [line, far], 2);
  assert.equal(comparePictures(result, truth, [line], 2).textPsnr?.toFixed(2), '28.13');
  assert.equal(scores.lines[0]?.psnr.toFixed(2), '28.13');
  assert.equal(scores.lines[1]?.psnr.toFixed(1), '88.1');
  // No window fits around the second box.
  assert.equal(scores.lines[1]?.ssim, null);
  assert.equal(scores.textSsim, scores.lines[0]?.ssim);
  assert.ok((scores.textSsim ?? 1) < scores.ssim && scores.ssim < 1);
});

test('read again, a line is offered to both readers 6 % larger', () => {
  const data = Float32Array.from({ length: 160 * 80 }, (_, i) => (i % 7 < 2 ? 30 : 220));
  const line = { text: 'ab', language: 'en', box: [40, 30, 120, 50] as const, xHeight: 6 };
  const luma = { width: 160, height: 80, data };
  // The patient reader's crops have a frame: 16 pixels at each side, whatever the size.
  for (const [frame, crop] of [
    [0, (larger: number) => plainCrop(luma, line, larger)],
    [32, (larger: number) => patientCrop(luma, line, 2, larger)],
  ] as const) {
    const [usual, again] = [crop(1), crop(1.06)];
    assert.equal(again.width - frame, Math.round(1.06 * (usual.width - frame)));
    assert.ok(again.height > usual.height);
  }
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

test('cells have what a model closed of the gap, harmed beyond noise and chance and has over its rival', () => {
  const line = { text: 'дом лес', language: 'ru', box: [0, 0, 9, 9] as const, xHeight: 4 };
  const board = { name: 'a', tier: 'mild', kind: 'white', lines: [line, { ...line, xHeight: 9 }] };
  const bytes = { photo: new Uint8Array(), truth: new Uint8Array() };
  const boards = [1, 2, 3].map(() => ({ ...board, ...bytes }));
  const read = (first: string, second: string) => {
    const scores = { psnr: 30, ssim: 0.9, textPsnr: 20, textSsim: 0.8, ms: 1, rssBytes: 1 };
    const lines = [
      { psnr: 20, ssim: 0.7 },
      { psnr: 24, ssim: null },
    ];
    return boards.map(() => ({ ...scores, lines, plain: [first, second], patient: [first, second] }));
  };
  const measured = new Map([
    ['bicubic', read('дом лее', 'дом лес')],
    ['bicubic-again', read('дом лес', 'дом')],
    ['ours', read('дом лес', 'дом ле')],
    ['rival', read('дом', 'дом лес')],
    ['silent', read('', '')],
    ['truth', read('дом лес', 'дом лес')],
  ]);
  const options = { boards, measured, rival: 'rival', seed: 1 };
  const [all] = cellsOf('ours', 'patient', options, false);
  assert.equal(all?.name, 'all');
  // 14 letters a board with the spaces: bicubic has one wrong, ours one, the rival four, the truth none.
  assert.equal(all?.cer.toFixed(4), (1 / 14).toFixed(4));
  assert.equal(all?.overBicubic.value, 0);
  assert.equal(all?.figures.gapClosed.value, 0);
  assert.equal(all?.figures.overRival.value.toFixed(4), (-3 / 14).toFixed(4));
  assert.equal(all?.figures.recovered.value, 1);
  assert.equal(all?.figures.harmedBeyondNoise.value.toFixed(4), (1 / 3).toFixed(4));
  const chanceOf = (method: string, readings: typeof measured = measured): string | undefined =>
    cellsOf(
      method,
      'patient',
      { ...options, measured: readings },
      false,
    )[0]?.figures.harmedBeyondChance.value.toFixed(4);
  // Read again, bicubic has three words of a board; in its usual size it has lost one of them, ours none, the silent all.
  assert.equal(chanceOf('bicubic'), '0.0000');
  assert.equal(chanceOf('ours'), (-1 / 3).toFixed(4));
  assert.equal(chanceOf('rival'), '0.0000');
  assert.equal(chanceOf('silent'), (2 / 3).toFixed(4));
  assert.equal(chanceOf('bicubic-again'), 'NaN', 'against itself nothing is said');
  assert.equal(chanceOf('ours', new Map([...measured].filter(([name]) => name !== 'bicubic-again'))), 'NaN');
  assert.equal(all?.figures.textPsnr.value, 22);
  assert.equal(all?.figures.textSsim.value.toFixed(6), '0.700000');
  const crossed = cellsOf('ours', 'patient', options, true);
  assert.deepEqual(
    crossed.map(({ name, lines, cer }) => [name, lines, cer > 0]),
    [
      ['< 5 px · white · ru · mild', 3, false],
      ['≥ 8 px · white · ru · mild', 3, true],
    ],
  );
});
