/** Results on their way to chats: added by whoever received a photo, leased and acknowledged by whoever sends. */
import { Type } from 'typebox';
import { AppError } from '../errors.ts';
import type { Upscale } from '../job.ts';
import { estimateWaiting } from '../jobs/waiting.ts';
import {
  addDeliveryItem,
  endDeliveriesTo,
  endDelivery,
  findOpenPhotos,
  type LeasedDelivery,
  leaseDeliveries,
  leaseStatuses,
  moveDeliveries,
  renewLease,
  retryDelivery,
  saveSent,
  saveStatusMessage,
  secondsToNextDelivery,
} from '../storage/delivery-records.ts';
import { moveRoom } from '../storage/room-records.ts';
import { endSendsTo } from '../storage/room-send-records.ts';
import { findUpscale } from '../storage/upscale-records.ts';
import { saveReachable } from '../storage/user-records.ts';
import {
  checkService,
  checkUuid,
  findCaller,
  findOwn,
  type RouteContext,
  UNLIMITED,
} from './route-context.ts';
import { problems, type Server } from './schemas.ts';
import { shareByItself } from './share-by-itself.ts';
import { takeWhenThere } from './take-when-there.ts';
import {
  AckBody,
  ChatId,
  CountAnswer,
  DeliveryAnswer,
  DeliveryBody,
  DueStatuses,
  GoneBody,
  Id,
  LeaseBody,
  LeasedDeliveries,
  MoveBody,
  StatusAnswer,
  StatusBody,
  StatusesBody,
} from './telegram-schemas.ts';
import { toAnswer } from './upscale-answer.ts';

const tags = ['deliveries'];
const NOTHING = Type.Null({ description: 'Done' });

/** Adds the routes. The server must read JSON. */
export function addDeliveryRoutes(server: Server, context: RouteContext): void {
  const { stores, watch, stopping } = context;
  const { db, queue } = stores;

  server.route({
    method: 'POST',
    url: '/v1/deliveries',
    schema: {
      tags,
      operationId: 'createDelivery',
      summary: 'Have a result, or the reason why there is none, sent to a chat',
      body: DeliveryBody,
      response: { 201: DeliveryAnswer, ...problems(400, 401, 404, 429, 503) },
    },
    async handler(request, reply) {
      const {
        upscaleId,
        errorCode,
        threadId = null,
        albumId = null,
        fileName = null,
        ...rest
      } = request.body;
      if ((upscaleId === undefined) === (errorCode === undefined)) {
        throw new AppError('INVALID_REQUEST', 'exactly one of upscaleId and errorCode is needed');
      }
      if (upscaleId !== undefined) await findOwn(request, upscaleId, context);
      const userId = await findCaller(request, context);
      const item = { ...rest, threadId, albumId, fileName, userId };
      const id = await db.transaction((tx) =>
        addDeliveryItem(tx, { ...item, upscaleId: upscaleId ?? null, errorCode: errorCode ?? null }),
      );
      return reply.code(201).send({ id });
    },
  });

  server.route({
    method: 'POST',
    url: '/v1/deliveries/lease',
    config: UNLIMITED,
    schema: {
      tags,
      operationId: 'leaseDeliveries',
      summary: 'Take deliveries that are complete; nobody else gets them before the lease is over',
      body: LeaseBody,
      response: { 200: LeasedDeliveries, ...problems(400, 401, 403, 503) },
    },
    async handler(request, reply) {
      checkService(request);
      const { max, leaseSeconds, wait = 0 } = request.body;
      const occasions = { watchFor: watch.ended, secondsToNext: () => secondsToNextDelivery(db) };
      const leased = await takeWhenThere({ reply, stopping, waitSeconds: wait }, occasions, () =>
        leaseDeliveries(db, { max, leaseSeconds }),
      );
      return { deliveries: await Promise.all(leased.map(withUpscales)) };
    },
  });

  async function withUpscales({ items, ...delivery }: LeasedDelivery) {
    const answered = items.map(async ({ upscaleId, ...item }) => {
      const upscale = upscaleId === null ? undefined : await findUpscale(db, upscaleId);
      if (upscale === undefined) return { ...item, upscale: null };
      return {
        ...item,
        upscale: toAnswer(upscale, { position: null, remainingSeconds: null }),
        ...expired(upscale),
      };
    });
    return { ...delivery, items: await Promise.all(answered) };
  }

  /** What was erased meanwhile cannot be sent, whatever became of it. */
  function expired({ erasedAt, status }: Upscale): { errorCode: string } | undefined {
    return erasedAt !== null && status === 'done' ? { errorCode: 'EXPIRED' } : undefined;
  }

  server.route({
    method: 'POST',
    url: '/v1/deliveries/:id/ack',
    config: UNLIMITED,
    schema: {
      tags,
      operationId: 'ackDelivery',
      summary: 'Say how a leased delivery went',
      params: Id,
      body: AckBody,
      response: { 204: NOTHING, ...problems(400, 401, 403, 404, 409, 503) },
    },
    async handler(request, reply) {
      checkService(request);
      const id = checkUuid(request.params.id);
      const { lease, outcome, sent = [], leaseSeconds, afterSeconds = 1, reason = null } = request.body;
      await db.transaction(async (tx) => {
        if (!(await saveSent(tx, id, lease, sent))) throw new AppError('LEASE_LOST', id);
        if (outcome === 'retry' || outcome === 'later') {
          await retryDelivery(tx, id, { afterSeconds, error: reason, counts: outcome === 'retry' });
        } else if (outcome !== 'partly') {
          await endDelivery(tx, id, outcome, reason);
          if (outcome === 'sent') await shareByItself(tx, id);
        } else if (leaseSeconds !== undefined) await renewLease(tx, id, leaseSeconds);
      });
      return reply.code(204).send(null);
    },
  });

  server.route({
    method: 'POST',
    url: '/v1/deliveries/statuses',
    config: UNLIMITED,
    schema: {
      tags,
      operationId: 'leaseStatuses',
      summary: 'Deliveries whose users are to be told how they stand, each at most every few seconds',
      body: StatusesBody,
      response: { 200: DueStatuses, ...problems(400, 401, 403, 503) },
    },
    async handler(request) {
      checkService(request);
      const due = await leaseStatuses(db, request.body.max);
      const statuses = due.map(async ({ lastQueued, ...status }) => {
        const upscale = lastQueued === null ? undefined : await findUpscale(db, lastQueued);
        const waiting = upscale === undefined ? undefined : await estimateWaiting(db, upscale);
        const { position = null, remainingSeconds = null } = waiting ?? {};
        return { ...status, position, remainingSeconds };
      });
      return { statuses: await Promise.all(statuses) };
    },
  });

  server.route({
    method: 'PUT',
    url: '/v1/deliveries/:id/status',
    config: UNLIMITED,
    schema: {
      tags,
      operationId: 'putStatus',
      summary: 'Remember the message that tells how a delivery stands',
      params: Id,
      body: StatusBody,
      response: { 200: StatusAnswer, ...problems(400, 401, 403, 404, 503) },
    },
    async handler(request) {
      checkService(request);
      return {
        open: await saveStatusMessage(db, checkUuid(request.params.id), request.body.statusMessageId),
      };
    },
  });

  server.route({
    method: 'POST',
    url: '/v1/deliveries/:id/cancel',
    schema: {
      tags,
      operationId: 'cancelDelivery',
      summary: 'Cancel the photos of a delivery of yours that have not ended',
      params: Id,
      response: { 200: CountAnswer, ...problems(401, 404, 429, 503) },
    },
    async handler(request) {
      const open = await findOpenPhotos(db, checkUuid(request.params.id), await findCaller(request, context));
      if (open === undefined) throw new AppError('NOT_FOUND', request.params.id);
      const cancelled = await Promise.all(open.map((photo) => queue.cancel(photo)));
      return { count: cancelled.filter(Boolean).length };
    },
  });

  server.route({
    method: 'POST',
    url: '/v1/chats/:id/move',
    config: UNLIMITED,
    schema: {
      tags,
      operationId: 'moveChat',
      summary: 'A group has become a supergroup: what is on its way follows',
      params: ChatId,
      body: MoveBody,
      response: { 204: NOTHING, ...problems(400, 401, 403, 503) },
    },
    async handler(request, reply) {
      checkService(request);
      const from = Number(request.params.id);
      const { to } = request.body;
      await db.transaction(async (tx) => {
        await moveDeliveries(tx, from, to);
        await moveRoom(tx, from, to);
      });
      return reply.code(204).send(null);
    },
  });

  server.route({
    method: 'POST',
    url: '/v1/chats/:id/gone',
    config: UNLIMITED,
    schema: {
      tags,
      operationId: 'markChatGone',
      summary: 'No message reaches this chat: what is on its way to it ends',
      params: ChatId,
      body: GoneBody,
      response: { 200: CountAnswer, ...problems(400, 401, 403, 503) },
    },
    async handler(request) {
      checkService(request);
      const chatId = Number(request.params.id);
      if (chatId > 0) await saveReachable(db, chatId, false);
      await endSendsTo(db, chatId);
      return { count: await endDeliveriesTo(db, chatId, request.body.reason) };
    },
  });
}
