/** What is not about one photo: the models there are, whether the service is well, and its metrics. */
import { locateModel } from '../engine/model-files.ts';
import { modelFor } from '../engine/models.ts';
import { AppError } from '../errors.ts';
import type { RouteContext } from './route-context.ts';
import { HealthAnswer, LimitsAnswer, ModelsAnswer, problems, type Server } from './schemas.ts';

const SCALES = [2, 4] as const;

/** How long the database and the storage may take to answer before the service counts as not ready. */
const READY_WITHIN_MS = 5000;

/** Adds the routes that need a key where keys are asked for. */
export function addGuardedServiceRoutes(server: Server, { config, catalogue, metrics }: RouteContext): void {
  server.route({
    method: 'GET',
    url: '/v1/models',
    schema: {
      tags: ['service'],
      operationId: 'listModels',
      summary: 'The models there are',
      response: { 200: ModelsAnswer, ...problems(401, 429) },
    },
    handler: async () => {
      const defaults = SCALES.map((scale) => modelFor(catalogue, scale, { preset: config.model }).name);
      const models = [...catalogue.models.values()].map(async (model) => {
        const { name, summary, scale, licence, parameters } = model;
        const isInstalled = await locateModel(model, config).then(
          () => true,
          () => false,
        );
        return { name, summary, scale, licence, parameters, isInstalled, isDefault: defaults.includes(name) };
      });
      return { models: await Promise.all(models) };
    },
  });

  server.route({
    method: 'GET',
    url: '/v1/limits',
    schema: {
      tags: ['service'],
      operationId: 'getLimits',
      summary: 'What is taken in, and how long it is kept',
      response: { 200: LimitsAnswer, ...problems(401, 429) },
    },
    handler: async () => {
      const { maxInputBytes, maxInputPixels, maxInputSide, retentionMs } = config;
      return { maxInputBytes, maxInputPixels, maxInputSide, retentionSeconds: retentionMs / 1000 };
    },
  });

  server.route({
    method: 'GET',
    url: '/metrics',
    schema: {
      tags: ['service'],
      operationId: 'getMetrics',
      summary: 'Metrics for Prometheus',
      response: {
        200: { description: 'Metrics', content: { 'text/plain': { schema: { type: 'string' } } } },
        ...problems(401, 503),
      },
    },
    async handler(_request, reply) {
      const { contentType, text } = await metrics.collect();
      return reply.header('Content-Type', contentType).send(text);
    },
  });
}

/** Adds the routes that everybody may ask: they say nothing but yes or no. */
export function addHealthRoutes(server: Server, { stores, stopping }: RouteContext): void {
  server.route({
    method: 'GET',
    url: '/health/live',
    schema: {
      tags: ['service'],
      operationId: 'getLive',
      summary: 'Whether the process answers',
      response: { 200: HealthAnswer },
    },
    handler: async () => ({ status: 'live' as const }),
  });

  server.route({
    method: 'GET',
    url: '/health/ready',
    schema: {
      tags: ['service'],
      operationId: 'getReady',
      summary: 'Whether photos can be taken in: database and storage answer',
      response: { 200: HealthAnswer, ...problems(503) },
    },
    async handler() {
      if (stopping.aborted) throw new AppError('NOT_READY', 'it is stopping');
      await Promise.race([
        Promise.all([
          answering('the database', stores.db.query('select 1')),
          answering('the storage', stores.blobs.size('photos/readiness')),
        ]),
        tooLate(),
      ]);
      return { status: 'ready' as const };
    },
  });
}

async function answering(what: string, work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (cause) {
    throw new AppError('NOT_READY', `${what} does not answer`, { cause });
  }
}

async function tooLate(): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  const error = new AppError('NOT_READY', 'database or storage did not answer in time');
  setTimeout(reject, READY_WITHIN_MS, error).unref();
  return promise;
}
