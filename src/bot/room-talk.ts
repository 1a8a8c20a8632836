/** What is said about a room: its menu, its members, its invitation, and what cannot be done. */
import { type Context, InlineKeyboard, InputFile } from 'grammy';
import QRCode from 'qrcode';
import type { RoomState } from '../client/room-client.ts';
import { AppError } from '../errors.ts';
import { encodePress, type Verb } from './callback-data.ts';
import type { Caller } from './conversation.ts';
import type { Desk } from './desk.ts';
import type { Say } from './texts.ts';

const HTML = { parse_mode: 'HTML' } as const;
/** Telegram takes a hundred buttons. */
const MAX_LISTED = 40;

/** @throws whatever is no refusal of the API */
export function tellRefusal(say: Say, error: unknown): string {
  if (!(error instanceof AppError) || error.status >= 500) throw error;
  switch (error.code) {
    case 'ROOM_NOT_FOUND':
    case 'ROOM_EXILED':
    case 'ROOM_FULL':
    case 'ROOM_LIMIT':
    case 'ROOM_EXISTS':
    case 'ROOM_OWNER':
      return say(`error-${error.code}`);
    case 'FORBIDDEN':
      return say('room-forbidden');
    case 'UPSCALE_NOT_FOUND':
      return say('room-nothing-to-share');
    case 'BANNED':
      return say('error-BANNED');
    case 'NOT_FOUND':
      return say('room-no-picture');
    default:
      return say('error-other');
  }
}

export function listRooms(
  say: Say,
  rooms: readonly RoomState[],
): [string, { reply_markup?: InlineKeyboard }] {
  if (rooms.length === 0) return [say('room-none'), {}];
  return [
    say('room-list'),
    { reply_markup: choices(rooms, ({ id }) => encodePress({ verb: 'room', subject: id })) },
  ];
}

export function choices(rooms: readonly RoomState[], dataOf: (room: RoomState) => string): InlineKeyboard {
  const keyboard = new InlineKeyboard();
  for (const room of rooms.slice(0, MAX_LISTED)) keyboard.text(room.title, dataOf(room)).row();
  return keyboard;
}

export type Reply = [string, typeof HTML & { reply_markup: InlineKeyboard }];

/** A room with everything its member may do. */
export function tellRoom(say: Say, room: RoomState): Reply {
  const { id, title, members, pictures, role, shares, receives, pageUrl } = room;
  const button = (label: string, verb: Verb, subject = id): [string, string] => [
    say(label),
    encodePress({ verb, subject }),
  ];
  const reply_markup = new InlineKeyboard()
    .text(...button('room-invite', 'invite'))
    .text(...button(`room-shares-${shares}`, 'shares', shares === 'ask' ? `always ${id}` : `ask ${id}`))
    .row()
    .text(...button(`room-receives-${receives}`, 'receives', `${NEXT[receives]} ${id}`));
  if (pageUrl !== null) reply_markup.url(say('room-page'), pageUrl);
  reply_markup.row();
  if (role !== 'member') {
    reply_markup
      .text(...button('room-members', 'members'))
      .text(...button('room-new-code', 'newcode'))
      .row();
  }
  if (role === 'owner') reply_markup.text(...button('room-close', 'close'));
  else reply_markup.text(...button('room-leave', 'leave'));
  return [say('room-about', { title, count: members, pictures }), { ...HTML, reply_markup }];
}

const NEXT = { each: 'digest', digest: 'nothing', nothing: 'each' } as const;

/** The link as a QR picture for the projector, and to be passed on. */
export async function sendInvitation(desk: Desk, ctx: Context, say: Say, room: RoomState): Promise<void> {
  const link = `https://t.me/${desk.botInfo.username}?start=r_${room.code}`;
  const picture = await QRCode.toBuffer(link, { errorCorrectionLevel: 'M', margin: 4, width: 640 });
  const share = `https://t.me/share/url?url=${encodeURIComponent(link)}&text=${encodeURIComponent(room.title)}`;
  const reply_markup = new InlineKeyboard().copyText(say('room-copy'), link).url(say('room-pass-on'), share);
  if (room.pageUrl !== null) reply_markup.row().url(say('room-page'), room.pageUrl);
  await ctx.replyWithPhoto(new InputFile(picture, 'room.png'), {
    caption: say('room-invitation', { title: room.title, link }),
    ...HTML,
    reply_markup,
  });
}

/** Who is in a room, with what the asker may do about each. */
export async function tellMembers({ rooms, say }: Caller, id: string): Promise<Reply> {
  const room = await rooms.getRoom(id);
  const members = await rooms.listMembers(id);
  const reply_markup = new InlineKeyboard();
  for (const { memberId, name, role } of members.slice(0, MAX_LISTED)) {
    if (role === 'owner' || (role === 'moderator' && room.role !== 'owner')) continue;
    const subject = `${id} ${memberId}`;
    reply_markup.text(say.plain('room-kick', { name }), encodePress({ verb: 'kick', subject }));
    if (room.role === 'owner') {
      const verb = role === 'moderator' ? 'demote' : 'promote';
      reply_markup.text(say(`room-${verb}`), encodePress({ verb, subject }));
    }
    reply_markup.row();
  }
  reply_markup.text(say('room-back'), encodePress({ verb: 'room', subject: id }));
  const names = members.map(({ name, role }) => say(`room-role-${role}`, { name })).join('\n');
  return [
    `${say('room-members-of', { title: room.title })}\n${names}`.slice(0, 4000),
    { ...HTML, reply_markup },
  ];
}
