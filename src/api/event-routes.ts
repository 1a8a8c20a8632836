/** An upscale as server-sent events: every change of its state, its place in the queue and its progress. */
import { toAppError } from '../errors.ts';
import { estimateWaiting } from '../jobs/waiting.ts';
import { findUpscale } from '../storage/upscale-records.ts';
import { follow } from './follow.ts';
import { findOwn, type RouteContext } from './route-context.ts';
import { problems, type Server, UpscaleAnswer, UpscaleId } from './schemas.ts';
import { toAnswer } from './upscale-answer.ts';

/** A comment this often keeps proxies from taking a quiet connection for a dead one. */
const COMMENT_MS = 15_000;
/** How often the place in the queue is told. */
const LOOK_AGAIN_MS = 2000;

/** Adds the route. */
export function addEventRoutes(server: Server, context: RouteContext): void {
  const { stores, watch, stopping } = context;

  server.route({
    method: 'GET',
    url: '/v1/upscales/:id/events',
    // A HEAD of an endless answer would never end.
    exposeHeadRoute: false,
    schema: {
      tags: ['upscales'],
      operationId: 'followUpscale',
      summary: 'Follow a photo',
      description:
        'Server-sent events; the data of each is the upscale as JSON. The stream ends after its end.',
      params: UpscaleId,
      response: {
        200: {
          description: 'Events',
          content: { 'text/event-stream': { schema: UpscaleAnswer } },
        },
        ...problems(401, 404, 429, 503),
      },
    },
    async handler(request, reply) {
      const { id } = await findOwn(request, request.params.id, context);
      reply.hijack();
      const { raw } = reply;
      const gone = new AbortController();
      raw.on('close', () => gone.abort());
      raw.on('error', () => gone.abort());
      raw.writeHead(200, {
        'Content-Type': 'text/event-stream',
        'Cache-Control': 'no-store',
        'X-Accel-Buffering': 'no',
        'X-Request-Id': request.id,
      });
      raw.flushHeaders();
      const comment = setInterval(() => raw.write(':\n\n'), COMMENT_MS);
      try {
        const signal = AbortSignal.any([stopping, gone.signal]);
        let last = '';
        const states = follow(watch, id, () => findUpscale(stores.db, id), signal, LOOK_AGAIN_MS);
        for await (const upscale of states) {
          const data = JSON.stringify(toAnswer(upscale, await estimateWaiting(stores.db, upscale)));
          if (data !== last) raw.write(`data: ${data}\n\n`);
          last = data;
        }
      } catch (err) {
        // The headers are gone: all that can be done is to end, and the client asks again.
        if (toAppError(err).status >= 500) request.log.error({ err }, 'events ended by an error');
      } finally {
        clearInterval(comment);
        raw.end();
      }
    },
  });
}
