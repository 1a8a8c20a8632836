/** For administrators: figures, the queue with its dead jobs, bans, broadcasts. */
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { AppError } from '../errors.ts';
import {
  createBroadcast,
  findBroadcast,
  leaseRecipients,
  setBroadcastState,
  settleRecipient,
} from '../storage/broadcast-records.ts';
import { findFailedDeliveries } from '../storage/delivery-records.ts';
import { addEvent } from '../storage/event-records.ts';
import { findStatistics } from '../storage/statistics-records.ts';
import { banUser, unbanUser } from '../storage/user-records.ts';
import {
  checkAdmin,
  checkService,
  checkUuid,
  findCaller,
  type RouteContext,
  UNLIMITED,
} from './route-context.ts';
import { problems, type Server } from './schemas.ts';
import {
  BanBody,
  BroadcastAnswer,
  BroadcastBody,
  ChatId,
  Id,
  LeaseBody,
  QueueAnswer,
  RecipientBody,
  RecipientsAnswer,
  StatisticsAnswer,
  StatisticsQuery,
} from './telegram-schemas.ts';

const tags = ['administration'];
const NOTHING = Type.Null({ description: 'Done' });
const DEFAULT_DAYS = 7;
const LISTED = 20;
/** Telegram's limit of a poll's question. */
const MAX_QUESTION = 300;

/** Adds the routes. The server must read JSON. */
export function addAdminRoutes(server: Server, context: RouteContext): void {
  const { stores, config } = context;
  const { db, queue } = stores;

  /** Power leaves a trace: in the log, and in what is stored about the administrator. */
  async function note(
    request: FastifyRequest,
    kind: string,
    data: Readonly<Record<string, string | number>>,
  ): Promise<void> {
    const userId = await findCaller(request, context);
    await addEvent(db, { userId, kind, data });
    request.log.info({ administrator: userId, action: kind, ...data }, 'an administrator acted');
  }

  server.route({
    method: 'GET',
    url: '/v1/admin/statistics',
    schema: {
      tags,
      operationId: 'getStatistics',
      summary: 'Users, photos, times, failures and ratings of the last days',
      querystring: StatisticsQuery,
      response: { 200: StatisticsAnswer, ...problems(400, 401, 403, 429, 503) },
    },
    async handler(request) {
      checkAdmin(request, config);
      const found = await findStatistics(db, request.query.days ?? DEFAULT_DAYS);
      return { ...found, failures: [...found.failures], models: [...found.models] };
    },
  });

  server.route({
    method: 'GET',
    url: '/v1/admin/queue',
    schema: {
      tags,
      operationId: 'getQueue',
      summary: 'How long the queue is, and what was given up',
      response: { 200: QueueAnswer, ...problems(401, 403, 429, 503) },
    },
    async handler(request) {
      checkAdmin(request, config);
      const { queued, processing, oldestSeconds } = await queue.state();
      const dead = await queue.deadJobs(LISTED);
      const failed = await findFailedDeliveries(db, LISTED);
      return {
        ...{ queued, processing, oldestSeconds },
        dead: dead.map(({ upscaleId, at, error }) => ({ upscaleId, ...error, at: at.toISOString() })),
        failedDeliveries: failed.map((delivery) => ({
          ...delivery,
          endedAt: delivery.endedAt.toISOString(),
        })),
      };
    },
  });

  server.route({
    method: 'POST',
    url: '/v1/admin/queue/:id/retry',
    schema: {
      tags,
      operationId: 'retryDead',
      summary: 'Work once more on a photo that was given up',
      params: Id,
      response: { 204: NOTHING, ...problems(401, 403, 404, 429, 503) },
    },
    async handler(request, reply) {
      checkAdmin(request, config);
      if (!(await queue.revive(checkUuid(request.params.id))))
        throw new AppError('NOT_FOUND', request.params.id);
      await note(request, 'retry', { upscale: request.params.id });
      return reply.code(204).send(null);
    },
  });

  server.route({
    method: 'POST',
    url: '/v1/admin/bans',
    schema: {
      tags,
      operationId: 'ban',
      summary: 'Take no photos of a user any more',
      body: BanBody,
      response: { 204: NOTHING, ...problems(400, 401, 403, 429, 503) },
    },
    async handler(request, reply) {
      checkAdmin(request, config);
      const { telegramId, reason = null, until } = request.body;
      await banUser(db, telegramId, { reason, until: until === undefined ? null : new Date(until) });
      await note(request, 'ban', { telegramId });
      return reply.code(204).send(null);
    },
  });

  server.route({
    method: 'DELETE',
    url: '/v1/admin/bans/:id',
    schema: {
      tags,
      operationId: 'unban',
      summary: 'Take their photos again',
      params: ChatId,
      response: { 204: NOTHING, ...problems(400, 401, 403, 404, 429, 503) },
    },
    async handler(request, reply) {
      checkAdmin(request, config);
      if (!(await unbanUser(db, Number(request.params.id))))
        throw new AppError('NOT_FOUND', request.params.id);
      await note(request, 'unban', { telegramId: Number(request.params.id) });
      return reply.code(204).send(null);
    },
  });

  server.route({
    method: 'POST',
    url: '/v1/admin/broadcasts',
    schema: {
      tags,
      operationId: 'createBroadcast',
      summary: 'Draft a message to everybody',
      body: BroadcastBody,
      response: { 201: BroadcastAnswer, ...problems(400, 401, 403, 429, 503) },
    },
    async handler(request, reply) {
      checkAdmin(request, config);
      const { en, ru, options = null } = request.body;
      if (options !== null && Math.max(en.length, ru.length) > MAX_QUESTION) {
        throw new AppError('INVALID_REQUEST', `a question has at most ${MAX_QUESTION} signs`);
      }
      const id = await db.transaction((tx) => createBroadcast(tx, { en, ru }, options));
      return reply.code(201).send(await broadcast(id));
    },
  });

  server.route({
    method: 'GET',
    url: '/v1/admin/broadcasts/:id',
    schema: {
      tags,
      operationId: 'getBroadcast',
      summary: 'How far a broadcast is',
      params: Id,
      response: { 200: BroadcastAnswer, ...problems(401, 403, 404, 429, 503) },
    },
    async handler(request) {
      checkAdmin(request, config);
      return broadcast(request.params.id);
    },
  });

  for (const [verb, state] of [
    ['start', 'running'],
    ['stop', 'stopped'],
  ] as const) {
    server.route({
      method: 'POST',
      url: `/v1/admin/broadcasts/:id/${verb}`,
      schema: {
        tags,
        operationId: `${verb}Broadcast`,
        summary: verb === 'start' ? 'Send it, or go on' : 'Send it to nobody more for now',
        params: Id,
        response: { 200: BroadcastAnswer, ...problems(401, 403, 404, 429, 503) },
      },
      async handler(request) {
        checkAdmin(request, config);
        await setBroadcastState(db, checkUuid(request.params.id), state);
        const changed = await broadcast(request.params.id);
        await note(request, `${verb} broadcast`, { broadcast: changed.id });
        return changed;
      },
    });
  }

  async function broadcast(id: string) {
    const found = await findBroadcast(db, checkUuid(id));
    if (found === undefined) throw new AppError('NOT_FOUND', id);
    return { ...found, text: { ...found.text }, options: found.options && [...found.options] };
  }

  server.route({
    method: 'POST',
    url: '/v1/broadcasts/lease',
    config: UNLIMITED,
    schema: {
      tags,
      operationId: 'leaseRecipients',
      summary: 'Take recipients of the broadcasts that run',
      body: LeaseBody,
      response: { 200: RecipientsAnswer, ...problems(400, 401, 403, 503) },
    },
    async handler(request) {
      checkService(request);
      const { max, leaseSeconds } = request.body;
      const recipients = await leaseRecipients(db, max, leaseSeconds);
      return {
        recipients: recipients.map(({ text, options, ...recipient }) => ({
          ...{ ...recipient, text: { ...text }, options: options && [...options] },
        })),
      };
    },
  });

  server.route({
    method: 'POST',
    url: '/v1/broadcasts/:id/recipients',
    config: UNLIMITED,
    schema: {
      tags,
      operationId: 'ackRecipient',
      summary: 'Say how it went with one of them',
      params: Id,
      body: RecipientBody,
      response: { 204: NOTHING, ...problems(400, 401, 403, 404, 503) },
    },
    async handler(request, reply) {
      checkService(request);
      const id = checkUuid(request.params.id);
      const { telegramId, outcome, pollId = null, afterSeconds = 1 } = request.body;
      const how = outcome === 'retry' ? { afterSeconds } : { state: outcome, pollId };
      await db.transaction((tx) => settleRecipient(tx, id, telegramId, how));
      return reply.code(204).send(null);
    },
  });
}
