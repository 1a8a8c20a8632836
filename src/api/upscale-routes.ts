/** Upscales over HTTP: send a photo, ask for it, wait for it, erase it. */
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { Catalogue } from '../engine/models.ts';
import { AppError } from '../errors.ts';
import { photoKey, type Upscale } from '../job.ts';
import { estimateWaiting } from '../jobs/waiting.ts';
import { findByIdempotencyKey, findUpscale } from '../storage/upscale-records.ts';
import { erasePhoto } from './erase-photo.ts';
import { follow } from './follow.ts';
import { checkNotBanned } from './me-routes.ts';
import { describeMismatches } from './problem.ts';
import { receivePhoto } from './receive-photo.ts';
import { findCaller, findOwn, type RouteContext } from './route-context.ts';
import {
  problems,
  type Server,
  UpscaleAnswer,
  UpscaleHeaders,
  UpscaleId,
  UpscaleOptions,
  WaitQuery,
} from './schemas.ts';
import { toAnswer } from './upscale-answer.ts';

const tags = ['upscales'];

/** Adds the routes. The server must read forms, and leave every other body of `POST` a stream. */
export function addUpscaleRoutes(server: Server, context: RouteContext): void {
  const { stores, watch, metrics, catalogue, stopping } = context;
  const { db, blobs, queue } = stores;

  const answer = async (upscale: Upscale) => toAnswer(upscale, await estimateWaiting(db, upscale));

  server.route({
    method: 'POST',
    url: '/v1/upscales',
    schema: {
      tags,
      operationId: 'createUpscale',
      summary: 'Send a photo',
      description:
        'A form with the photo in `image`, or the photo itself as the body. Options come as fields of the form or ' +
        'in the query. When the answer leaves, the photo is stored and its place in the queue is sure.',
      querystring: UpscaleOptions,
      headers: UpscaleHeaders,
      response: { 202: UpscaleAnswer, ...problems(400, 401, 403, 413, 415, 422, 429, 503) },
    },
    async handler(request, reply) {
      const userId = await findCaller(request, context);
      const idempotencyKey = request.headers['idempotency-key'] ?? null;
      const known =
        idempotencyKey === null ? undefined : await findByIdempotencyKey(db, userId, idempotencyKey);
      const upscale = known ?? (await accept(request, request.query, userId, idempotencyKey));
      reply.code(202).header('Location', `/v1/upscales/${upscale.id}`);
      return answer(upscale);
    },
  });

  async function accept(
    request: FastifyRequest,
    query: UpscaleOptions,
    userId: string,
    idempotencyKey: string | null,
  ): Promise<Upscale> {
    checkModel(catalogue, query);
    await checkNotBanned(context, userId);
    const { photo, fields } = await receivePhoto(request, { blobs, limits: context.config });
    const { id, input } = photo;
    try {
      const options = readOptions(request, { ...query, ...fields });
      checkModel(catalogue, options);
      const { scale = null, look = 'natural', model = null, format = 'jpeg' } = options;
      const order = { scale, look, model, format };
      const { upscale, created } = await queue.enqueue(
        { id, userId, requestId: request.id, idempotencyKey, input, ...order },
        context.config.quota || undefined,
      );
      // Two requests with one key at the same time: the photo of the later one is a copy nobody will ask for.
      if (!created) await blobs.delete(photoKey(id));
      else metrics.countAccepted(input.bytes);
      request.log.info({ upscale: upscale.id, created, ...order, input }, 'photo accepted');
      return upscale;
    } catch (error) {
      // What we refused is nobody's. Where the database gave no answer the row may be there all the same: the photo
      // stays for it, and is swept up later if it is not.
      if (error instanceof AppError && error.status < 500) await blobs.delete(photoKey(id));
      throw error;
    }
  }

  server.route({
    method: 'GET',
    url: '/v1/upscales/:id',
    schema: {
      tags,
      operationId: 'getUpscale',
      summary: 'How a photo stands; `wait` for its end',
      params: UpscaleId,
      querystring: WaitQuery,
      response: { 200: UpscaleAnswer, ...problems(400, 401, 404, 429, 503) },
    },
    async handler(request, reply) {
      const { id } = request.params;
      let upscale = await findOwn(request, id, context);
      const { wait = 0 } = request.query;
      if (wait > 0) {
        const gone = new AbortController();
        reply.raw.on('close', () => gone.abort());
        const signal = AbortSignal.any([stopping, gone.signal, AbortSignal.timeout(wait * 1000)]);
        for await (const now of follow(watch, id, () => findUpscale(db, id), signal)) upscale = now;
      }
      reply.header('Cache-Control', 'no-store');
      return answer(upscale);
    },
  });

  server.route({
    method: 'DELETE',
    url: '/v1/upscales/:id',
    schema: {
      tags,
      operationId: 'deleteUpscale',
      summary: 'Cancel if still possible, and erase photo and result, in rooms and in the reading trial too',
      params: UpscaleId,
      response: {
        204: Type.Null({ description: 'Erased; asking again changes nothing' }),
        ...problems(401, 404, 429, 503),
      },
    },
    async handler(request, reply) {
      const { id } = await findOwn(request, request.params.id, context);
      await erasePhoto(stores, id);
      return reply.code(204).send(null);
    },
  });
}

/** The options of query and form together, by the one schema. @throws AppError INVALID_REQUEST */
function readOptions(request: FastifyRequest, sent: Record<string, unknown>): UpscaleOptions {
  const validate = request.compileValidationSchema(UpscaleOptions as unknown as Record<string, unknown>);
  if (validate(sent)) return sent;
  throw new AppError('INVALID_REQUEST', describeMismatches('the form', validate.errors ?? []));
}

/** Refuses before the photo is read what the engine would refuse after it. @throws AppError MODEL_UNKNOWN */
function checkModel(catalogue: Catalogue, { model, scale }: UpscaleOptions): void {
  if (model === undefined) return;
  const known = catalogue.get(model);
  if (scale !== undefined && scale !== known.scale) {
    throw new AppError('MODEL_UNKNOWN', `${model} enlarges by ${known.scale}, not by ${scale}`);
  }
}
