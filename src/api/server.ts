/** The HTTP server: what happens to every request, the documentation, the page and the routes, in order. */
import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { fileURLToPath } from 'node:url';
import multipart from '@fastify/multipart';
import rateLimit from '@fastify/rate-limit';
import staticFiles from '@fastify/static';
import { type FastifyBaseLogger, fastify, LogController } from 'fastify';
import type { Config } from '../config.ts';
import type { Catalogue } from '../engine/models.ts';
import { AppError } from '../errors.ts';
import type { Stores } from '../jobs/erasure.ts';
import type { Watch } from '../jobs/watch.ts';
import type { Log } from '../log.ts';
import type { Identity } from '../storage/user-records.ts';
import { accountOf, createAccess, createNeighbourCheck } from './access.ts';
import { addAdminRoutes } from './admin-routes.ts';
import { countEnds } from './count-ends.ts';
import { addDeliveryRoutes } from './delivery-routes.ts';
import { addDocumentation } from './documentation.ts';
import { addEventRoutes } from './event-routes.ts';
import { addGalleryRoutes } from './gallery-routes.ts';
import { addMeRoutes } from './me-routes.ts';
import { createMetrics } from './metrics.ts';
import { addPictureRoutes } from './picture-routes.ts';
import { addPilotRoutes } from './pilot-routes.ts';
import { answerClientError, answerError, toMismatchError } from './problem.ts';
import { addReadingRoutes } from './reading-routes.ts';
import { addRoomMemberRoutes } from './room-member-routes.ts';
import { addRoomPictureRoutes } from './room-picture-routes.ts';
import { addRoomRoutes } from './room-routes.ts';
import { addRoomSendRoutes } from './room-send-routes.ts';
import { IDENTITY, type RouteContext } from './route-context.ts';
import type { SchemaTypes, Server } from './schemas.ts';
import { addGuardedServiceRoutes, addHealthRoutes } from './service-routes.ts';
import { addTrialRoutes } from './trial-routes.ts';
import { addUpscaleRoutes } from './upscale-routes.ts';
import { createWrongCodes } from './wrong-codes.ts';

const WEB = fileURLToPath(new URL('../../web/', import.meta.url));

/** Time for a whole request to arrive: the largest photo over a slow phone. */
const REQUEST_TIMEOUT_MS = 300_000;
/** Requests that run when the server stops have this long to end. */
const CLOSE_WITHIN_MS = 2000;
const MAX_JSON_BYTES = 100_000;
/** The one sign that no column of text takes. */
const NUL_IN_JSON = /(?<!\\)(?:\\\\)*\\u0000/;
const REQUEST_ID = /^[\w.-]{1,64}$/;

/** The page takes everything from this server, and runs no script and no style that is not a file of its own. */
const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; " +
  "base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/** Opened by the composition root, and closed by it after the server. */
export interface ServerParts {
  readonly config: Config;
  readonly stores: Stores;
  readonly watch: Watch;
  readonly catalogue: Catalogue;
  readonly log: Log;
  readonly version: string;
}

/** Builds the server; it listens when told to, and its `close` answers those who wait before it ends. */
export async function createServer(parts: ServerParts): Promise<Server> {
  const { config, stores, watch, catalogue, log, version } = parts;
  const metrics = createMetrics(() => stores.queue.state());
  const stopping = new AbortController();
  // Every request that waits listens to it.
  setMaxListeners(0, stopping.signal);
  const context: RouteContext = { config, stores, watch, catalogue, metrics, stopping: stopping.signal };

  const server: Server = fastify({
    loggerInstance: log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    requestTimeout: REQUEST_TIMEOUT_MS,
    bodyLimit: config.maxInputBytes,
    genReqId: ({ headers }) => {
      const sent = headers['x-request-id'];
      return typeof sent === 'string' && REQUEST_ID.test(sent) ? sent : randomUUID();
    },
    // A word that is not asked for is a mistake to be told, not one to be dropped in silence.
    ajv: { customOptions: { removeAdditional: false } },
    schemaErrorFormatter: toMismatchError,
    frameworkErrors: answerError,
    clientErrorHandler: answerClientError,
  }).withTypeProvider<SchemaTypes>();

  const checkNeighbour = createNeighbourCheck(config);
  server.setErrorHandler(answerError);
  server.addHook('onRequest', async (request, reply) => {
    reply.headers({ 'X-Request-Id': request.id, 'X-Content-Type-Options': 'nosniff' });
    if (request.url.includes('%00')) throw new AppError('INVALID_REQUEST', 'the address holds the sign NUL');
    if (config.apiKeys.length === 0) checkNeighbour(request.method, request.headers);
  });
  server.addHook('onResponse', async (request, reply) => {
    const { method } = request;
    const route = request.routeOptions.url ?? 'none';
    const { statusCode: status, elapsedTime: ms } = reply;
    metrics.countRequest({ method, route, status }, ms / 1000);
    request.log.debug({ method, route, status, ms: Math.round(ms) }, 'answered');
  });
  let cut: NodeJS.Timeout | undefined;
  server.addHook('preClose', async () => {
    stopping.abort();
    // A photo that is still arriving was not accepted: its sender tries again elsewhere.
    cut = setTimeout(() => server.server.closeAllConnections(), CLOSE_WITHIN_MS);
  });
  const stopCounting = countEnds(context, log);
  server.addHook('onClose', async () => {
    clearTimeout(cut);
    await stopCounting();
  });

  await addDocumentation(server, version);
  await server.register(multipart);
  await server.register(rateLimit, {
    global: false,
    max: config.rateLimit,
    timeWindow: '1 minute',
    keyGenerator: (request) => accountOf(request.getDecorator<Identity>(IDENTITY)),
    errorResponseBuilder: (_request, { after }) => new AppError('RATE_LIMITED', `try again in ${after}`),
  });
  addHealthRoutes(server, context);
  const countWrong = createWrongCodes(server);
  addGalleryRoutes(server, context, countWrong);
  await server.register(async (open: Server) => {
    readJson(open);
    addReadingRoutes(open, context, countWrong);
  });
  await server.register(async (guarded: Server) => addGuardedRoutes(guarded, context));
  await addPage(server);
  return server;
}

/** Everything that is somebody's: who asks is known, and counted, before anything else happens. */
function addGuardedRoutes(server: Server, context: RouteContext): void {
  const { config } = context;
  const access = createAccess(config.apiKeys);
  server.decorateRequest(IDENTITY, null);
  server.addHook('onRequest', async (request) => {
    request.setDecorator(IDENTITY, access.identify(request.headers));
  });
  // Without keys everybody is at this machine, and one and the same.
  if (config.rateLimit > 0 && config.apiKeys.length > 0) {
    const limit = server.rateLimit();
    server.addHook('onRequest', async (request, reply) => {
      const { isUnlimited } = request.routeOptions.config as { isUnlimited?: true };
      if (!isUnlimited) await limit.call(server, request, reply);
    });
  }
  // A photo is a stream to us, whatever it is called; only forms are read as such.
  server.removeContentTypeParser(['application/json', 'text/plain']);
  server.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
  addGuardedServiceRoutes(server, context);
  addUpscaleRoutes(server, context);
  addPictureRoutes(server, context);
  addEventRoutes(server, context);
  server.register(async (reading: Server) => addJsonRoutes(reading, context));
}

/** Bodies are JSON, and nothing else. */
function readJson(server: Server): void {
  server.removeAllContentTypeParsers();
  const parse = server.getDefaultJsonParser('error', 'error');
  const limits = { parseAs: 'string', bodyLimit: MAX_JSON_BYTES } as const;
  server.addContentTypeParser('application/json', limits, (request, body: string, done) => {
    if (NUL_IN_JSON.test(body)) done(new AppError('INVALID_REQUEST', 'a text in it holds the sign NUL'));
    else parse(request, body, done);
  });
}

/** Routes whose bodies are JSON. */
function addJsonRoutes(server: Server, context: RouteContext): void {
  readJson(server);
  addMeRoutes(server, context);
  addDeliveryRoutes(server, context);
  addAdminRoutes(server, context);
  addTrialRoutes(server, context);
  addPilotRoutes(server, context);
  addRoomRoutes(server, context);
  addRoomMemberRoutes(server, context);
  addRoomPictureRoutes(server, context);
  addRoomSendRoutes(server, context);
}

async function addPage(server: Server): Promise<void> {
  await server.register(staticFiles, {
    root: WEB,
    setHeaders: (reply) => {
      reply.header('Content-Security-Policy', PAGE_POLICY);
      reply.header('Referrer-Policy', 'no-referrer');
    },
  });
  // What these pages show they ask for with the code in their own address.
  for (const [path, file] of [
    ['rooms', 'room.html'],
    ['reading', 'reading.html'],
  ] as const) {
    server.get(`/${path}/:code`, { schema: { hide: true } }, async (_request, reply) => reply.sendFile(file));
  }
  server.setNotFoundHandler(async (request) => {
    throw new AppError('NO_SUCH_PAGE', `${request.method} ${request.url.split('?', 1)[0]}`);
  });
}
