import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { crc32, deflateSync } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import { checkFits, decode, encode, readSize, reduce } from '../../src/engine/image-codec.ts';
import { type InputFormat, OUTPUT_FORMATS, sniffFormat } from '../../src/engine/image-format.ts';
import type { Raster } from '../../src/engine/pixels.ts';
import { drawBoard, meanDifference, pixelAt } from '../helpers/pictures.ts';

const LIMIT = { maxPixels: 50_000_000 };
const BOARD = drawBoard(96, 64);
const HEIC = new URL('../fixtures/display-p3.heic', import.meta.url);

function open(raster: Raster): Sharp {
  return sharp(raster.data, { raw: { width: raster.width, height: raster.height, channels: 3 } });
}

async function decodeAny(bytes: Uint8Array): Promise<Raster> {
  const format = sniffFormat(bytes);
  assert.ok(format !== undefined);
  return decode(bytes, format, LIMIT);
}

/** How each format is made, and how far its own loss may take it from the original, in 1/255. */
const FORMATS: Readonly<Record<Exclude<InputFormat, 'heic'>, { make: () => Promise<Buffer>; loss: number }>> =
  {
    jpeg: { make: () => open(BOARD).jpeg({ quality: 95, chromaSubsampling: '4:4:4' }).toBuffer(), loss: 6 },
    png: { make: () => open(BOARD).png().toBuffer(), loss: 0 },
    webp: { make: () => open(BOARD).webp({ lossless: true }).toBuffer(), loss: 0 },
    avif: { make: () => open(BOARD).avif({ quality: 90, chromaSubsampling: '4:4:4' }).toBuffer(), loss: 4 },
    tiff: { make: () => open(BOARD).tiff({ compression: 'lzw' }).toBuffer(), loss: 0 },
    gif: { make: () => open(BOARD).gif().toBuffer(), loss: 12 },
  };

for (const [format, { make, loss }] of Object.entries(FORMATS)) {
  test(`${format} is recognised and decoded`, async () => {
    const bytes = await make();
    assert.equal(sniffFormat(bytes), format);
    assert.deepEqual(await readSize(bytes), { width: 96, height: 64 });
    assert.ok(meanDifference(await decodeAny(bytes), BOARD) <= loss);
  });
}

test('HEIC is decoded upright and its Display P3 colours become sRGB', async () => {
  const bytes = readFileSync(HEIC);
  assert.equal(sniffFormat(bytes), 'heic');
  const raster = await decodeAny(bytes);
  assert.deepEqual([raster.width, raster.height], [96, 64]);
  // The fixture was drawn in sRGB (#e02020, #20a020) and stored in P3, where these numbers are others.
  for (const [x, y, colour] of [
    [15, 15, [224, 32, 32]],
    [50, 15, [32, 160, 32]],
  ] as const) {
    const off = pixelAt(raster, x, y).map((value, c) => Math.abs(value - (colour[c] ?? 0)));
    assert.ok(Math.max(...off) <= 4, `${x},${y}: off by ${off}`);
  }
});

test('a HEIC over the limit is refused before it is decoded', async () => {
  await assert.rejects(decode(readFileSync(HEIC), 'heic', { maxPixels: 6000 }), { code: 'TOO_MANY_PIXELS' });
});

test('a damaged HEIC is refused', async () => {
  const bytes = readFileSync(HEIC).subarray(0, 900);
  await assert.rejects(decode(bytes, 'heic', LIMIT), { code: 'IMAGE_BROKEN' });
});

test('every EXIF orientation comes out upright', async () => {
  for (let orientation = 1; orientation <= 8; orientation++) {
    const bytes = await open(BOARD).withMetadata({ orientation }).png().toBuffer();
    const upright = await sharp(bytes).autoOrient().raw().toBuffer({ resolveWithObject: true });
    const raster = await decodeAny(bytes);
    assert.deepEqual([raster.width, raster.height], [upright.info.width, upright.info.height]);
    assert.deepEqual([raster.width > raster.height], [orientation <= 4]);
    assert.deepEqual(Buffer.from(raster.data), upright.data);
  }
});

test('grey, palette, 16-bit and CMYK pictures become 8-bit RGB', async () => {
  const grey = drawBoard(40, 30);
  const made = {
    grey: await open(grey).greyscale().png().toBuffer(),
    palette: await open(grey).png({ palette: true, colours: 64 }).toBuffer(),
    sixteenBit: await open(grey).toColourspace('rgb16').png().toBuffer(),
    greySixteenBit: await open(grey).toColourspace('grey16').png().toBuffer(),
    cmyk: await open(grey).toColourspace('cmyk').jpeg({ quality: 95 }).toBuffer(),
  };
  assert.equal((await sharp(made.sixteenBit).metadata()).depth, 'ushort');
  assert.equal((await sharp(made.cmyk).metadata()).space, 'cmyk');
  for (const [name, bytes] of Object.entries(made)) {
    const raster = await decodeAny(bytes);
    assert.equal(raster.data.length, 40 * 30 * 3, name);
    const expected = name.startsWith('grey')
      ? await decodeAny(await open(grey).greyscale().png().toBuffer())
      : grey;
    // CMYK has no blue as strong as a screen's.
    const loss = name === 'cmyk' ? 16 : 4;
    assert.ok(meanDifference(raster, expected) < loss, `${name}: ${meanDifference(raster, expected)}`);
  }
});

test('transparent pictures are laid on white', async () => {
  const bytes = await sharp({
    create: { width: 4, height: 4, channels: 4, background: { r: 200, g: 0, b: 0, alpha: 0.5 } },
  })
    .png()
    .toBuffer();
  const [r = 0, g = 0, b = 0] = pixelAt(await decodeAny(bytes), 1, 1);
  assert.ok(Math.abs(r - 228) <= 1 && Math.abs(g - 128) <= 1 && Math.abs(b - 128) <= 1);
});

test('of an animation the first frame is taken', async () => {
  const red = { create: { width: 8, height: 8, channels: 3 as const, background: '#ff0000' } };
  const frames = [red, { create: { ...red.create, background: '#0000ff' } }];
  const bytes = await sharp(await Promise.all(frames.map((f) => sharp(f).png().toBuffer())), {
    join: { animated: true },
  })
    .gif()
    .toBuffer();
  assert.equal((await sharp(bytes).metadata()).pages, 2);
  const raster = await decodeAny(bytes);
  assert.deepEqual([raster.width, raster.height], [8, 8]);
  assert.deepEqual(pixelAt(raster, 4, 4), [255, 0, 0]);
});

test('a cut-off JPEG is refused', async () => {
  const bytes = await FORMATS.jpeg.make();
  await assert.rejects(decodeAny(bytes.subarray(0, bytes.length / 2)), { code: 'IMAGE_BROKEN' });
});

test('a PNG of 60000×60000 is measured without being decoded, and not decoded', async () => {
  const bomb = pngHeader(60_000, 60_000);
  assert.deepEqual(await readSize(bomb), { width: 60_000, height: 60_000 });
  await assert.rejects(decodeAny(bomb), { code: 'TOO_MANY_PIXELS' });
});

test('reducing keeps the proportions and leaves the longer side as asked', async () => {
  const reduced = await reduce(drawBoard(400, 200), 100);
  assert.deepEqual([reduced.width, reduced.height], [100, 50]);
});

for (const format of OUTPUT_FORMATS) {
  test(`a result survives ${format} and carries no metadata`, async () => {
    const bytes = Buffer.from(await encode(BOARD, format));
    assert.equal(sniffFormat(bytes), format);
    assert.ok(meanDifference(await decodeAny(bytes), BOARD) < 8);
    const { exif, xmp, iptc, icc, chromaSubsampling } = await sharp(bytes).metadata();
    assert.deepEqual([exif, xmp, iptc, icc], [undefined, undefined, undefined, undefined]);
    if (format === 'jpeg') assert.equal(chromaSubsampling, '4:4:4');
  });
}

test('a picture too large for its format is refused before it is made', () => {
  assert.throws(() => checkFits(20_000, 10, 'webp'), { code: 'OUTPUT_TOO_LARGE' });
  assert.throws(() => checkFits(10, 70_000, 'jpeg'), { code: 'OUTPUT_TOO_LARGE' });
  checkFits(70_000, 10, 'png');
});

for (const text of [
  '',
  'hello',
  '<svg xmlns="http://www.w3.org/2000/svg"/>',
  '%PDF-1.7',
  '\0\0\0\x18ftypmp42mp42isom',
]) {
  test(`${JSON.stringify(text)} is not an image we read`, () => {
    assert.equal(sniffFormat(Buffer.from(text, 'latin1')), undefined);
  });
}

/** A PNG whose header promises a size; its data is one row of nothing. */
function pngHeader(width: number, height: number): Buffer {
  const chunk = (type: string, data: Buffer): Buffer => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(data.length);
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, sum]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.alloc(16))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}
