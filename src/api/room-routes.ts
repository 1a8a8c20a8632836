/** Rooms for their members: made, joined, left, closed. To everybody else it is as if there were none. */
import { Type } from 'typebox';
import { AppError } from '../errors.ts';
import {
  addMember,
  countOwnedRooms,
  createRoom,
  deleteMember,
  deleteRoom,
  findDoor,
  findRole,
  findRoom,
  findRooms,
  isExile,
  renameRoom,
  rotateCode,
  saveWishes,
} from '../storage/room-records.ts';
import { checkNotBanned } from './me-routes.ts';
import { createRoomRights } from './room-rights.ts';
import {
  DoorAnswer,
  JoinBody,
  NewRoomBody,
  RoomAnswer,
  RoomChange,
  RoomCode,
  RoomId,
  RoomsAnswer,
  WishesBody,
} from './room-schemas.ts';
import { checkUuid, findCaller, isAdmin, type RouteContext } from './route-context.ts';
import { problems, type Server } from './schemas.ts';

const tags = ['rooms'];
const NOTHING = Type.Null({ description: 'Done' });
const MAX_OWNED = 20;
const MAX_MEMBERS = 2000;

/** Adds the routes. The server must read JSON. */
export function addRoomRoutes(server: Server, context: RouteContext): void {
  const { stores, config } = context;
  const { db } = stores;
  const rights = createRoomRights(context);

  server.route({
    method: 'POST',
    url: '/v1/rooms',
    schema: {
      tags,
      operationId: 'createRoom',
      summary: 'Make a room; you are its owner',
      body: NewRoomBody,
      response: { 201: RoomAnswer, ...problems(400, 401, 403, 409, 429, 503) },
    },
    async handler(request, reply) {
      const userId = await findCaller(request, context);
      await checkNotBanned(context, userId);
      const { title, name, language, chat = null } = request.body;
      if ((await countOwnedRooms(db, userId)) >= MAX_OWNED) {
        throw new AppError('ROOM_LIMIT', `${MAX_OWNED} of your own`);
      }
      const id = await db.transaction((tx) =>
        createRoom(tx, { ownerId: userId, title: title.trim(), name, language, chat }),
      );
      if (id === undefined) throw new AppError('ROOM_EXISTS', 'every topic can be one room');
      return reply.code(201).send(rights.answer(await rights.roomOf(id, userId)));
    },
  });

  server.route({
    method: 'GET',
    url: '/v1/rooms',
    schema: {
      tags,
      operationId: 'listRooms',
      summary: 'The rooms you are in',
      response: { 200: RoomsAnswer, ...problems(401, 429, 503) },
    },
    handler: async (request) => ({
      rooms: (await findRooms(db, await findCaller(request, context))).map(rights.answer),
    }),
  });

  server.route({
    method: 'GET',
    url: '/v1/rooms/:id',
    schema: {
      tags,
      operationId: 'getRoom',
      summary: 'One of your rooms',
      params: RoomId,
      response: { 200: RoomAnswer, ...problems(401, 404, 429, 503) },
    },
    handler: async (request) =>
      rights.answer(await rights.roomOf(request.params.id, await findCaller(request, context))),
  });

  server.route({
    method: 'PATCH',
    url: '/v1/rooms/:id',
    schema: {
      tags,
      operationId: 'renameRoom',
      summary: 'Give your room another title',
      params: RoomId,
      body: RoomChange,
      response: { 200: RoomAnswer, ...problems(400, 401, 403, 404, 429, 503) },
    },
    async handler(request) {
      const userId = await findCaller(request, context);
      const { id } = await rights.roomWith(request.params.id, userId, 'owner');
      await rights.changing(id, (tx) => renameRoom(tx, id, request.body.title.trim()));
      return rights.answer(await rights.roomOf(id, userId));
    },
  });

  server.route({
    method: 'DELETE',
    url: '/v1/rooms/:id',
    schema: {
      tags,
      operationId: 'closeRoom',
      summary: 'Close your room; administrators may close any',
      params: RoomId,
      response: { 204: NOTHING, ...problems(401, 403, 404, 429, 503) },
    },
    async handler(request, reply) {
      const userId = await findCaller(request, context);
      const { id: wished } = request.params;
      const isOverseer =
        isAdmin(request, config) && (await findRoom(db, checkUuid(wished), userId)) === undefined;
      const { id } = isOverseer ? { id: wished } : await rights.roomWith(wished, userId, 'owner');
      const closed = await rights.changing(id, (tx) => deleteRoom(tx, id));
      if (!closed) throw new AppError('ROOM_NOT_FOUND', 'it is closed already');
      return reply.code(204).send(null);
    },
  });

  server.route({
    method: 'POST',
    url: '/v1/rooms/:id/code',
    schema: {
      tags,
      operationId: 'rotateRoomCode',
      summary: 'Give the room another code: the old one opens nothing any more',
      params: RoomId,
      response: { 200: RoomAnswer, ...problems(401, 403, 404, 429, 503) },
    },
    async handler(request) {
      const userId = await findCaller(request, context);
      const { id } = await rights.roomWith(request.params.id, userId, 'owner', 'moderator');
      await rights.changing(id, (tx) => rotateCode(tx, id));
      return rights.answer(await rights.roomOf(id, userId));
    },
  });

  server.route({
    method: 'GET',
    url: '/v1/room-codes/:code',
    schema: {
      tags,
      operationId: 'getDoor',
      summary: 'What a code leads to, before one joins',
      params: RoomCode,
      response: { 200: DoorAnswer, ...problems(401, 403, 404, 429, 503) },
    },
    async handler(request) {
      const userId = await findCaller(request, context);
      const { id, ...door } = await doorFor(request.params.code, userId);
      return { ...door, isMember: (await findRole(db, id, userId)) !== undefined };
    },
  });

  /** @throws AppError ROOM_NOT_FOUND, ROOM_EXILED */
  async function doorFor(code: string, userId: string) {
    const door = await findDoor(db, code);
    if (door === undefined) throw new AppError('ROOM_NOT_FOUND', 'its code is not, or no longer, valid');
    if (await isExile(db, door.id, userId)) throw new AppError('ROOM_EXILED', door.title);
    return door;
  }

  server.route({
    method: 'POST',
    url: '/v1/rooms/join',
    schema: {
      tags,
      operationId: 'joinRoom',
      summary: 'Join the room of this code; who is in it already stays so',
      body: JoinBody,
      response: { 200: RoomAnswer, ...problems(400, 401, 403, 404, 409, 429, 503) },
    },
    async handler(request) {
      const userId = await findCaller(request, context);
      await checkNotBanned(context, userId);
      const { code, name, language } = request.body;
      const { id } = await doorFor(code, userId);
      await rights.changing(id, async (tx) => {
        // Removed, or the code replaced, at this very moment.
        const door = await findDoor(tx, code);
        if (door === undefined || (await isExile(tx, id, userId)))
          throw new AppError('ROOM_NOT_FOUND', 'just now');
        const isIn = (await findRole(tx, id, userId)) !== undefined;
        if (!isIn && door.members >= MAX_MEMBERS) throw new AppError('ROOM_FULL', `${MAX_MEMBERS} are in it`);
        await addMember(tx, { roomId: id, userId, name, language });
      });
      return rights.answer(await rights.roomOf(id, userId));
    },
  });

  server.route({
    method: 'PATCH',
    url: '/v1/rooms/:id/me',
    schema: {
      tags,
      operationId: 'patchRoomWishes',
      summary: 'What you give to the room, and what you get of it',
      params: RoomId,
      body: WishesBody,
      response: { 200: RoomAnswer, ...problems(400, 401, 404, 429, 503) },
    },
    async handler(request) {
      const userId = await findCaller(request, context);
      const { id } = await rights.roomOf(request.params.id, userId);
      await db.transaction((tx) => saveWishes(tx, id, userId, request.body));
      return rights.answer(await rights.roomOf(id, userId));
    },
  });

  server.route({
    method: 'DELETE',
    url: '/v1/rooms/:id/me',
    schema: {
      tags,
      operationId: 'leaveRoom',
      summary: 'Leave the room; what you shared stays unless you removed it',
      params: RoomId,
      response: { 204: NOTHING, ...problems(401, 404, 409, 429, 503) },
    },
    async handler(request, reply) {
      const userId = await findCaller(request, context);
      const { id, role, title } = await rights.roomOf(request.params.id, userId);
      if (role === 'owner') throw new AppError('ROOM_OWNER', title);
      await rights.changing(id, (tx) => deleteMember(tx, id, userId));
      return reply.code(204).send(null);
    },
  });
}
