/** What administrators say to the bot; the API decides who is one. To everybody else these commands are not there. */
import { setTimeout as pause } from 'node:timers/promises';
import { type Composer, type Context, InlineKeyboard, InputFile } from 'grammy';
import type { InputMediaDocument } from 'grammy/types';
import type { Broadcast, QueueState, Statistics } from '../client/telegram-client.ts';
import { AppError, toAppError } from '../errors.ts';
import { decodePress, encodePress } from './callback-data.ts';
import { type Caller, findCaller } from './conversation.ts';
import type { Desk } from './desk.ts';
import { attempt } from './telegram-errors.ts';
import type { Say } from './texts.ts';

const HTML = { parse_mode: 'HTML' } as const;
const DAYS = 7;
/** Buttons for photos that were given up; more are in `GET /v1/admin/queue`. */
const MAX_RETRY_BUTTONS = 5;
/** Of a broadcast. */
const PROGRESS_EVERY_MS = 4000;

/** Add it before the conversation: what it does not take goes on there. */
export function addAdministration(desk: Desk, bot: Composer<Context>): void {
  function command(
    name: string,
    answer: (ctx: Context, caller: Caller, words: string) => Promise<unknown>,
  ): void {
    bot.command(name, async (ctx, next) => {
      const caller = await findCaller(desk, ctx);
      if (!caller?.me.isAdmin) return next();
      await answer(ctx, caller, String(ctx.match).trim());
    });
  }

  command('stats', async (ctx, { user, say }) =>
    ctx.reply(tellStatistics(say, await user.getStatistics(DAYS)), HTML),
  );
  command('queue', async (ctx, { user, say }) => ctx.reply(...tellQueue(say, await user.getQueue())));
  command('ban', async (ctx, { user, say }, words) => {
    const [, id, reason] = /^(\d{1,15})(?:\s+(.{1,300}))?$/s.exec(words) ?? [];
    if (id === undefined) return ctx.reply(say('admin-ban-usage'));
    await user.ban({ telegramId: Number(id), ...(reason === undefined ? {} : { reason }) });
    return ctx.reply(say('admin-done'));
  });
  command('unban', async (ctx, { user, say }, words) => {
    if (!/^\d{1,15}$/.test(words)) return ctx.reply(say('admin-unban-usage'));
    try {
      await user.unban(Number(words));
      return await ctx.reply(say('admin-done'));
    } catch (error) {
      if (!(error instanceof AppError && error.code === 'NOT_FOUND')) throw error;
      return ctx.reply(say('admin-not-found'));
    }
  });
  command('broadcast', async (ctx, { user, say }, words) => {
    const [en = '', ru = ''] = words.split('||').map((text) => text.trim());
    if (en === '' || ru === '') return ctx.reply(say('admin-broadcast-usage'));
    const draft = await user.createBroadcast({ en, ru });
    // The preview is what will be sent, as it will be sent.
    await ctx.reply(en);
    await ctx.reply(ru);
    return ctx.reply(...tellBroadcast(say, draft));
  });

  command('survey', async (ctx, { user, say }, words) => {
    const [question, ...choices] = words.split('\n').map((line) => {
      const [en = '', ru = en] = line.split('||').map((text) => text.trim());
      return { en, ru };
    });
    const isWhole = [question, ...choices].every((text) => text?.en && text.ru);
    if (question === undefined || choices.length < 2 || choices.length > 10 || !isWhole) {
      return ctx.reply(say('admin-survey-usage'));
    }
    const draft = await user.createBroadcast({ ...question, options: choices });
    return ctx.reply(...tellBroadcast(say, draft));
  });
  bot.command('report', async (ctx, next) => {
    const [, since] = /^(\d{4}-\d\d-\d\d)?$/.exec(String(ctx.match).trim()) ?? [null, null];
    // In reply to a picture it is what everybody may do.
    if (since === null || ctx.message?.reply_to_message !== undefined) return next();
    const caller = await findCaller(desk, ctx);
    if (!caller?.me.isAdmin) return next();
    const { user, say } = caller;
    const caption = say('admin-pilot-report', { since: since ?? 'none' });
    const files: InputMediaDocument[] = [];
    try {
      for (const format of ['html', 'md', 'json'] as const) {
        const media = new InputFile(await user.getReport(format, since), `pilot-report.${format}`);
        // The words stand below the last one: there they are below the album.
        files.push({ type: 'document', media, ...(format === 'json' ? { caption } : {}) });
      }
    } catch (error) {
      // Written like a date, and no day of any year.
      if (!(error instanceof AppError && error.code === 'INVALID_REQUEST')) throw error;
      return ctx.reply(say('admin-report-usage'));
    }
    await ctx.replyWithMediaGroup(files);
  });

  bot.on('callback_query:data', async (ctx, next) => {
    const press = decodePress(ctx.callbackQuery.data);
    if (press === undefined || !['retry', 'send', 'stop', 'csv'].includes(press.verb)) return next();
    const caller = await findCaller(desk, ctx);
    if (!caller?.me.isAdmin) return next();
    const { user, say } = caller;
    const { verb, subject } = press;
    try {
      if (verb === 'retry') {
        await user.retryDead(subject);
        await attempt(ctx.editMessageText(...tellQueue(say, await user.getQueue())));
        await attempt(ctx.answerCallbackQuery({ text: say('admin-retried') }));
      } else if (verb === 'csv') {
        const csv = new InputFile(await user.getAnswers(subject), 'survey.csv');
        await ctx.replyWithDocument(csv);
        await attempt(ctx.answerCallbackQuery());
      } else {
        const now = verb === 'send' ? await user.startBroadcast(subject) : await user.stopBroadcast(subject);
        await attempt(ctx.editMessageText(...tellBroadcast(say, now)));
        await attempt(ctx.answerCallbackQuery());
        if (now.state !== 'running') return;
        void followBroadcast({
          read: () => user.getBroadcast(subject),
          tell: (broadcast) => attempt(ctx.editMessageText(...tellBroadcast(say, broadcast))),
          stopping: desk.stopping,
        });
      }
    } catch (error) {
      if (!(error instanceof AppError && error.status < 500)) throw error;
      await attempt(ctx.answerCallbackQuery({ text: say('stale') }));
    }
  });
}

/**
 * Tells how far a broadcast is whenever that changed, until it is over, somebody else stopped it, or it cannot be asked
 * for any more. Never rejects.
 */
export async function followBroadcast({
  read,
  tell,
  stopping,
  everyMs = PROGRESS_EVERY_MS,
}: {
  read: () => Promise<Broadcast>;
  tell: (now: Broadcast) => Promise<unknown>;
  stopping: AbortSignal;
  everyMs?: number;
}): Promise<void> {
  let told = '';
  for (;;) {
    await pause(everyMs, undefined, { signal: stopping }).catch(() => undefined);
    if (stopping.aborted) return;
    const now = await read().catch((error: unknown) => toAppError(error));
    if (now instanceof AppError) {
      // It was erased, or whoever asked is no administrator any more; of anything else the API recovers.
      if (now.status < 500 && now.status !== 429) return;
      continue;
    }
    // Who stopped it was told.
    if (now.state !== 'running' && now.state !== 'done') return;
    const news = `${now.state} ${now.waiting} ${now.sent} ${now.gone} ${now.answered}`;
    if (news !== told) await tell(now);
    told = news;
    if (now.state === 'done') return;
  }
}

function tellStatistics(say: Say, statistics: Statistics): string {
  const { users, photos, waitSeconds, totalSeconds, ratings, failures, models } = statistics;
  const seconds = (value: number | null): string => (value === null ? '–' : value.toFixed(1));
  const list = (counts: readonly string[]): string => counts.join(', ') || '–';
  return say('admin-stats', {
    ...{ days: DAYS, users: users.all, new: users.new, active: users.active },
    ...photos,
    ...{ wait50: seconds(waitSeconds.p50), wait95: seconds(waitSeconds.p95) },
    ...{ total50: seconds(totalSeconds.p50), total95: seconds(totalSeconds.p95) },
    ...ratings,
    failures: list(failures.map(({ code, photos: count }) => `${code} ${count}`)),
    models: list(models.map(({ model, photos: count }) => `${model} ${count}`)),
  });
}

type Reply = [string, typeof HTML & { reply_markup?: InlineKeyboard }];

function tellQueue(
  say: Say,
  { queued, processing, oldestSeconds, dead, failedDeliveries }: QueueState,
): Reply {
  const text = say('admin-queue', {
    ...{ queued, processing, oldest: oldestSeconds.toFixed(0) },
    ...{ dead: dead.length, failed: failedDeliveries.length },
  });
  const reply_markup = new InlineKeyboard();
  for (const { upscaleId, code } of dead.slice(0, MAX_RETRY_BUTTONS)) {
    const what = `${code} ${upscaleId.slice(0, 8)}`;
    reply_markup
      .text(say.plain('admin-retry', { what }), encodePress({ verb: 'retry', subject: upscaleId }))
      .row();
  }
  return [text, { ...HTML, reply_markup }];
}

function tellBroadcast(say: Say, broadcast: Broadcast): Reply {
  const { id: subject, state, waiting, sent, gone, options, answered, text } = broadcast;
  const reply_markup = new InlineKeyboard();
  if (state === 'draft' || state === 'stopped') {
    reply_markup.text(say('admin-send'), encodePress({ verb: 'send', subject }));
  }
  if (state === 'running') reply_markup.text(say('admin-stop'), encodePress({ verb: 'stop', subject }));
  const told = say('admin-broadcast', { state, waiting, sent, gone });
  if (options === null) return [told, { ...HTML, reply_markup }];
  reply_markup.text(say('admin-csv'), encodePress({ verb: 'csv', subject }));
  const choices = options.map(({ en, ru }) => `• ${en} / ${ru}`).join('\n');
  return [
    `${told}\n${say('admin-survey', { question: `${text.en} / ${text.ru}`, choices, answered })}`,
    { ...HTML, reply_markup },
  ];
}
