/** What people think of results: one tap, then why, where they did not like it; and their answers to surveys. */
import { type Composer, type Context, type Filter, InlineKeyboard } from 'grammy';
import type { Reason } from '../client/telegram-client.ts';
import { AppError } from '../errors.ts';
import { decodePress, encodePress } from './callback-data.ts';
import { type Caller, findCaller } from './conversation.ts';
import type { Desk } from './desk.ts';
import { attempt } from './telegram-errors.ts';
import type { Say } from './texts.ts';

const REASONS: readonly Reason[] = ['unreadable', 'letters', 'slow', 'other'];
/** Of a comment, in characters. */
const MAX_COMMENT = 4000;

/** Add it before the conversation: what it does not take goes on there. */
export function addOpinions(desk: Desk, bot: Composer<Context>): void {
  bot.on('callback_query:data', async (ctx, next) => {
    const press = decodePress(ctx.callbackQuery.data);
    if (press === undefined || !['good', 'bad', 'why', 'whynot'].includes(press.verb)) return next();
    const caller = await findCaller(desk, ctx);
    if (caller === undefined) return;
    const text = await answer(ctx, caller, press);
    await attempt(ctx.answerCallbackQuery(text === undefined ? {} : { text: text.slice(0, 200) }));
  });

  bot.on('message:text', async (ctx, next) => {
    const upscaleId = askedAbout(ctx);
    if (upscaleId === undefined) return next();
    const caller = await findCaller(desk, ctx);
    if (caller === undefined) return;
    const comment = ctx.message.text.slice(0, MAX_COMMENT);
    const taken = await isTaken(() => caller.user.giveFeedback({ upscaleId, reason: 'other', comment }));
    await ctx.reply(caller.say(taken ? 'feedback-thanks' : 'not-yours'));
  });

  bot.on('poll_answer', async (ctx) => {
    const { poll_id: pollId, option_ids: options, user } = ctx.pollAnswer;
    if (user === undefined) return;
    await isTaken(() => desk.person(user.id).user.answerPoll(pollId, options[0] ?? null));
  });
}

/** The result somebody was asked about in the message they reply to: it has a button that names it. */
function askedAbout(ctx: Filter<Context, 'message:text'>): string | undefined {
  const button = ctx.message.reply_to_message?.reply_markup?.inline_keyboard[0]?.[0];
  if (button === undefined || !('callback_data' in button)) return undefined;
  const press = decodePress(button.callback_data);
  return press?.verb === 'whynot' ? press.subject : undefined;
}

async function answer(
  ctx: Filter<Context, 'callback_query:data'>,
  { user, say }: Caller,
  { verb, subject }: { verb: string; subject: string },
): Promise<string | undefined> {
  switch (verb) {
    case 'good':
      if (!(await isTaken(() => user.giveFeedback({ upscaleId: subject, rating: 1 }))))
        return say('not-yours');
      await attempt(ctx.editMessageReplyMarkup({ reply_markup: without(ctx) }));
      return say('thanks');
    case 'bad':
      // Noted at once: who does not say why has said this.
      if (!(await isTaken(() => user.giveFeedback({ upscaleId: subject, rating: -1 }))))
        return say('not-yours');
      await attempt(ctx.editMessageReplyMarkup({ reply_markup: withReasons(ctx, say, subject) }));
      return say('sorry-bad');
    case 'why': {
      const [word = '', upscaleId = ''] = subject.split(' ');
      const reason = REASONS.find((known) => known === word) ?? 'other';
      if (!(await isTaken(() => user.giveFeedback({ upscaleId, reason })))) return say('not-yours');
      await attempt(ctx.editMessageReplyMarkup({ reply_markup: without(ctx) }));
      if (reason !== 'other') return say('feedback-thanks');
      const messageId = ctx.callbackQuery.message?.message_id ?? 0;
      await ctx.reply(say('why-ask'), {
        reply_parameters: { message_id: messageId, allow_sending_without_reply: true },
        reply_markup: new InlineKeyboard().text(
          say('why-nothing'),
          encodePress({ verb: 'whynot', subject: upscaleId }),
        ),
      });
      return undefined;
    }
    default:
      await attempt(ctx.deleteMessage());
      return say('thanks');
  }
}

type Row = NonNullable<ReturnType<typeof rowsOf>>[number];

function rowsOf(ctx: Filter<Context, 'callback_query:data'>) {
  const { message } = ctx.callbackQuery;
  return message !== undefined && 'reply_markup' in message
    ? message.reply_markup?.inline_keyboard
    : undefined;
}

/** The buttons of the message without those of the opinion. */
function without(ctx: Filter<Context, 'callback_query:data'>): InlineKeyboard {
  const isOpinion = (button: Row[number]): boolean => {
    const verb = 'callback_data' in button ? decodePress(button.callback_data)?.verb : undefined;
    return verb === 'good' || verb === 'bad' || verb === 'why';
  };
  const rows = (rowsOf(ctx) ?? []).map((row) => row.filter((button) => !isOpinion(button)));
  return new InlineKeyboard(rows.filter((row) => row.length > 0));
}

function withReasons(
  ctx: Filter<Context, 'callback_query:data'>,
  say: Say,
  upscaleId: string,
): InlineKeyboard {
  const keyboard = without(ctx);
  for (const [at, reason] of REASONS.entries()) {
    if (at % 2 === 0) keyboard.row();
    keyboard.text(say(`why-${reason}`), encodePress({ verb: 'why', subject: `${reason} ${upscaleId}` }));
  }
  return keyboard;
}

/** False for an opinion of what is another's, or erased meanwhile. @throws whatever is not the API's refusal */
async function isTaken(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (!(error instanceof AppError && error.status < 500 && !error.retryable)) throw error;
    return false;
  }
}
