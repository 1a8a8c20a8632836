/** The images of an upscale: the photo as it was sent, and the result. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { fitInto } from '../engine/image-codec.ts';
import { EXTENSION_OF } from '../engine/image-format.ts';
import { AppError } from '../errors.ts';
import { photoKey, type ResultFormat, resultKey, STATUS, type Upscale } from '../job.ts';
import { findOwn, type RouteContext } from './route-context.ts';
import { PictureQuery, problems, type Server, UpscaleId } from './schemas.ts';

interface File {
  readonly key: string;
  readonly format: string;
  readonly name: string;
}

/** Adds the two routes. */
export function addPictureRoutes(server: Server, context: RouteContext): void {
  add('original', 'The photo as it was sent', (upscale) => {
    const { format } = upscale.input;
    return { key: photoKey(upscale.id), format, name: `${shortId(upscale)}-original.${format}` };
  });

  add('result', 'The result', (upscale) => {
    const { status, output, format } = upscale;
    if (status !== STATUS.done || output === null) {
      throw new AppError('RESULT_NOT_READY', `its status is ${status}`);
    }
    const name = `${shortId(upscale)}-${output.width}x${output.height}.${EXTENSION_OF[format as ResultFormat]}`;
    return { key: resultKey(upscale.id), format, name };
  });

  function add(name: string, summary: string, choose: (upscale: Upscale) => File): void {
    server.route({
      method: 'GET',
      url: `/v1/upscales/:id/${name}`,
      schema: {
        tags: ['upscales'],
        operationId: `get${name.replace(/^./, (first) => first.toUpperCase())}`,
        summary,
        params: UpscaleId,
        querystring: PictureQuery,
        response: {
          200: {
            description: 'The image',
            content: { 'image/*': { schema: { type: 'string', format: 'binary' } } },
          },
          304: { type: 'null', description: 'It is the one you have' },
          ...problems(400, 401, 404, 409, 413, 429, 503),
        },
      },
      async handler(request, reply) {
        const upscale = await findOwn(request, request.params.id, context);
        if (upscale.erasedAt !== null) throw new AppError('UPSCALE_NOT_FOUND', 'its pictures are erased');
        const file = choose(upscale);
        return Object.keys(request.query).length === 0
          ? send(request, reply, file)
          : sendFitted(reply, file, request.query);
      },
    });
  }

  async function send(request: FastifyRequest, reply: FastifyReply, file: File): Promise<FastifyReply> {
    // What is stored under a key never changes while it is there, so the key names the content.
    const etag = `"${file.key.replace('/', '-')}"`;
    // Asked for anew every time: what is erased must not live on in a cache unnoticed.
    reply.headers({ ETag: etag, 'Cache-Control': 'private, no-cache' });
    const known = request.headers['if-none-match'];
    if (known?.split(/\s*,\s*/).includes(etag)) return reply.code(304).send();
    const { stream, bytes } = await context.stores.blobs.get(file.key);
    return reply
      .headers({
        'Content-Type': `image/${file.format}`,
        'Content-Length': bytes,
        'Content-Disposition': `inline; filename="${file.name}"`,
      })
      .send(stream);
  }

  /** The picture as a JPEG that keeps to the limits of where it is shown; the file itself where it fits. */
  async function sendFitted(reply: FastifyReply, file: File, room: PictureQuery): Promise<FastifyReply> {
    const bytes = await context.stores.blobs.read(file.key);
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
}

/** Enough of an id to tell files apart in a folder of downloads. */
function shortId({ id }: Upscale): string {
  return `boardsharp-${id.slice(0, 8)}`;
}
