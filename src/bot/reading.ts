/** The reading trial with volunteers: a crop of a board, and what they read in it. */
import { type Composer, type Context, InlineKeyboard, InputFile } from 'grammy';
import { AppError } from '../errors.ts';
import { decodePress, encodePress } from './callback-data.ts';
import { type Caller, findCaller } from './conversation.ts';
import type { Desk } from './desk.ts';
import { attempt, understandRefusal } from './telegram-errors.ts';

/** Of an answer, in characters. */
const MAX_ANSWER = 300;

/** Add it before the conversation: what it does not take goes on there. */
export function addReading(desk: Desk, bot: Composer<Context>): void {
  bot.command('read', async (ctx) => {
    if (ctx.chat.type !== 'private') return;
    const caller = await findCaller(desk, ctx);
    if (caller === undefined) return;
    await ctx.reply(caller.say('read-how'), { parse_mode: 'HTML' });
    await ask(ctx, caller);
  });

  bot.on('callback_query:data', async (ctx, next) => {
    const press = decodePress(ctx.callbackQuery.data);
    if (press === undefined || (press.verb !== 'unread' && press.verb !== 'enough')) return next();
    const caller = await findCaller(desk, ctx);
    if (caller === undefined) return;
    await attempt(ctx.editMessageReplyMarkup());
    if (press.verb === 'unread') {
      await note(caller, press.subject, null);
      await ask(ctx, caller);
    } else await ctx.reply(caller.say('read-enough'));
    await attempt(ctx.answerCallbackQuery());
  });

  bot.on('message:text', async (ctx, next) => {
    if (ctx.chat.type !== 'private' || ctx.message.text.startsWith('/')) return next();
    const caller = await findCaller(desk, ctx);
    if (caller === undefined) return;
    // The crop they reply to, else the one they were shown last.
    const itemId = askedAbout(ctx) ?? (await caller.user.openQuestion());
    if (itemId === undefined) return next();
    await note(caller, itemId, ctx.message.text.slice(0, MAX_ANSWER));
    await ask(ctx, caller);
  });
}

function askedAbout(ctx: Context): string | undefined {
  const button = ctx.message?.reply_to_message?.reply_markup?.inline_keyboard[0]?.[0];
  if (button === undefined || !('callback_data' in button)) return undefined;
  const press = decodePress(button.callback_data);
  return press?.verb === 'unread' ? press.subject : undefined;
}

/** Shows the next crop, or says that there is none. The same update once more shows the same crop. */
async function ask(ctx: Context, { user, say }: Caller): Promise<void> {
  const question = await user.nextQuestion();
  if (question === undefined) {
    await ctx.reply(say('read-none'));
    return;
  }
  const { itemId, kind, answered, left } = question;
  const crop = new InputFile(await user.getCrop(itemId), 'crop.png');
  const options = {
    caption: say(`read-${kind}`, { answered, left }),
    reply_markup: new InlineKeyboard()
      .text(say('read-cannot'), encodePress({ verb: 'unread', subject: itemId }))
      .text(say('read-stop'), encodePress({ verb: 'enough', subject: '' })),
  };
  try {
    await ctx.replyWithPhoto(crop, options);
  } catch (error) {
    // A long formula is too long and thin to be a photo of Telegram's.
    if (understandRefusal(error).kind !== 'no photo') throw error;
    await ctx.replyWithDocument(crop, options);
  }
}

/** An answer to what is not asked any more is nobody's. */
async function note({ user }: Caller, itemId: string, answer: string | null): Promise<void> {
  try {
    await user.answerQuestion(itemId, answer);
  } catch (error) {
    if (!(error instanceof AppError && error.status < 500)) throw error;
  }
}
