/** Which messages in groups are meant for the bot, and what it says to those that it cannot tell from the group itself. */
import type { Composer, Context } from 'grammy';
import type { Message } from 'grammy/types';
import type { Desk } from './desk.ts';
import { GROUP_COMMANDS } from './profile.ts';

/** Whether the words begin with `/name`, or with `/name@username`. */
export function asksFor(name: string, { text, caption }: Message, username: string): boolean {
  const [, command, addressee = username] = /^\/(\w+)(?:@(\w+))?/.exec(text ?? caption ?? '') ?? [];
  return command?.toLowerCase() === name && addressee.toLowerCase() === username.toLowerCase();
}

/** Whether the words hold `@username`, in whatever case. */
export function mentions({ text, caption }: Message, username: string): boolean {
  const words = (text ?? caption ?? '').toLowerCase().split(/[^\w@]+/);
  return words.includes(`@${username.toLowerCase()}`);
}

/** Add it first: whose a photo or a room is decides about everything, so who writes as the group cannot be served. */
export function addAnonymous({ botInfo, say }: Desk, bot: Composer<Context>): void {
  bot.on('message', async (ctx, next) => {
    const { message } = ctx;
    if (message.sender_chat === undefined || message.from?.is_bot !== true) return next();
    const isMeant =
      mentions(message, botInfo.username) ||
      GROUP_COMMANDS.some((name) => asksFor(name, message, botInfo.username));
    if (!isMeant) return;
    // Nobody knows their language.
    await ctx.reply(`${say.en('anonymous')}\n\n${say.ru('anonymous')}`, {
      reply_parameters: { message_id: message.message_id, allow_sending_without_reply: true },
    });
  });
}
