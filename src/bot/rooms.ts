/** Rooms as people talk about them with the bot: made, joined, shared to, moderated, left. */
import { type Composer, type Context, type Filter, InlineKeyboard } from 'grammy';
import type { RoomState } from '../client/room-client.ts';
import { decodePress, encodePress, type Press, ROOM_VERBS } from './callback-data.ts';
import { type Caller, findCaller } from './conversation.ts';
import type { Desk } from './desk.ts';
import {
  choices,
  listRooms,
  type Reply,
  sendInvitation,
  tellMembers,
  tellRefusal,
  tellRoom,
} from './room-talk.ts';
import { attempt } from './telegram-errors.ts';

const HTML = { parse_mode: 'HTML' } as const;
const MAX_TITLE = 80;
const MAX_NAME = 64;

/** Add it before the conversation: what it does not take goes on there. */
export function addRooms(desk: Desk, bot: Composer<Context>): void {
  bot.command('start', async (ctx, next) => {
    const [, code] = /^r_([\w-]{22})$/.exec(String(ctx.match)) ?? [];
    if (code === undefined) return next();
    const caller = await findCaller(desk, ctx);
    if (caller !== undefined) await kindly(ctx, caller, () => askToJoin(ctx, caller, code));
  });
  command('join', (ctx, caller, words) => {
    // The link, or the code in it.
    const [, code] = /(?:^|r_|rooms\/)([\w-]{22})\s*$/.exec(words) ?? [];
    return code === undefined ? ctx.reply(caller.say('room-join-usage')) : askToJoin(ctx, caller, code);
  });
  command('room', async (ctx, caller, words) => {
    if (ctx.chat?.type !== 'private') return openGroupRoom(desk, ctx, caller, words);
    if (words === '') return ctx.reply(...listRooms(caller.say, await caller.rooms.listRooms()));
    return create(ctx, caller, words);
  });
  command('share', async (ctx, caller) => {
    const message = repliedTo(ctx);
    if (message === undefined) return ctx.reply(caller.say('room-share-usage'));
    const rooms = await caller.rooms.listRooms();
    const [only] = rooms;
    if (only === undefined) return ctx.reply(caller.say('room-none'));
    if (rooms.length === 1) return ctx.reply(await share(caller, only, { message }));
    return ctx.reply(caller.say('room-share-where'), {
      reply_parameters: { message_id: message.messageId, allow_sending_without_reply: true },
      reply_markup: choices(rooms, ({ id }) => encodePress({ verb: 'shareto', subject: `m ${id}` })),
    });
  });
  command('remove', async (ctx, { rooms, say }) => {
    const message = repliedTo(ctx);
    if (message === undefined) return ctx.reply(say('room-remove-usage'));
    return ctx.reply(say('room-removed-count', { count: await rooms.removeByMessage(message) }));
  });
  command('report', async (ctx, { rooms, say }) => {
    const message = repliedTo(ctx);
    if (message === undefined) return ctx.reply(say('room-report-usage'));
    await rooms.reportByMessage(message);
    return ctx.reply(say('room-reported'));
  });

  function command(
    name: string,
    answer: (ctx: Context, caller: Caller, words: string) => Promise<unknown>,
  ): void {
    bot.command(name, async (ctx) => {
      const caller = await findCaller(desk, ctx);
      if (caller === undefined) return;
      await kindly(ctx, caller, () => answer(ctx, caller, String(ctx.match).trim()));
    });
  }

  bot.on('callback_query:data', async (ctx, next) => {
    const press = decodePress(ctx.callbackQuery.data);
    if (press === undefined || !ROOM_VERBS.some((verb) => verb === press.verb)) return next();
    const caller = await findCaller(desk, ctx);
    if (caller === undefined) return;
    const text = await answerPress(desk, ctx, caller, press);
    await attempt(ctx.answerCallbackQuery(text === undefined ? {} : { text: text.slice(0, 200) }));
  });
}

/** What the API refuses is told in one sentence; what it cannot do now is tried again by the caller. */
async function kindly(ctx: Context, { say }: Caller, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    await ctx.reply(tellRefusal(say, error));
  }
}

function repliedTo(ctx: Context): { chatId: number; messageId: number } | undefined {
  const replied = ctx.message?.reply_to_message;
  // In a topic every message replies to the one that opened it.
  if (replied === undefined || replied.forum_topic_created !== undefined) return undefined;
  return { chatId: replied.chat.id, messageId: replied.message_id };
}

function nameOf(ctx: Context): string {
  const { first_name: first = '', last_name: last = '' } = ctx.from ?? {};
  return `${first} ${last}`.trim().slice(0, MAX_NAME) || '—';
}

/** Who will see what is said before anybody is in. */
async function askToJoin(ctx: Context, { rooms, say }: Caller, code: string): Promise<unknown> {
  const { title, members, isGroup, isMember } = await rooms.getDoor(code);
  if (isMember) return ctx.reply(say.plain('room-already', { title }));
  return ctx.reply(say(isGroup ? 'room-join-group' : 'room-join', { title, count: members }), {
    ...HTML,
    reply_markup: new InlineKeyboard().text(
      say('room-join-yes'),
      encodePress({ verb: 'join', subject: code }),
    ),
  });
}

async function create(ctx: Context, caller: Caller, words: string): Promise<unknown> {
  const { rooms, say, language } = caller;
  const room = await rooms.createRoom({ title: words.slice(0, MAX_TITLE), name: nameOf(ctx), language });
  return ctx.reply(...tellRoom(say, room));
}

/** A group, or a topic of one, becomes a room; only its administrators can do that. */
async function openGroupRoom(desk: Desk, ctx: Context, caller: Caller, words: string): Promise<unknown> {
  const { rooms, say, language, telegramId } = caller;
  const { chat, message } = ctx;
  if (chat === undefined) return undefined;
  const { status } = await desk.api.getChatMember(chat.id, telegramId);
  if (status !== 'creator' && status !== 'administrator') return ctx.reply(say('room-group-admins'));
  const title = (words || chat.title || '—').slice(0, MAX_TITLE);
  const threadId = (message?.is_topic_message && message.message_thread_id) || null;
  const room = await rooms.createRoom({
    ...{ title, name: nameOf(ctx), language, chat: { chatId: chat.id, threadId } },
  });
  await ctx.reply(say('room-group-opened', { title }), HTML);
  return sendInvitation(desk, ctx, say, room);
}

/** Says how it went. */
async function share(
  { rooms, say }: Caller,
  { id, title }: Pick<RoomState, 'id' | 'title'>,
  what: Parameters<Caller['rooms']['shareToRoom']>[1],
): Promise<string> {
  const { pictures, people } = await rooms.shareToRoom(id, what);
  return pictures === 0
    ? say.plain('room-shared-before', { title })
    : say.plain('room-shared', { title, count: people });
}

/** Does what a button says. Answers with what is shown for a moment. */
async function answerPress(
  desk: Desk,
  ctx: Filter<Context, 'callback_query:data'>,
  caller: Caller,
  { verb, subject }: Press,
): Promise<string | undefined> {
  const { rooms, say, language } = caller;
  const [first = '', second = ''] = subject.split(' ');
  const edit = (...reply: Reply) => attempt(ctx.editMessageText(...reply));
  const pressed = { chatId: ctx.chat?.id ?? 0, messageId: ctx.callbackQuery.message?.message_id ?? 0 };
  try {
    switch (verb) {
      case 'room':
        await edit(...tellRoom(say, await rooms.getRoom(subject)));
        return undefined;
      case 'join': {
        const room = await rooms.joinRoom({ code: subject, name: nameOf(ctx), language });
        await edit(...tellRoom(say, room));
        return say.plain('room-joined', { title: room.title });
      }
      case 'share': {
        const mine = await rooms.listRooms();
        const [only] = mine;
        if (only === undefined) return say('room-none');
        if (mine.length === 1) return await share(caller, only, { upscaleIds: [subject] });
        const reply_markup = choices(mine, ({ id }) =>
          encodePress({ verb: 'shareto', subject: `${subject} ${id}` }),
        );
        await ctx.reply(say('room-share-where'), { reply_markup });
        return undefined;
      }
      case 'shareto': {
        const room = await rooms.getRoom(second);
        // "m": what the message above replies to.
        const replied = ctx.callbackQuery.message?.reply_to_message;
        if (first === 'm' && replied === undefined) return say('stale');
        const message = { chatId: pressed.chatId, messageId: replied?.message_id ?? 0 };
        const told = await share(caller, room, first === 'm' ? { message } : { upscaleIds: [first] });
        await attempt(ctx.editMessageText(told));
        return undefined;
      }
      case 'invite':
        await sendInvitation(desk, ctx, say, await rooms.getRoom(subject));
        return undefined;
      case 'shares':
        await edit(
          ...tellRoom(
            say,
            await rooms.patchRoomWishes(second, { shares: first === 'always' ? first : 'ask' }),
          ),
        );
        return first === 'always' ? say('room-shares-warning') : say('saved');
      case 'receives': {
        const receives = first === 'digest' || first === 'nothing' ? first : 'each';
        await edit(...tellRoom(say, await rooms.patchRoomWishes(second, { receives })));
        return say('saved');
      }
      case 'members':
        await edit(...(await tellMembers(caller, subject)));
        return undefined;
      case 'kick':
        await rooms.removeMember(first, second);
        await edit(...(await tellMembers(caller, first)));
        return say('room-kicked');
      case 'promote':
      case 'demote':
        await rooms.putRole(first, second, verb === 'promote' ? 'moderator' : 'member');
        await edit(...(await tellMembers(caller, first)));
        return say('saved');
      case 'newcode':
        await sendInvitation(desk, ctx, say, await rooms.rotateRoomCode(subject));
        return say('room-code-changed');
      case 'leave':
        await rooms.leaveRoom(subject);
        await attempt(ctx.editMessageText(say('room-left')));
        return undefined;
      case 'close':
        await attempt(
          ctx.editMessageText(say('room-close-ask'), {
            reply_markup: new InlineKeyboard()
              .text(say('room-close-yes'), encodePress({ verb: 'closed', subject }))
              .text(say('erase-no'), encodePress({ verb: 'room', subject })),
          }),
        );
        return undefined;
      case 'closed':
      case 'adminclose':
        await rooms.closeRoom(subject);
        await attempt(
          verb === 'closed' ? ctx.editMessageText(say('room-closed')) : ctx.editMessageReplyMarkup(),
        );
        return say('room-closed');
      case 'take':
        // Of the picture itself, or of a report of it.
        if (subject === '') await rooms.removeByMessage(pressed);
        else await rooms.removePicture(subject);
        await attempt(ctx.editMessageReplyMarkup());
        return say('room-removed-count', { count: 1 });
      case 'report':
        await rooms.reportByMessage(pressed);
        return say('room-reported');
      default:
        return say('stale');
    }
  } catch (error) {
    return tellRefusal(say, error);
  }
}
