/** The members of a room, for its owner and moderators: listed, given a role, removed for good. */
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { AppError } from '../errors.ts';
import {
  addExile,
  deleteMember,
  findMembers,
  findRole,
  type RoomRole,
  rotateCode,
  saveRole,
} from '../storage/room-records.ts';
import { createRoomRights } from './room-rights.ts';
import { MemberId, MembersAnswer, RoleBody, RoomAnswer, RoomId } from './room-schemas.ts';
import { checkUuid, findCaller, type RouteContext } from './route-context.ts';
import { problems, type Server } from './schemas.ts';

const tags = ['rooms'];
const NOTHING = Type.Null({ description: 'Done' });

/** Adds the routes. The server must read JSON. */
export function addRoomMemberRoutes(server: Server, context: RouteContext): void {
  const { db } = context.stores;
  const rights = createRoomRights(context);

  server.route({
    method: 'GET',
    url: '/v1/rooms/:id/members',
    schema: {
      tags,
      operationId: 'listMembers',
      summary: 'Who is in the room; for its owner and moderators',
      params: RoomId,
      response: { 200: MembersAnswer, ...problems(401, 403, 404, 429, 503) },
    },
    async handler(request) {
      const userId = await findCaller(request, context);
      const { id } = await rights.roomWith(request.params.id, userId, 'owner', 'moderator');
      return { members: await findMembers(db, id) };
    },
  });

  server.route({
    method: 'PATCH',
    url: '/v1/rooms/:id/members/:memberId',
    schema: {
      tags,
      operationId: 'putRole',
      summary: 'Make a member a moderator, or one no more; for the owner',
      params: MemberId,
      body: RoleBody,
      response: { 204: NOTHING, ...problems(400, 401, 403, 404, 429, 503) },
    },
    async handler(request, reply) {
      const { id, memberId } = await target(request, request.params, 'owner');
      await rights.changing(id, (tx) => saveRole(tx, id, memberId, request.body.role));
      return reply.code(204).send(null);
    },
  });

  server.route({
    method: 'DELETE',
    url: '/v1/rooms/:id/members/:memberId',
    schema: {
      tags,
      operationId: 'removeMember',
      summary: 'Remove a member for good; the room gets another code, which they do not know',
      params: MemberId,
      response: { 200: RoomAnswer, ...problems(401, 403, 404, 429, 503) },
    },
    async handler(request) {
      const { id, memberId, userId } = await target(request, request.params, 'owner', 'moderator');
      await rights.changing(id, async (tx) => {
        await addExile(tx, id, memberId);
        await deleteMember(tx, id, memberId);
        // The page asks for the code alone: who was removed must not hold it.
        await rotateCode(tx, id);
      });
      return rights.answer(await rights.roomOf(id, userId));
    },
  });

  /** Somebody the caller may decide about: moderators about members, the owner about both. */
  async function target(
    request: FastifyRequest,
    params: { readonly id: string; readonly memberId: string },
    ...roles: RoomRole[]
  ): Promise<{ id: string; memberId: string; userId: string }> {
    const userId = await findCaller(request, context);
    const { id, role } = await rights.roomWith(params.id, userId, ...roles);
    const memberId = checkUuid(params.memberId);
    const theirs = await findRole(db, id, memberId);
    if (theirs === undefined) throw new AppError('NOT_FOUND', 'a member with this id');
    if (theirs === 'owner' || (theirs === 'moderator' && role !== 'owner')) {
      throw new AppError('FORBIDDEN', 'they are not yours to decide about');
    }
    return { id, memberId, userId };
  }
}
