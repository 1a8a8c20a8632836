/** Takes in a photo: streamed to where it is kept, counted, recognised and measured on the way. */
import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import type { Config } from '../config.ts';
import { readSize } from '../engine/image-codec.ts';
import { type InputFormat, sniffFormat } from '../engine/image-format.ts';
import { AppError } from '../errors.ts';
import { type Picture, photoKey } from '../job.ts';
import type { Blobs } from '../storage/blobs.ts';

export type PhotoLimits = Pick<Config, 'maxInputBytes' | 'maxInputPixels'>;

/** A photo that is stored, under an id of its own, and nobody's yet: whoever received it keeps or erases it. */
export interface ReceivedPhoto {
  readonly id: string;
  readonly input: Picture;
}

/** What came with one request. */
export interface Received {
  readonly photo: ReceivedPhoto;
  readonly fields: Readonly<Record<string, string>>;
}

/** Enough of a file to find its type. */
const SNIFF_BYTES = 64;
/** What is kept in memory of a photo: its size in pixels is nearly always written there. */
const HEAD_BYTES = 256 * 1024;

/**
 * Reads the request's body: a form with the photo in `image`, or the photo itself. A photo that is refused, or came
 * in a request that makes no sense, is not stored.
 * @throws AppError INPUT_EMPTY, NOT_AN_IMAGE, IMAGE_BROKEN, TOO_MANY_BYTES, TOO_MANY_PIXELS, INVALID_REQUEST, STORAGE
 */
export async function receivePhoto(
  request: FastifyRequest,
  { blobs, limits }: { blobs: Blobs; limits: PhotoLimits },
): Promise<Received> {
  if (request.isMultipart()) return receiveForm(request, blobs, limits);
  const body = request.body as Readable | null | undefined;
  if (body === null || body === undefined) throw new AppError('INPUT_EMPTY', 'the request has no body');
  return { photo: await storePhoto(body, blobs, limits), fields: {} };
}

async function receiveForm(request: FastifyRequest, blobs: Blobs, limits: PhotoLimits): Promise<Received> {
  const fields: Record<string, string> = Object.create(null);
  let photo: ReceivedPhoto | undefined;
  try {
    for await (const part of sentParts(request, limits)) {
      if (part.type === 'field') {
        if (part.fieldname in fields) throw invalid(`the field ${part.fieldname} came twice`);
        if (part.valueTruncated) throw invalid(`the field ${part.fieldname} is too long`);
        fields[part.fieldname] = String(part.value);
      } else {
        if (part.fieldname !== 'image') throw invalid('the photo must be in the field image');
        photo = await storePhoto(part.file, blobs, limits);
      }
    }
    if (photo === undefined) throw invalid('the form has no file in the field image');
    return { photo, fields };
  } catch (error) {
    if (photo !== undefined) await blobs.delete(photoKey(photo.id));
    throw error;
  }
}

/** The parts of the form; whatever the parser dislikes about them is the sender's mistake. */
function sentParts(request: FastifyRequest, { maxInputBytes }: PhotoLimits) {
  // One byte more than is allowed is let through, so that it is our own count that refuses.
  const limits = { fileSize: maxInputBytes + 1, files: 1, fields: 20, fieldNameSize: 100, fieldSize: 1000 };
  return blamed(request.parts({ limits }));
}

async function* blamed<T>(source: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* source;
  } catch (error) {
    throw error instanceof AppError
      ? error
      : new AppError('INVALID_REQUEST', `the body cannot be read to its end (${(error as Error).message})`, {
          cause: error,
        });
  }
}

async function storePhoto(
  source: AsyncIterable<Buffer>,
  blobs: Blobs,
  limits: PhotoLimits,
): Promise<ReceivedPhoto> {
  const id = randomUUID();
  const inspection: Inspection = { head: Buffer.alloc(0), format: undefined };
  const { bytes } = await blobs.put(photoKey(id), inspect(blamed(source), inspection, limits));
  try {
    const { head, format } = inspection;
    if (format === undefined) throw new AppError('INPUT_EMPTY', '0 bytes');
    const size = await measure(head, format, () => blobs.read(photoKey(id)));
    if (size !== undefined && size.width * size.height > limits.maxInputPixels) {
      throw new AppError(
        'TOO_MANY_PIXELS',
        `${size.width}×${size.height}, the limit is ${limits.maxInputPixels}`,
      );
    }
    return { id, input: { width: size?.width ?? null, height: size?.height ?? null, bytes, format } };
  } catch (error) {
    await blobs.delete(photoKey(id));
    throw error;
  }
}

interface Inspection {
  head: Buffer;
  format: InputFormat | undefined;
}

/** Lets the bytes through while they are few enough and those of an image, and keeps the first of them. */
async function* inspect(
  source: AsyncIterable<Buffer>,
  inspection: Inspection,
  { maxInputBytes }: PhotoLimits,
): AsyncGenerator<Buffer> {
  let bytes = 0;
  function recognise(): void {
    if (inspection.format !== undefined) return;
    if (inspection.head.length === 0) throw new AppError('INPUT_EMPTY', '0 bytes');
    inspection.format = sniffFormat(inspection.head);
    if (inspection.format === undefined) {
      throw new AppError('NOT_AN_IMAGE', 'its first bytes are those of no format we know');
    }
  }
  for await (const chunk of source) {
    bytes += chunk.length;
    if (bytes > maxInputBytes) {
      throw new AppError('TOO_MANY_BYTES', `more than the limit of ${maxInputBytes}`);
    }
    const missing = HEAD_BYTES - inspection.head.length;
    if (missing > 0) inspection.head = Buffer.concat([inspection.head, chunk.subarray(0, missing)]);
    if (bytes >= SNIFF_BYTES) recognise();
    yield chunk;
  }
  recognise();
}

/**
 * The size in pixels, from the head of the file or, where it is not written there, from the whole of it.
 * Undefined for HEIC, which only its own decoder reads.
 */
async function measure(
  head: Buffer,
  format: InputFormat,
  readAll: () => Promise<Uint8Array>,
): Promise<{ width: number; height: number } | undefined> {
  if (format === 'heic') return undefined;
  try {
    return await readSize(head);
  } catch (error) {
    if (head.length < HEAD_BYTES) throw error;
    return readSize(await readAll());
  }
}

function invalid(detail: string): AppError {
  return new AppError('INVALID_REQUEST', detail);
}
