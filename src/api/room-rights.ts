/** Who may do what in a room, and changing one: what all its routes share. */
import { AppError } from '../errors.ts';
import type { Queryable } from '../storage/database.ts';
import { notifyRoom } from '../storage/notifications.ts';
import type { PictureOwner } from '../storage/room-picture-records.ts';
import { findRole, findRoom, lockRoom, type Room, type RoomRole } from '../storage/room-records.ts';
import { checkUuid, type RouteContext } from './route-context.ts';

export type RoomRights = ReturnType<typeof createRoomRights>;

export function createRoomRights({ stores, config }: RouteContext) {
  const { db } = stores;

  /** @throws AppError ROOM_NOT_FOUND */
  async function roomOf(id: string, userId: string): Promise<Room> {
    const room = await findRoom(db, checkRoomId(id), userId);
    if (room === undefined) throw new AppError('ROOM_NOT_FOUND', 'you are in no such room');
    return room;
  }

  /** One who may do it. @throws AppError ROOM_NOT_FOUND, FORBIDDEN */
  async function roomWith(id: string, userId: string, ...roles: RoomRole[]): Promise<Room> {
    const room = await roomOf(id, userId);
    if (!roles.includes(room.role)) throw new AppError('FORBIDDEN', `it is for the ${roles.join(' or a ')}`);
    return room;
  }

  /** What changes a room is done one at a time, and told to whoever looks at its page. */
  function changing<T>(id: string, work: (tx: Queryable) => Promise<T>): Promise<T> {
    return db.transaction(async (tx) => {
      await lockRoom(tx, id);
      const result = await work(tx);
      await notifyRoom(tx, id);
      return result;
    });
  }

  /** Undefined: they know nothing of the room. */
  async function mayRemove(
    { roomId, userId: sharer }: PictureOwner,
    userId: string,
    admin: boolean,
  ): Promise<boolean | undefined> {
    if (admin || sharer === userId) return true;
    const role = await findRole(db, roomId, userId);
    return role === undefined ? undefined : role !== 'member';
  }

  const answer = (room: Room) => ({
    ...room,
    pageUrl: config.publicUrl === undefined ? null : `${config.publicUrl}/rooms/${room.code}`,
  });

  return { roomOf, roomWith, changing, mayRemove, answer };
}

/** @throws AppError ROOM_NOT_FOUND */
function checkRoomId(id: string): string {
  try {
    return checkUuid(id);
  } catch (cause) {
    throw new AppError('ROOM_NOT_FOUND', 'its id is none', { cause });
  }
}
