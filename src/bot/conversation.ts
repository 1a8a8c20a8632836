/** What users and the bot say to each other beside photos: commands, settings, buttons. */
import { type Composer, type Context, type Filter, InlineKeyboard, InputFile } from 'grammy';
import type { Message } from 'grammy/types';
import type { Language, Me, UserSettings } from '../client/telegram-client.ts';
import { AppError } from '../errors.ts';
import type { Look } from '../job.ts';
import { decodePress, encodePress, type Press } from './callback-data.ts';
import { type Desk, megabytesOf, type Person } from './desk.ts';
import { asksFor, mentions } from './meant.ts';
import { askedFor, findPhoto, react, receivePhoto, type Wishes } from './receive.ts';
import { attempt } from './telegram-errors.ts';
import { languageFor, type Say, tellError } from './texts.ts';

/** Who wrote or pressed, as far as the API knows them. */
export interface Caller extends Person {
  readonly telegramId: number;
  readonly me: Me;
  readonly language: Language;
  readonly say: Say;
}

/** Asks the API about the sender of an update. */
export async function findCaller(desk: Desk, ctx: Context): Promise<Caller | undefined> {
  const { from } = ctx;
  // Anonymous administrators and channels are nobody to deliver to; other bots are none to talk to.
  if (from === undefined || from.is_bot) return undefined;
  const person = desk.person(from.id);
  const me = await person.user.getMe(languageFor(from.language_code, null));
  const language = languageFor(from.language_code, me.settings.language);
  return { ...person, telegramId: from.id, me, language, say: desk.say[language] };
}

const HTML = { parse_mode: 'HTML' } as const;

/** Commands of everybody, photos and buttons. */
export function addConversation(desk: Desk, bot: Composer<Context>): void {
  const { limits } = desk;
  const hours = Math.max(1, Math.round(limits.retentionSeconds / 3600));

  function command(
    name: string,
    answer: (ctx: Context & { match: string }, caller: Caller) => Promise<unknown>,
  ): void {
    bot.command(name, async (ctx) => {
      const caller = await findCaller(desk, ctx);
      if (caller === undefined) return;
      await answer(Object.assign(ctx, { match: String(ctx.match) }), caller);
    });
  }

  command('start', (ctx, { say }) => ctx.reply(say('start', { hours }), HTML));
  command('help', (ctx, { say }) => ctx.reply(say('help'), HTML));
  command('privacy', (ctx, { say }) => ctx.reply(say('privacy', { hours }), HTML));
  command('settings', (ctx, caller) => ctx.reply(...settingsMenu(caller.say, caller.me)));
  command('language', (ctx, { say }) =>
    ctx.reply(say('language-choose'), {
      reply_markup: new InlineKeyboard()
        .text('Русский', encodePress({ verb: 'language', subject: 'ru' }))
        .text('English', encodePress({ verb: 'language', subject: 'en' }))
        .text(say('language-auto'), encodePress({ verb: 'language', subject: 'auto' })),
    }),
  );
  command('cancel', async (ctx, { user, say }) =>
    ctx.reply(say('cancelled-count', { count: await user.cancelMine() })),
  );
  command('mydata', async (ctx, { user, say }) => {
    const data = JSON.stringify(await user.getMyData(), null, 2);
    const file = new InputFile(new TextEncoder().encode(data), 'boardsharp-data.json');
    await ctx.replyWithDocument(file, { caption: say('mydata') });
  });
  command('delete', (ctx, { say }) =>
    ctx.reply(say('erase-ask'), {
      reply_markup: new InlineKeyboard()
        .text(say('erase-yes'), encodePress({ verb: 'erase', subject: 'yes' }))
        .text(say('erase-no'), encodePress({ verb: 'erase', subject: 'no' })),
    }),
  );
  command('feedback', async (ctx, { user, say }) => {
    const comment = ctx.match.trim();
    if (comment === '') return ctx.reply(say('feedback-ask'));
    await user.giveFeedback({ comment });
    return ctx.reply(say('feedback-thanks'));
  });

  bot.on('message', async (ctx) => {
    const { message } = ctx;
    const isPrivate = message.chat.type === 'private';
    const isAsked = asksFor('enhance', message, desk.botInfo.username);
    if (!isPrivate && !isAsked && !mentions(message, desk.botInfo.username)) return;
    const replied = message.reply_to_message as Message | undefined;
    // In a private chat every photo is meant, and one above it where it is asked for.
    const photo =
      findPhoto(message) ?? (replied && (isAsked || !isPrivate) ? askedFor(message, replied) : undefined);
    if (photo !== undefined && ctx.from?.is_bot === false) void react(desk, photo);
    const caller = await findCaller(desk, ctx);
    if (caller === undefined) return;
    if (photo !== undefined) return receivePhoto(desk, photo, wishesOf(caller));
    // A file that is no image is told so; what Telegram itself says about the chat is nothing to answer.
    const { say } = caller;
    if (message.document !== undefined) {
      await ctx.reply(tellError(say, 'NOT_AN_IMAGE', megabytesOf(desk)), replyTo(ctx));
    } else if (isAsked || !isPrivate) await ctx.reply(say('group-hint'), replyTo(ctx));
    else if (isSaid(message)) await ctx.reply(say('unknown'));
  });

  bot.on('callback_query:data', async (ctx) => {
    const caller = await findCaller(desk, ctx);
    if (caller === undefined) return;
    const press = decodePress(ctx.callbackQuery.data);
    const answer = press === undefined ? caller.say('stale') : await answerPress(desk, ctx, caller, press);
    await attempt(ctx.answerCallbackQuery(answer === undefined ? {} : { text: answer.slice(0, 200) }));
  });

  // Blocked and unblocked: what is on its way to them ends, and begins again with their next message.
  bot.on('my_chat_member', async (ctx) => {
    const { status } = ctx.myChatMember.new_chat_member;
    if (status === 'kicked' || status === 'left')
      await desk.sender.markChatGone(ctx.chat.id, `the bot is ${status}`);
  });
}

/** What people send; all else tells of a pinned message, a new title or the like. */
const SAID = [
  ...[
    'text',
    'sticker',
    'voice',
    'video',
    'video_note',
    'audio',
    'animation',
    'location',
    'venue',
    'contact',
  ],
  ...['poll', 'dice', 'game', 'story', 'paid_media', 'checklist'],
];

function isSaid(message: Message): boolean {
  return SAID.some((kind) => kind in message);
}

function replyTo(ctx: Context) {
  const { message } = ctx;
  if (message === undefined) return {};
  return { reply_parameters: { message_id: message.message_id, allow_sending_without_reply: true } };
}

export function wishesOf({ telegramId, language, me }: Caller): Wishes {
  const { scale, look, sendAs } = me.settings;
  return { telegramId, language, scale, look, sendAs, isBanned: me.ban !== null };
}

/** What the buttons of the menu mean. */
const SETTINGS: Readonly<Record<string, Partial<UserSettings>>> = {
  'scale=auto': { scale: null },
  'scale=2': { scale: 2 },
  'scale=4': { scale: 4 },
  'look=natural': { look: 'natural' },
  'look=clean': { look: 'clean' },
  'sendAs=file': { sendAs: 'file' },
  'sendAs=photo': { sendAs: 'photo' },
  'language=ru': { language: 'ru' },
  'language=en': { language: 'en' },
  'language=auto': { language: null },
};

/** The menu of settings: what is set, and a button for everything else that could be. */
function settingsMenu(
  say: Say,
  { settings, consentAt }: Pick<Me, 'settings' | 'consentAt'>,
): [string, typeof HTML & { reply_markup: InlineKeyboard }] {
  const { scale, look, sendAs, language } = settings;
  const text = say('settings', {
    scale: say(`scale-${scale ?? 'auto'}`),
    look: say(`look-${look}`),
    sendAs: say(`send-${sendAs}`),
    language: language === null ? say('language-auto') : say('language-name'),
    consent: say(consentAt === null ? 'consent-no' : 'consent-yes'),
  });
  const button = (label: string, subject: string): [string, string] => [
    label,
    encodePress({ verb: 'set', subject }),
  ];
  const reply_markup = new InlineKeyboard()
    .text(...button(say('scale-auto'), 'scale=auto'))
    .text(...button('×2', 'scale=2'))
    .text(...button('×4', 'scale=4'))
    .row()
    .text(...button(say('look-natural'), 'look=natural'))
    .text(...button(say('look-clean'), 'look=clean'))
    .row()
    .text(...button(say('send-file'), 'sendAs=file'))
    .text(...button(say('send-photo'), 'sendAs=photo'))
    .row()
    .text(...button('Русский', 'language=ru'))
    .text(...button('English', 'language=en'))
    .text(...button(say('language-auto'), 'language=auto'))
    .row()
    .text(
      say(consentAt === null ? 'consent-give' : 'consent-take'),
      encodePress({ verb: 'consent', subject: consentAt === null ? 'yes' : 'no' }),
    );
  return [text, { ...HTML, reply_markup }];
}

/** Does what a button says. Answers with what is shown for a moment. */
async function answerPress(
  desk: Desk,
  ctx: Filter<Context, 'callback_query:data'>,
  caller: Caller,
  { verb, subject }: Press,
): Promise<string | undefined> {
  const { user, photos, say, telegramId, language, me } = caller;
  try {
    switch (verb) {
      case 'x2':
      case 'x4':
        await again(verb === 'x2' ? { scale: 2 } : { scale: 4 });
        return say('working-again');
      case 'natural':
      case 'clean':
        await again({ look: verb });
        return say('working-again');
      case 'original': {
        const { body, name } = await photos.getOriginal(subject);
        const bytes = new Uint8Array(await new Response(body).arrayBuffer());
        // The upload may take longer than the press waits.
        await attempt(ctx.answerCallbackQuery());
        await ctx.replyWithDocument(new InputFile(bytes, name), replyHere());
        return undefined;
      }
      case 'cancel':
        return say('cancelled-count', { count: await user.cancelDelivery(subject) });
      case 'consent': {
        const changed = await user.putConsent(subject === 'yes');
        await attempt(ctx.editMessageText(...settingsMenu(say, changed)));
        return say(subject === 'yes' ? 'consent-given' : 'consent-taken');
      }
      case 'set':
        return await set(subject);
      case 'language': {
        const speaks = await speakFrom(subject);
        await attempt(ctx.editMessageText(speaks('saved')));
        return speaks('saved');
      }
      case 'erase': {
        if (subject === 'yes') await user.deleteMe();
        await attempt(ctx.editMessageText(say(subject === 'yes' ? 'erased' : 'kept')));
        return undefined;
      }
      default:
        return say('stale');
    }
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    if (error.status >= 500) throw error;
    // To whoever asks, another's photo is as if there were none.
    const isNotTheirs = error.code === 'UPSCALE_NOT_FOUND' || error.code === 'NOT_FOUND';
    if (isNotTheirs && ctx.chat?.type !== 'private') return say('not-yours');
    return error.code === 'NOT_FOUND' ? say('stale') : tellError(say, error.code, megabytesOf(desk));
  }

  function placeOf() {
    const message = ctx.callbackQuery.message;
    const replied = message && 'reply_to_message' in message ? message.reply_to_message : undefined;
    return {
      chatId: ctx.chat?.id ?? telegramId,
      messageId: replied?.message_id ?? message?.message_id ?? 0,
      // Outside of topics it names a thread of replies, to which nothing can be sent.
      threadId: message && 'is_topic_message' in message ? (message.message_thread_id ?? null) : null,
      isGroup: ctx.chat?.type !== 'private',
    };
  }

  function replyHere() {
    return { reply_parameters: { message_id: placeOf().messageId, allow_sending_without_reply: true } };
  }

  async function again(otherwise: { scale?: 2 | 4; look?: Look }): Promise<void> {
    const idempotencyKey = `press:${ctx.callbackQuery.id}`;
    const { id } = await user.againUpscale(subject, { ...otherwise, idempotencyKey });
    const { sendAs } = me.settings;
    await user.createDelivery({ ...placeOf(), sendAs, language, upscaleId: id });
  }

  /** Takes the language that was chosen; answers with its voice. */
  async function speakFrom(chosen: string): Promise<Say> {
    const language = chosen === 'ru' || chosen === 'en' ? chosen : null;
    await user.patchMe({ language });
    return desk.say[languageFor(ctx.from.language_code, language)];
  }

  async function set(choice: string): Promise<string> {
    const change = SETTINGS[choice];
    if (change === undefined) return say('stale');
    const changed = await user.patchMe(change);
    const speaks = desk.say[languageFor(ctx.from.language_code, changed.settings.language)];
    await attempt(ctx.editMessageText(...settingsMenu(speaks, changed)));
    return speaks('saved');
  }
}
