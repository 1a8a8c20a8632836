/** SQL for rooms: who owns them, who is in them, and what each member wishes. */
import { randomUUID } from 'node:crypto';
import type { Queryable } from './database.ts';
import type { Language } from './delivery-records.ts';
import { newCode } from './new-code.ts';

export type RoomRole = 'owner' | 'moderator' | 'member';
/** Whether a member's results go to the room by one tap, or by themselves. */
export type Shares = 'ask' | 'always';
/** Every picture at once, several of them together from time to time, or none. */
export type Receives = 'each' | 'digest' | 'nothing';

/** A room as one of its members sees it. */
export interface Room {
  readonly id: string;
  readonly code: string;
  readonly title: string;
  readonly role: RoomRole;
  readonly shares: Shares;
  readonly receives: Receives;
  readonly members: number;
  /** Those that can be seen now. */
  readonly pictures: number;
  /** Whether it is a group of Telegram or a topic of one. */
  readonly isGroup: boolean;
}

export interface RoomMember {
  readonly memberId: string;
  readonly name: string;
  readonly role: RoomRole;
}

/** What the code of a room tells to whoever holds it. */
export interface RoomDoor {
  readonly id: string;
  readonly title: string;
  readonly members: number;
  readonly isGroup: boolean;
}

/** Pictures that are shown: neither removed nor erased. */
export const SHOWN = `p.removed_at is null and u.status = 'done' and u.erased_at is null`;

const COUNTS = `(select count(*)::int from room_members n where n.room_id = r.id) as members,
  (select count(*)::int from room_pictures p join upscales u on u.id = p.upscale_id where p.room_id = r.id and ${SHOWN})
    as pictures`;
const ROOM = `r.id, r.code, r.title, m.role, m.shares, m.receives, r.chat_id is not null as "isGroup", ${COUNTS}`;

export interface NewRoom {
  readonly ownerId: string;
  readonly title: string;
  /** The owner's. */
  readonly name: string;
  readonly language: Language;
  readonly chat: { readonly chatId: number; readonly threadId: number | null } | null;
}

/** Makes the room with its owner in it. Undefined if the chat is a room already. Call it in a transaction. */
export async function createRoom(tx: Queryable, room: NewRoom): Promise<string | undefined> {
  const id = randomUUID();
  const { ownerId, title, name, language, chat } = room;
  const made = await tx.query(
    `insert into rooms (id, code, title, owner_id, chat_id, thread_id) values ($1, $2, $3, $4, $5, $6)
     on conflict (chat_id, coalesce(thread_id, 0)) where chat_id is not null do nothing returning id`,
    [id, newCode(), title, ownerId, chat?.chatId ?? null, chat?.threadId ?? null],
  );
  if (made.length === 0) return undefined;
  // What is shared in a group its members see there.
  await addMember(tx, {
    roomId: id,
    userId: ownerId,
    name,
    language,
    role: 'owner',
    receives: chat === null ? 'each' : 'nothing',
  });
  return id;
}

/** Does nothing for somebody who is in it. */
export async function addMember(
  tx: Queryable,
  member: {
    readonly roomId: string;
    readonly userId: string;
    readonly name: string;
    readonly language: Language;
    readonly role?: RoomRole;
    readonly receives?: Receives;
  },
): Promise<void> {
  const { roomId, userId, name, language, role = 'member', receives = 'each' } = member;
  await tx.query(
    `insert into room_members (room_id, user_id, role, name, language, receives) values ($1, $2, $3, $4, $5, $6)
     on conflict (room_id, user_id) do update set name = excluded.name, language = excluded.language`,
    [roomId, userId, role, name, language, receives],
  );
}

/** The rooms of a user, the one they joined last first. */
export function findRooms(db: Queryable, userId: string): Promise<Room[]> {
  return db.query<Room>(
    `select ${ROOM} from rooms r join room_members m on m.room_id = r.id where m.user_id = $1
     order by m.joined_at desc`,
    [userId],
  );
}

/** The room, if the user is in it: to others it is as if there were none. */
export async function findRoom(db: Queryable, id: string, userId: string): Promise<Room | undefined> {
  const [room] = await db.query<Room>(
    `select ${ROOM} from rooms r join room_members m on m.room_id = r.id where r.id = $1 and m.user_id = $2`,
    [id, userId],
  );
  return room;
}

/** The room that a chat, or a topic of it, is. */
export async function findRoomOfChat(
  db: Queryable,
  chatId: number,
  threadId: number | null,
): Promise<{ id: string } | undefined> {
  const [room] = await db.query<{ id: string }>(
    'select id from rooms where chat_id = $1 and coalesce(thread_id, 0) = $2',
    [chatId, threadId ?? 0],
  );
  return room;
}

export async function countOwnedRooms(db: Queryable, userId: string): Promise<number> {
  const [row] = await db.query<{ count: number }>(
    'select count(*)::int as count from rooms where owner_id = $1',
    [userId],
  );
  return row?.count ?? 0;
}

export async function findDoor(db: Queryable, code: string): Promise<RoomDoor | undefined> {
  const [door] = await db.query<RoomDoor>(
    `select r.id, r.title, r.chat_id is not null as "isGroup",
       (select count(*)::int from room_members m where m.room_id = r.id) as members
     from rooms r where r.code = $1`,
    [code],
  );
  return door;
}

export async function isExile(db: Queryable, roomId: string, userId: string): Promise<boolean> {
  const rows = await db.query('select 1 from room_exiles where room_id = $1 and user_id = $2', [
    roomId,
    userId,
  ]);
  return rows.length > 0;
}

/** The members by their roles and names. */
export function findMembers(db: Queryable, roomId: string): Promise<RoomMember[]> {
  return db.query<RoomMember>(
    `select user_id as "memberId", name, role from room_members where room_id = $1
     order by case role when 'owner' then 0 when 'moderator' then 1 else 2 end, name, user_id`,
    [roomId],
  );
}

/** Locks the room's row, so that who is in it changes one at a time. */
export async function lockRoom(tx: Queryable, roomId: string): Promise<void> {
  await tx.query('select 1 from rooms where id = $1 for update', [roomId]);
}

export async function findRole(db: Queryable, roomId: string, userId: string): Promise<RoomRole | undefined> {
  const [row] = await db.query<{ role: RoomRole }>(
    'select role from room_members where room_id = $1 and user_id = $2',
    [roomId, userId],
  );
  return row?.role;
}

export async function saveRole(
  db: Queryable,
  roomId: string,
  userId: string,
  role: 'moderator' | 'member',
): Promise<void> {
  await db.query('update room_members set role = $3 where room_id = $1 and user_id = $2', [
    roomId,
    userId,
    role,
  ]);
}

export async function saveWishes(
  db: Queryable,
  roomId: string,
  userId: string,
  { shares, receives }: { shares?: Shares | undefined; receives?: Receives | undefined },
): Promise<void> {
  await db.query(
    `update room_members set shares = coalesce($3, shares), receives = coalesce($4, receives)
     where room_id = $1 and user_id = $2`,
    [roomId, userId, shares ?? null, receives ?? null],
  );
  if (receives === 'nothing') await forgetSends(db, roomId, userId);
}

/** Takes somebody out. Nothing that waits is sent to them; their pictures stay. */
export async function deleteMember(db: Queryable, roomId: string, userId: string): Promise<void> {
  await db.query('delete from room_members where room_id = $1 and user_id = $2', [roomId, userId]);
  await forgetSends(db, roomId, userId);
}

async function forgetSends(db: Queryable, roomId: string, userId: string): Promise<void> {
  await db.query(
    `update room_sends set state = 'gone', lease = null, leased_until = null
     where room_id = $1 and user_id = $2 and state = 'waiting'`,
    [roomId, userId],
  );
}

/** Keeps somebody out. */
export async function addExile(tx: Queryable, roomId: string, userId: string): Promise<void> {
  await tx.query('insert into room_exiles (room_id, user_id) values ($1, $2) on conflict do nothing', [
    roomId,
    userId,
  ]);
}

/** Gives the room another code: the old one opens nothing any more. */
export async function rotateCode(db: Queryable, roomId: string): Promise<string> {
  const code = newCode();
  await db.query('update rooms set code = $2 where id = $1', [roomId, code]);
  return code;
}

export async function renameRoom(db: Queryable, roomId: string, title: string): Promise<void> {
  await db.query('update rooms set title = $2 where id = $1', [roomId, title]);
}

/** Ends the room with everything in it; the results stay with those whose they are. False if there is none. */
export async function deleteRoom(db: Queryable, roomId: string): Promise<boolean> {
  const rows = await db.query('delete from rooms where id = $1 returning id', [roomId]);
  return rows.length > 0;
}

/** A group has become a supergroup: the room follows. */
export async function moveRoom(tx: Queryable, from: number, to: number): Promise<void> {
  await tx.query(
    `update rooms set chat_id = $2 where chat_id = $1
       and not exists (select 1 from rooms o where o.chat_id = $2 and coalesce(o.thread_id, 0) = coalesce(rooms.thread_id, 0))`,
    [from, to],
  );
}

export async function saveBotName(db: Queryable, username: string): Promise<void> {
  await db.query(
    'insert into telegram_bot (username) values ($1) on conflict (one) do update set username = excluded.username',
    [username],
  );
}

export async function findBotName(db: Queryable): Promise<string | undefined> {
  const [row] = await db.query<{ username: string }>('select username from telegram_bot');
  return row?.username;
}
