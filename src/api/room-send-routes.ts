/** What the bot asks about rooms on behalf of nobody: what is to be sent, taken back, told to administrators. */
import { Type } from 'typebox';
import { AppError } from '../errors.ts';
import { notifyAnyRoom } from '../storage/notifications.ts';
import { findPicture } from '../storage/room-picture-records.ts';
import { saveBotName } from '../storage/room-records.ts';
import {
  endSend,
  holdSend,
  leaseDeletions,
  leaseReports,
  leaseSends,
  renewSend,
  retrySend,
  saveSentMessages,
  secondsToNextSend,
  settleDeletion,
  settleReport,
} from '../storage/room-send-records.ts';
import { findUpscale } from '../storage/upscale-records.ts';
import {
  BotBody,
  ChoreBody,
  fileAnswer,
  LeasedSends,
  LeaseSendsBody,
  RoomChores,
  RoomId,
  SendAckBody,
} from './room-schemas.ts';
import { checkService, checkUuid, type RouteContext, UNLIMITED } from './route-context.ts';
import { PictureQuery, problems, type Server } from './schemas.ts';
import { fileOf, sendFitted } from './send-picture.ts';
import { takeWhenThere } from './take-when-there.ts';

const tags = ['rooms'];
const NOTHING = Type.Null({ description: 'Done' });

/** Adds the routes. The server must read JSON. */
export function addRoomSendRoutes(server: Server, { stores, watch, stopping }: RouteContext): void {
  const { db, blobs } = stores;

  server.route({
    method: 'PUT',
    url: '/v1/bot',
    config: UNLIMITED,
    schema: {
      tags,
      operationId: 'putBot',
      summary: 'Say who the bot is: pages of rooms lead to it',
      body: BotBody,
      response: { 204: NOTHING, ...problems(400, 401, 403, 503) },
    },
    async handler(request, reply) {
      checkService(request);
      await saveBotName(db, request.body.username);
      return reply.code(204).send(null);
    },
  });

  server.route({
    method: 'POST',
    url: '/v1/room-sends/lease',
    config: UNLIMITED,
    schema: {
      tags,
      operationId: 'leaseSends',
      summary: 'Take what rooms send to their members; nobody else gets it before the lease is over',
      body: LeaseSendsBody,
      response: { 200: LeasedSends, ...problems(400, 401, 403, 503) },
    },
    async handler(request, reply) {
      checkService(request);
      const { max, leaseSeconds, wait = 0 } = request.body;
      const occasions = { watchFor: watch.rooms, secondsToNext: () => secondsToNextSend(db) };
      const sends = await takeWhenThere({ reply, stopping, waitSeconds: wait }, occasions, () =>
        db.transaction((tx) => leaseSends(tx, { max, leaseSeconds })),
      );
      return { sends: sends.map((send) => ({ ...send, pictures: [...send.pictures] })) };
    },
  });

  server.route({
    method: 'POST',
    url: '/v1/room-sends/:id/ack',
    config: UNLIMITED,
    schema: {
      tags,
      operationId: 'ackSend',
      summary: 'Say how it went with one of them',
      params: RoomId,
      body: SendAckBody,
      response: { 204: NOTHING, ...problems(400, 401, 403, 404, 409, 503) },
    },
    async handler(request, reply) {
      checkService(request);
      const id = checkUuid(request.params.id);
      const { lease, outcome, chatId, messages = [], afterSeconds = 1, forgetFiles = false } = request.body;
      const { leaseSeconds = 30 } = request.body;
      if (messages.length > 0 && chatId === undefined) {
        throw new AppError('INVALID_REQUEST', 'messages are of a chat: chatId is needed');
      }
      await db.transaction(async (tx) => {
        if (!(await holdSend(tx, id, lease))) throw new AppError('LEASE_LOST', id);
        const isNamed = chatId !== undefined && (await saveSentMessages(tx, id, chatId, messages));
        // The others can have it now.
        if (isNamed) await notifyAnyRoom(tx);
        if (outcome === 'hold') await renewSend(tx, id, leaseSeconds);
        else if (outcome === 'retry' || outcome === 'later') {
          await retrySend(tx, id, { afterSeconds, forgetFiles, counts: outcome === 'retry' });
        } else await endSend(tx, id, outcome);
      });
      return reply.code(204).send(null);
    },
  });

  server.route({
    method: 'GET',
    url: '/v1/room-pictures/:id/result',
    config: UNLIMITED,
    schema: {
      tags,
      operationId: 'getRoomPicture',
      summary: 'The result behind a picture that is to be sent',
      params: RoomId,
      querystring: PictureQuery,
      response: { 200: fileAnswer('image/*'), ...problems(400, 401, 403, 404, 503) },
    },
    async handler(request, reply) {
      checkService(request);
      const picture = await findPicture(db, checkUuid(request.params.id));
      const upscale = picture && (await findUpscale(db, picture.upscaleId));
      if (upscale === undefined || upscale.erasedAt !== null)
        throw new AppError('NOT_FOUND', request.params.id);
      return sendFitted(reply, { blobs, file: fileOf(upscale, 'result'), room: request.query });
    },
  });

  server.route({
    method: 'POST',
    url: '/v1/room-chores/lease',
    config: UNLIMITED,
    schema: {
      tags,
      operationId: 'leaseChores',
      summary: 'Take messages with removed pictures, and reports for the administrators',
      body: LeaseSendsBody,
      response: { 200: RoomChores, ...problems(400, 401, 403, 503) },
    },
    async handler(request) {
      checkService(request);
      const { max, leaseSeconds } = request.body;
      return {
        deletions: await leaseDeletions(db, max, leaseSeconds),
        reports: (await leaseReports(db, leaseSeconds)).map((report) => ({
          ...report,
          picture: { ...report.picture },
        })),
      };
    },
  });

  server.route({
    method: 'POST',
    url: '/v1/room-chores/done',
    config: UNLIMITED,
    schema: {
      tags,
      operationId: 'settleChore',
      summary: 'Say that one of them is done, or to be tried again',
      body: ChoreBody,
      response: { 204: NOTHING, ...problems(400, 401, 403, 503) },
    },
    async handler(request, reply) {
      checkService(request);
      const { deletion, reportId } = request.body;
      if (deletion !== undefined) await settleDeletion(db, deletion, deletion.afterSeconds);
      if (reportId !== undefined) await settleReport(db, reportId);
      return reply.code(204).send(null);
    },
  });
}
