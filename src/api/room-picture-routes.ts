/** The pictures of rooms, for their members: shared, removed for everybody, reported. */
import { Type } from 'typebox';
import { AppError } from '../errors.ts';
import {
  findPicture,
  findPicturesOfMessage,
  findResultsOfMessage,
  findShareable,
  type PictureOwner,
  removePicture,
  reportPicture,
  sharePictures,
} from '../storage/room-picture-records.ts';
import { checkNotBanned } from './me-routes.ts';
import { createRoomRights } from './room-rights.ts';
import { MessageBody, RoomId, ShareBody, SharedAnswer } from './room-schemas.ts';
import { checkUuid, findCaller, isAdmin, type RouteContext } from './route-context.ts';
import { problems, type Server } from './schemas.ts';
import { CountAnswer } from './telegram-schemas.ts';

const tags = ['rooms'];
const NOTHING = Type.Null({ description: 'Done' });

/** Adds the routes. The server must read JSON. */
export function addRoomPictureRoutes(server: Server, context: RouteContext): void {
  const { stores, config } = context;
  const { db } = stores;
  const rights = createRoomRights(context);

  server.route({
    method: 'POST',
    url: '/v1/rooms/:id/pictures',
    schema: {
      tags,
      operationId: 'shareToRoom',
      summary: 'Share results of yours, or all those of a message you were sent',
      params: RoomId,
      body: ShareBody,
      response: { 200: SharedAnswer, ...problems(400, 401, 403, 404, 429, 503) },
    },
    async handler(request) {
      const userId = await findCaller(request, context);
      const { id: roomId } = await rights.roomOf(request.params.id, userId);
      await checkNotBanned(context, userId);
      const { upscaleIds, message } = request.body;
      if ((upscaleIds === undefined) === (message === undefined)) {
        throw new AppError('INVALID_REQUEST', 'exactly one of upscaleIds and message is needed');
      }
      return rights.changing(roomId, async (tx) => {
        const ids = upscaleIds ?? (message && (await findResultsOfMessage(tx, userId, message))) ?? [];
        const results = await findShareable(tx, userId, ids);
        if (results.length === 0) throw new AppError('UPSCALE_NOT_FOUND', 'none that is ready and kept');
        return sharePictures(tx, { roomId, userId }, results);
      });
    },
  });

  server.route({
    method: 'DELETE',
    url: '/v1/room-pictures/:id',
    schema: {
      tags,
      operationId: 'removePicture',
      summary: 'Remove a picture for everybody: your own, any as owner, moderator or administrator',
      params: RoomId,
      response: { 204: NOTHING, ...problems(401, 403, 404, 429, 503) },
    },
    async handler(request, reply) {
      const userId = await findCaller(request, context);
      const picture = await findPicture(db, checkUuid(request.params.id));
      const may = picture && (await rights.mayRemove(picture, userId, isAdmin(request, config)));
      if (picture === undefined || may === undefined) throw new AppError('NOT_FOUND', request.params.id);
      if (!may) throw new AppError('FORBIDDEN', 'somebody else shared it');
      await rights.changing(picture.roomId, (tx) => removePicture(tx, picture.id));
      return reply.code(204).send(null);
    },
  });

  server.route({
    method: 'POST',
    url: '/v1/room-messages/remove',
    schema: {
      tags,
      operationId: 'removeByMessage',
      summary: 'Remove for everybody the pictures that a message shows, where you may',
      body: MessageBody,
      response: { 200: CountAnswer, ...problems(400, 401, 403, 404, 429, 503) },
    },
    async handler(request) {
      const userId = await findCaller(request, context);
      const shown = await picturesFor(request.body, userId);
      const mine: PictureOwner[] = [];
      for (const picture of shown) {
        if (await rights.mayRemove(picture, userId, false)) mine.push(picture);
      }
      if (mine.length === 0) throw new AppError('FORBIDDEN', 'somebody else shared it');
      for (const { id, roomId } of mine) await rights.changing(roomId, (tx) => removePicture(tx, id));
      return { count: mine.length };
    },
  });

  server.route({
    method: 'POST',
    url: '/v1/room-messages/report',
    schema: {
      tags,
      operationId: 'reportByMessage',
      summary: 'Tell the administrators of the pictures that a message shows',
      body: MessageBody,
      response: { 200: CountAnswer, ...problems(400, 401, 404, 429, 503) },
    },
    async handler(request) {
      const userId = await findCaller(request, context);
      const shown = await picturesFor(request.body, userId);
      for (const { id } of shown) await reportPicture(db, id, userId);
      return { count: shown.length };
    },
  });

  /** Those of rooms the caller is in, or shared. @throws AppError NOT_FOUND */
  async function picturesFor(
    message: { chatId: number; messageId: number },
    userId: string,
  ): Promise<PictureOwner[]> {
    const known: PictureOwner[] = [];
    for (const picture of await findPicturesOfMessage(db, message)) {
      if ((await rights.mayRemove(picture, userId, false)) !== undefined) known.push(picture);
    }
    if (known.length === 0) throw new AppError('NOT_FOUND', 'that message shows no picture of a room');
    return known;
  }
}
