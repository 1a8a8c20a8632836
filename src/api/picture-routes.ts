/** The images of an upscale: the photo as it was sent, and the result. */
import { AppError } from '../errors.ts';
import { findOwn, type RouteContext } from './route-context.ts';
import { PictureQuery, problems, type Server, UpscaleId } from './schemas.ts';
import { fileOf, type PictureKind, sendFitted, sendWhole } from './send-picture.ts';

/** Adds the two routes. */
export function addPictureRoutes(server: Server, context: RouteContext): void {
  const { blobs } = context.stores;
  add('original', 'The photo as it was sent');
  add('result', 'The result');

  function add(kind: PictureKind, summary: string): void {
    server.route({
      method: 'GET',
      url: `/v1/upscales/:id/${kind}`,
      schema: {
        tags: ['upscales'],
        operationId: `get${kind.replace(/^./, (first) => first.toUpperCase())}`,
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
        const file = fileOf(upscale, kind);
        return Object.keys(request.query).length === 0
          ? sendWhole(request, reply, { blobs, file })
          : sendFitted(reply, { blobs, file, room: request.query });
      },
    });
  }
}
