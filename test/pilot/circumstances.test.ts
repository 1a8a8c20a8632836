/** Why a word was not read: told from words drawn small, soft, faint and under a lamp. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import { decode } from '../../src/engine/image-codec.ts';
import { type Circumstances, findCauses, seeWord } from '../../src/pilot/circumstances.ts';

/** A word on a board, softened by a Gaussian of so many pixels. */
async function word({
  ground = '#2c5a49',
  ink = '#eef1e6',
  blur = 0.7,
}): Promise<ReturnType<typeof seeWord>> {
  // Bars are as thin as strokes, and need no font.
  const bars = [...Array(8)]
    .map((_, at) => `<rect x="${80 + 56 * at}" y="40" width="24" height="80"/>`)
    .join('');
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="640" height="160"><rect width="640" height="160" fill="${ground}"/><g fill="${ink}">${bars}</g></svg>`;
  // In two steps: sharp would reduce first.
  const soft = await sharp(Buffer.from(svg))
    .blur(blur * 8)
    .png()
    .toBuffer();
  const png = await sharp(soft).resize(80, 20, { kernel: 'linear' }).png().toBuffer();
  return seeWord(await decode(png, 'png', { maxPixels: 1e6 }));
}

const about = (seen: ReturnType<typeof seeWord>, more: Partial<Circumstances> = {}) => ({
  letterHeight: 10,
  circumstances: { boardLetterHeight: 7, verdict: 'accepted' as const, ...seen, ...more },
});

test('blur is measured in pixels of the photo, whatever the colours', async () => {
  for (const blur of [0.8, 1.2, 1.6]) {
    for (const colours of [{}, { ground: '#eceeee', ink: '#23346b' }]) {
      const seen = await word({ ...colours, blur });
      // The reduction to the photo's pixels softens by about 0.4 more.
      const expected = Math.hypot(blur, 0.4);
      // Where the strokes are no wider than the blur it looks like less than it is.
      const share = seen.blur / expected;
      assert.ok(share > 0.75 && share < 1.3, `${seen.blur} instead of ${expected}`);
    }
  }
});

test('each cause is told, and a word with none of them has none', async () => {
  const sharpWord = about(await word({}));
  const board = [sharpWord, sharpWord, sharpWord];
  assert.deepEqual(findCauses(sharpWord, board), []);
  assert.match(findCauses({ ...sharpWord, letterHeight: 4 }, board)[0] ?? '', /too small \(4 px\)/);
  assert.match(
    findCauses({ ...sharpWord, letterHeight: null }, board).join(),
    /^$/,
    'then the board’s own 7 px',
  );
  assert.match(
    findCauses(about(await word({ blur: 2 })), board).join(),
    /^blur \(\d\.\d px at letters of 10 px\)$/,
  );
  const faint = about(await word({ ground: '#2c5a49', ink: '#44705f' }));
  assert.match(findCauses(faint, board).join(), /^faint writing/);
  const lamp = about(await word({ ground: '#7fa898', ink: '#d2e0d6' }));
  assert.deepEqual(findCauses(lamp, [...board, lamp]), ['glare']);
  assert.deepEqual(
    findCauses(lamp, [lamp, sharpWord]),
    [],
    'of two words nobody can say which is as the board is',
  );
  assert.match(
    findCauses(about(await word({}), { verdict: 'fallback' }), board).join(),
    /let nothing through/,
  );
  assert.match(
    findCauses(about(await word({}), { verdict: 'softened' }), board).join(),
    /put parts of the board back/,
  );
  assert.deepEqual(
    findCauses({ letterHeight: 3, circumstances: null }, board),
    [],
    'loaded before anybody looked',
  );
});
