/** Files to rasters and back. The only file that imports sharp. */
import { crc32, deflateSync } from 'node:zlib';
import sharp, { type Sharp, type SharpOptions } from 'sharp';
import { AppError } from '../errors.ts';
import type { HeicPicture, HeicRequest } from './heic-thread.ts';
import type { InputFormat, OutputFormat } from './image-format.ts';
import type { Raster } from './pixels.ts';
import { openThread } from './thread.ts';

// libvips would keep decoded pictures for reuse, but no photo comes twice; memory must not grow with their number.
sharp.cache(false);

/** Largest side an output format can hold, in pixels. */
const MAX_SIDE: Readonly<Record<OutputFormat, number>> = { jpeg: 65_535, png: 2 ** 31 - 1, webp: 16_383 };

/**
 * The picture's size in pixels as stored (before its orientation is applied), read from the header alone.
 * HEIC is left to its decoder, which checks before it decodes.
 * @throws AppError IMAGE_BROKEN
 */
export async function readSize(bytes: Uint8Array): Promise<{ width: number; height: number }> {
  const { width, height } = await decoding(sharp(bytes, { limitInputPixels: false }).metadata());
  return { width, height };
}

/**
 * Decodes to 8-bit sRGB: first frame or page, orientation applied, colour profile converted, alpha laid on white.
 * @throws AppError IMAGE_BROKEN, also for a file that is cut off; TOO_MANY_PIXELS
 */
export async function decode(
  bytes: Uint8Array,
  format: InputFormat,
  { maxPixels, signal }: { maxPixels: number; signal?: AbortSignal | undefined },
): Promise<Raster> {
  const options: SharpOptions = { limitInputPixels: maxPixels, failOn: 'error', animated: false };
  if (format !== 'heic') return toRaster(sharp(bytes, options).autoOrient());
  const { width, height, rgba } = await decodeHeic({ bytes, maxPixels }, signal);
  const picture = sharp(rgba, { raw: { width, height, channels: 4 }, limitInputPixels: false });
  const profile = findHeicProfile(bytes);
  if (profile === undefined) return toRaster(picture);
  const png = await decoding(picture.png({ compressionLevel: 0 }).toBuffer());
  return toRaster(sharp(withProfile(png, profile), options));
}

/** Reduces a raster so that its longer side is `maxSide` pixels, by Lanczos-3 with area weighting. */
export async function reduce(raster: Raster, maxSide: number): Promise<Raster> {
  return toRaster(open(raster).resize(maxSide, maxSide, { fit: 'inside', kernel: 'lanczos3' }));
}

/** @throws AppError OUTPUT_TOO_LARGE when the format cannot hold a picture of that size, before it is made */
export function checkFits(width: number, height: number, format: OutputFormat): void {
  if (Math.max(width, height) <= MAX_SIDE[format]) return;
  throw new AppError(
    'OUTPUT_TOO_LARGE',
    `${width}×${height} as ${format}, at most ${MAX_SIDE[format]} a side`,
  );
}

/** Encodes for people: JPEG quality 92 without chroma subsampling, lossless PNG, WebP quality 92. No metadata. */
export async function encode(raster: Raster, format: OutputFormat): Promise<Uint8Array> {
  const picture = open(raster);
  switch (format) {
    case 'jpeg':
      return picture.jpeg({ quality: 92, chromaSubsampling: '4:4:4', optimiseCoding: false }).toBuffer();
    case 'png':
      return picture.png({ compressionLevel: 6 }).toBuffer();
    case 'webp':
      return picture.webp({ quality: 92, smartSubsample: true }).toBuffer();
  }
}

/** What a picture must keep to where it is sent: bytes of its file, width and height together. */
export interface Room {
  readonly maxBytes?: number | undefined;
  readonly maxSideSum?: number | undefined;
  readonly maxSide?: number | undefined;
}

/** Reducing steps of one JPEG; each is a fifth smaller in area than the one before. */
const FIT_STEPS = 24;

/**
 * The picture as a JPEG that keeps to `room`: as large as it can be, by quality first and by size then.
 * Returns the file as it is where it fits already, unless it must be a JPEG.
 * @throws AppError IMAGE_BROKEN; OUTPUT_TOO_LARGE where even a small picture would not fit
 */
export async function fitInto(
  bytes: Uint8Array,
  { maxBytes = Infinity, maxSideSum = Infinity, maxSide = Infinity }: Room,
  { mustBeJpeg = false } = {},
): Promise<Uint8Array> {
  const { width, height } = await readSize(bytes);
  const share = Math.min(1, maxSideSum / (width + height), maxSide / Math.max(width, height));
  if (!mustBeJpeg && share === 1 && bytes.length <= maxBytes) return bytes;
  for (let step = 0; step < FIT_STEPS; step++) {
    const side = Math.floor(Math.max(width, height) * share * 0.8 ** (Math.max(0, step - 2) / 2));
    const quality = [92, 85, 78][step] ?? 78;
    const picture = sharp(bytes, { limitInputPixels: false })
      .resize(side, side, { fit: 'inside', kernel: 'lanczos3', withoutEnlargement: true })
      .flatten({ background: '#ffffff' });
    const jpeg = await decoding(picture.jpeg({ quality, chromaSubsampling: '4:4:4' }).toBuffer());
    if (jpeg.length <= maxBytes) return jpeg;
  }
  throw new AppError('OUTPUT_TOO_LARGE', `it cannot be made to fit into ${maxBytes} bytes`);
}

function open({ data, width, height }: Raster): Sharp {
  return sharp(data, { raw: { width, height, channels: 3 }, limitInputPixels: false });
}

async function toRaster(picture: Sharp): Promise<Raster> {
  const flat = picture.flatten({ background: '#ffffff' }).toColourspace('srgb');
  const { data, info } = await decoding(flat.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true }));
  if (info.channels === 3) return { width: info.width, height: info.height, data };
  throw new AppError('IMAGE_BROKEN', `decoding gave ${info.channels} channels instead of 3`);
}

/** libvips' own words, shortened to their first line, as an error of the catalogue. */
async function decoding<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const reason = (error as Error).message.split('\n', 1)[0] ?? '';
    const code = reason.includes('exceeds pixel limit') ? 'TOO_MANY_PIXELS' : 'IMAGE_BROKEN';
    throw new AppError(code, reason, { cause: error });
  }
}

/** A thread for each HEIC photo: WebAssembly memory never shrinks, ending the thread gives it back. */
async function decodeHeic(request: HeicRequest, signal: AbortSignal | undefined): Promise<HeicPicture> {
  const thread = openThread<HeicRequest, HeicPicture>('heic-thread');
  try {
    return await thread.call(request, { signal });
  } finally {
    await thread.close();
  }
}

/** The ICC profile in a HEIC file's `colr` box of type `prof` (ISO/IEC 14496-12, 12.1.5), if it has one. */
function findHeicProfile(bytes: Uint8Array): Buffer | undefined {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = file.indexOf('colrprof', 0, 'latin1');
  if (at < 4) return undefined;
  const end = at - 4 + file.readUInt32BE(at - 4);
  return end <= file.length && end > at + 8 ? file.subarray(at + 8, end) : undefined;
}

/** The PNG with an iCCP chunk after its header, so that its colours are converted like those of any other file. */
function withProfile(png: Buffer, profile: Buffer): Buffer {
  const headerEnd = 8 + 25;
  const body = Buffer.concat([Buffer.from('iCCPicc\0\0', 'latin1'), deflateSync(profile)]);
  const chunk = Buffer.alloc(body.length + 8);
  chunk.writeUInt32BE(body.length - 4, 0);
  body.copy(chunk, 4);
  chunk.writeUInt32BE(crc32(body), body.length + 4);
  return Buffer.concat([png.subarray(0, headerEnd), chunk, png.subarray(headerEnd)]);
}
