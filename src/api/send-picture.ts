/** Pictures as answers: the file as it is kept, or a JPEG that keeps to the limits of where it is shown. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { fitInto, type Room } from '../engine/image-codec.ts';
import { EXTENSION_OF } from '../engine/image-format.ts';
import { AppError } from '../errors.ts';
import { photoKey, type ResultFormat, resultKey, STATUS, type Upscale } from '../job.ts';
import type { Blobs } from '../storage/blobs.ts';

export type PictureKind = 'original' | 'result';

export interface PictureFile {
  readonly key: string;
  readonly format: string;
  readonly name: string;
}

/** Where a picture of an upscale is kept, and how it is called. @throws AppError RESULT_NOT_READY */
export function fileOf(upscale: Upscale, kind: PictureKind): PictureFile {
  if (kind === 'original') {
    const { format } = upscale.input;
    return { key: photoKey(upscale.id), format, name: `${shortId(upscale)}-original.${format}` };
  }
  const { status, output, format } = upscale;
  if (status !== STATUS.done || output === null) {
    throw new AppError('RESULT_NOT_READY', `its status is ${status}`);
  }
  const name = `${shortId(upscale)}-${output.width}x${output.height}.${EXTENSION_OF[format as ResultFormat]}`;
  return { key: resultKey(upscale.id), format, name };
}

/** The file itself, or that it is the one the asker has. */
export async function sendWhole(
  request: FastifyRequest,
  reply: FastifyReply,
  { blobs, file, asDownload = false }: { blobs: Blobs; file: PictureFile; asDownload?: boolean },
): Promise<FastifyReply> {
  // What is stored under a key never changes while it is there, so the key names the content.
  const etag = `"${file.key.replace('/', '-')}"`;
  // Asked for anew every time: what is erased must not live on in a cache unnoticed.
  reply.headers({ ETag: etag, 'Cache-Control': 'private, no-cache' });
  const known = request.headers['if-none-match'];
  if (known?.split(/\s*,\s*/).includes(etag)) return reply.code(304).send();
  const { stream, bytes } = await blobs.get(file.key);
  return reply
    .headers({
      'Content-Type': `image/${file.format}`,
      'Content-Length': bytes,
      'Content-Disposition': `${asDownload ? 'attachment' : 'inline'}; filename="${file.name}"`,
    })
    .send(stream);
}

/** The picture as a JPEG that keeps to the limits of where it is shown; the file itself where it fits. */
export async function sendFitted(
  reply: FastifyReply,
  { blobs, file, room }: { blobs: Blobs; file: PictureFile; room: Room },
): Promise<FastifyReply> {
  const bytes = await blobs.read(file.key);
  const fitted = await fitInto(bytes, room);
  const isWhole = fitted === bytes;
  const name = isWhole ? file.name : file.name.replace(/\.\w+$/, '.jpg');
  return reply
    .headers({
      'Cache-Control': 'private, no-cache',
      'Content-Type': isWhole ? `image/${file.format}` : 'image/jpeg',
      'Content-Length': fitted.length,
      'Content-Disposition': `inline; filename="${name}"`,
    })
    .send(Buffer.from(fitted));
}

/** Enough of an id to tell files apart in a folder of downloads. */
function shortId({ id }: Upscale): string {
  return `boardsharp-${id.slice(0, 8)}`;
}
