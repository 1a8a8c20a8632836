/** What rooms send: leased from the API behind all results, sent by Telegram's own names of the files, taken back. */
import { setTimeout as pause } from 'node:timers/promises';
import { InlineKeyboard, InputFile } from 'grammy';
import type { Message } from 'grammy/types';
import type { Chores, LeasedSend, SendAck, SendPicture } from '../client/room-client.ts';
import { AppError, toAppError } from '../errors.ts';
import { encodePress } from './callback-data.ts';
import { type Desk, heed, pauseFor, surely } from './desk.ts';
import { attempt, understandRefusal } from './telegram-errors.ts';
import type { Say } from './texts.ts';

/** As many as Telegram takes in a second: they are waiting for its answers, mostly. */
const AT_ONCE = 28;
/** Of a bot that is killed, another one has them so soon. While it works on them it renews the lease. */
const LEASE_SECONDS = 30;
const RENEW_EVERY_MS = 10_000;
const WAIT_SECONDS = 20;
/** After so long a wait it may not be wanted any more. */
const LONG_WAIT_MS = 1000;
const AFTER_TROUBLE_MS = 2000;
const CHORES_EVERY_MS = 2000;
/** Telegram takes no larger file, and no larger preview. */
const FILE_ROOM = { maxBytes: 49_000_000 };
const THUMBNAIL_ROOM = { maxBytes: 190_000, maxSide: 320 };

/** Sends until `stopping`; what is being sent then is finished. */
export async function runRoomSends(desk: Desk): Promise<void> {
  const { rooms, log, stopping } = desk;
  const inHand = new Set<Promise<void>>();
  while (!stopping.aborted) {
    try {
      const request = { max: AT_ONCE - inHand.size, leaseSeconds: LEASE_SECONDS, wait: WAIT_SECONDS };
      for (const send of await rooms.leaseSends(request, { signal: stopping })) {
        const work = sendOut(desk, send).finally(() => inHand.delete(work));
        inHand.add(work);
      }
      if (inHand.size >= AT_ONCE) await Promise.race(inHand);
    } catch (thrown) {
      if (stopping.aborted) break;
      log.warn({ err: toAppError(thrown) }, 'what rooms send could not be leased');
      await pause(AFTER_TROUBLE_MS, undefined, { signal: stopping }).catch(() => undefined);
    }
  }
  await Promise.all(inHand);
}

type Sent = NonNullable<SendAck['messages']>[number];

/** One message or album, to the end or to the next attempt. Never rejects. */
async function sendOut(desk: Desk, send: LeasedSend): Promise<void> {
  const { rooms, log } = desk;
  const { id, lease, chatId } = send;
  const messages: Sent[] = [];
  const renewing = setInterval(() => {
    void attempt(rooms.ackSend(id, { lease, outcome: 'hold', leaseSeconds: LEASE_SECONDS }));
  }, RENEW_EVERY_MS);
  const tell = (ack: Omit<SendAck, 'lease'>) =>
    surely(desk, () => rooms.ackSend(id, { lease, chatId, messages, ...ack }));
  try {
    try {
      const groups = sameKind(send.pictures);
      for (const [at, group] of groups.entries()) {
        messages.push(...(await sendGroup(desk, send, group)));
        if (at === groups.length - 1) continue;
        // Who is killed before the next album has told of this one.
        await tell({ outcome: 'hold', leaseSeconds: LEASE_SECONDS });
        messages.length = 0;
      }
      // Nothing is left of it: its pictures were removed or erased.
      await tell({ outcome: groups.length === 0 ? 'gone' : 'sent' });
    } catch (error) {
      if (error instanceof AppError) throw error;
      await tell(await answerRefusal(desk, send, error));
    }
  } catch (thrown) {
    // The lease will be over some time, and somebody sends it then.
    if (!(thrown instanceof AppError && thrown.code === 'LEASE_LOST')) {
      log.warn({ send: id, err: toAppError(thrown) }, 'what a room sends could not be settled');
    }
  } finally {
    clearInterval(renewing);
  }
}

async function answerRefusal(desk: Desk, send: LeasedSend, error: unknown): Promise<Omit<SendAck, 'lease'>> {
  const refusal = understandRefusal(error);
  if (refusal.kind === 'no file') return { outcome: 'retry', afterSeconds: 0, forgetFiles: true };
  const heeded = await heed(desk, send.chatId, refusal);
  if (heeded === 'gone') return { outcome: 'gone' };
  const pauseSeconds = await pauseFor(desk, error);
  if (pauseSeconds !== undefined) return { outcome: 'later', afterSeconds: pauseSeconds };
  return { outcome: 'retry', afterSeconds: 2 ** Math.min(send.attempts, 9) };
}

/** An album is of one kind; a digest may hold both. */
function sameKind(pictures: readonly SendPicture[]): SendPicture[][] {
  const groups: SendPicture[][] = [];
  for (const picture of pictures) {
    const last = groups.at(-1);
    if (last !== undefined && kindOf(last[0]) === kindOf(picture)) last.push(picture);
    else groups.push([picture]);
  }
  return groups;
}

function kindOf(picture: SendPicture | undefined): 'document' | 'photo' {
  return picture?.fileKind ?? 'document';
}

async function sendGroup(desk: Desk, send: LeasedSend, group: readonly SendPicture[]): Promise<Sent[]> {
  const files = await Promise.all(group.map((picture) => fileFor(desk, picture)));
  const place = send.threadId === null ? {} : { message_thread_id: send.threadId };
  const askedAt = performance.now();
  const landed = await desk.pacing.waitBehind(send.chatId, group.length, desk.stopping);
  try {
    if (performance.now() - askedAt > LONG_WAIT_MS) {
      // Who was removed or has left meanwhile is sent nothing: the API has ended the lease.
      const { id, lease } = send;
      await desk.rooms.ackSend(id, { lease, outcome: 'hold', leaseSeconds: LEASE_SECONDS });
    }
    const messages = await sendFiles(desk, send, { kind: kindOf(group[0]), files, place });
    return group.map(({ pictureId }, at) => ({ pictureId, ...nameOf(messages[at]) }));
  } finally {
    landed();
  }
}

interface File {
  readonly media: string | InputFile;
  readonly thumbnail?: InputFile;
}

/** Telegram's own name of it, else the result from the API. */
async function fileFor({ rooms }: Desk, { pictureId, fileId }: SendPicture): Promise<File> {
  if (fileId !== null) return { media: fileId };
  const [bytes, thumbnail] = await Promise.all([
    rooms.getRoomPicture(pictureId, FILE_ROOM),
    rooms.getRoomPicture(pictureId, THUMBNAIL_ROOM),
  ]);
  return {
    media: new InputFile(bytes, `board-${pictureId.slice(0, 8)}.jpg`),
    thumbnail: new InputFile(thumbnail, 'preview.jpg'),
  };
}

async function sendFiles(
  { api, say }: Desk,
  { chatId, language, title, role }: LeasedSend,
  { kind, files, place }: { kind: 'document' | 'photo'; files: readonly File[]; place: object },
): Promise<Message[]> {
  const caption = say[language].plain('room-picture', { title });
  const [only] = files;
  if (only !== undefined && files.length === 1) {
    const { media, thumbnail } = only;
    const options = { ...place, caption, disable_notification: true, ...buttonsFor(say[language], role) };
    if (kind === 'photo') return [await api.sendPhoto(chatId, media, options)];
    return [await api.sendDocument(chatId, media, { ...options, ...(thumbnail && { thumbnail }) })];
  }
  // The words stand below the last one: there they are below the album.
  const album = files.map(({ media, thumbnail }, at) => ({
    ...{ type: kind, media },
    ...(thumbnail && { thumbnail }),
    ...(at === files.length - 1 ? { caption } : {}),
  }));
  return api.sendMediaGroup(chatId, album as Parameters<typeof api.sendMediaGroup>[1], {
    ...place,
    disable_notification: true,
  });
}

/** What a member may do about a picture they were sent. */
function buttonsFor(say: Say, role: LeasedSend['role']): { reply_markup?: InlineKeyboard } {
  if (role === null) return {};
  const [label, verb] =
    role === 'member' ? ['room-report', 'report' as const] : ['room-remove', 'take' as const];
  return { reply_markup: new InlineKeyboard().text(say(label), encodePress({ verb, subject: '' })) };
}

/** The message, and what Telegram calls its file from now on. */
function nameOf(message: Message | undefined): Omit<Sent, 'pictureId'> {
  const photo = message?.photo?.at(-1)?.file_id;
  const document = message?.document?.file_id;
  return {
    messageId: message?.message_id ?? 0,
    fileId: document ?? photo ?? null,
    fileKind: document !== undefined ? 'document' : photo !== undefined ? 'photo' : null,
  };
}

/** Takes back removed pictures and tells administrators of reports, until `stopping`. */
export async function runRoomChores(desk: Desk, adminIds: readonly number[]): Promise<void> {
  const { rooms, log, stopping } = desk;
  while (!stopping.aborted) {
    try {
      const chores = await rooms.leaseChores({ max: 50, leaseSeconds: LEASE_SECONDS }, { signal: stopping });
      await Promise.all(chores.deletions.map((deletion) => takeBack(desk, deletion)));
      for (const report of chores.reports) await tellOf(desk, report, adminIds);
      if (chores.deletions.length > 0) continue;
    } catch (thrown) {
      if (stopping.aborted) return;
      log.warn({ err: toAppError(thrown) }, 'what was removed from rooms could not be taken back');
    }
    await pause(CHORES_EVERY_MS, undefined, { signal: stopping }).catch(() => undefined);
  }
}

async function takeBack({ api, rooms }: Desk, { chatId, messageId, ...which }: Chores['deletions'][number]) {
  try {
    await api.deleteMessage(chatId, messageId);
    await rooms.settleChore({ deletion: which });
  } catch (error) {
    if (error instanceof AppError) throw error;
    const refusal = understandRefusal(error);
    // Whatever else it is: nobody can take it back.
    const again = refusal.kind === 'later' ? { afterSeconds: refusal.afterSeconds } : {};
    await rooms.settleChore({ deletion: { ...which, ...again } });
  }
}

/** Each administrator sees the picture with what can be done about it. */
async function tellOf(
  desk: Desk,
  report: Chores['reports'][number],
  adminIds: readonly number[],
): Promise<void> {
  const { api, rooms, pacing, log } = desk;
  const { reportId, roomId, title, telegramId, picture } = report;
  const say = desk.say.ru;
  for (const admin of adminIds) {
    try {
      const { media } = await fileFor(desk, picture);
      const landed = await pacing.waitBehind(admin, 1, desk.stopping);
      const reply_markup = new InlineKeyboard()
        .text(say('room-remove'), encodePress({ verb: 'take', subject: picture.pictureId }))
        .text(say('room-close'), encodePress({ verb: 'adminclose', subject: roomId }));
      const options = {
        caption: say.plain('admin-report', { title, user: String(telegramId ?? '–') }),
        reply_markup,
      };
      const sending =
        picture.fileKind === 'photo'
          ? api.sendPhoto(admin, media, options)
          : api.sendDocument(admin, media, options);
      await attempt(sending.finally(landed));
    } catch (thrown) {
      log.warn(
        { report: reportId, err: toAppError(thrown) },
        'an administrator could not be told of a report',
      );
    }
  }
  await rooms.settleChore({ reportId });
}
