/** One result, or one refusal, as Telegram is sent it. */
import { InlineKeyboard, InputFile } from 'grammy';
import type { Message } from 'grammy/types';
import type { LeasedDelivery, LeasedItem } from '../client/telegram-client.ts';
import { encodePress } from './callback-data.ts';
import { type Desk, megabytesOf } from './desk.ts';
import { type Say, tellError } from './texts.ts';

/** Telegram's own: 50 MB for files, 10 MB and 10000 pixels of both sides together for photos; a little is left free. */
const FILE_ROOM = { maxBytes: 49_000_000 };
const PHOTO_ROOM = { maxBytes: 9_900_000, maxSideSum: 9990 };
const MAX_PHOTO_RATIO = 19;
const THUMBNAIL_ROOM = { maxBytes: 190_000, maxSide: 320 };

export type Kind = 'document' | 'photo';

/** A result, ready to be sent. */
export interface Parcel {
  readonly item: LeasedItem;
  readonly kind: Kind;
  readonly file: InputFile;
  readonly thumbnail: InputFile | undefined;
  readonly caption: string;
}

/** Whether there is a picture to send. */
export function hasResult({ upscale, errorCode }: LeasedItem): boolean {
  return errorCode === null && upscale?.status === 'done';
}

/** Fetches the result from the API, in the kind that is wished where it can be sent so. */
export async function pack(
  desk: Desk,
  delivery: LeasedDelivery,
  item: LeasedItem,
  wished: Kind,
): Promise<Parcel> {
  const { photos } = desk.person(delivery.telegramId);
  const { id = '', output } = item.upscale ?? {};
  const { width = 1, height = 1 } = output ?? {};
  const isSlim = Math.max(width, height) > MAX_PHOTO_RATIO * Math.min(width, height);
  const kind: Kind = isSlim ? 'document' : wished;
  const fetch = async (room: object): Promise<{ bytes: Uint8Array; type: string }> => {
    const { body, type } = await photos.getResult(id, room);
    return { bytes: new Uint8Array(await new Response(body).arrayBuffer()), type };
  };
  const { bytes, type } = await fetch(kind === 'photo' ? PHOTO_ROOM : FILE_ROOM);
  const thumbnail = kind === 'photo' ? undefined : (await fetch(THUMBNAIL_ROOM)).bytes;
  const extension = type === 'image/jpeg' ? 'jpg' : type.replace('image/', '');
  return {
    item,
    kind,
    file: new InputFile(bytes, nameFor(item, extension)),
    thumbnail: thumbnail && new InputFile(thumbnail, 'preview.jpg'),
    caption: captionOf(desk.say[delivery.language], item, { kind, isWhole: bytes.length === output?.bytes }),
  };
}

/** Longest stem of a sent file's name, in characters. */
const MAX_NAME = 60;

/**
 * The photo's own name with its scale. Telegram reads a name up to the first `;` and knows no escapes: such signs go.
 */
export function nameFor({ fileName, upscale, messageId }: LeasedItem, extension: string): string {
  const stem = (fileName ?? `board-${messageId}`)
    .replace(/\.\w+$/, '')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must go.
    .replace(/[;"\\/\u0000-\u001f\u007f]/g, '_')
    .slice(0, MAX_NAME);
  return `${stem || 'board'}_x${upscale?.scale ?? 2}.${extension}`;
}

/** @param sent `isWhole`: it is the result itself, not made smaller for Telegram */
export function captionOf(
  say: Say,
  { upscale }: Pick<LeasedItem, 'upscale'>,
  { kind, isWhole }: { kind: Kind; isWhole: boolean },
): string {
  const { input, output, quality } = upscale ?? {};
  const size = (picture: { width: number | null; height: number | null } | null | undefined): string =>
    `${picture?.width ?? '?'}×${picture?.height ?? '?'}`;
  const lines = [say('result', { from: size(input), to: size(output) })];
  if (!isWhole) lines.push(say(`refitted-${kind}`));
  if (quality?.tooSmall) lines.push(say('too-small'));
  else if (quality?.verdict === 'fallback') lines.push(say('fallback'));
  return lines.join('\n');
}

/** Below a result: the other scale, the other look, the original, now and then two thumbs, and to a room. */
export function resultButtons(say: Say, { upscale }: LeasedItem, asksRating: boolean): InlineKeyboard {
  const { id: subject = '', scale, look } = upscale ?? {};
  const otherScale = scale === 4 ? 'x2' : 'x4';
  const otherLook = look === 'clean' ? 'natural' : 'clean';
  const keyboard = new InlineKeyboard()
    .text(scale === 4 ? '×2' : '×4', encodePress({ verb: otherScale, subject }))
    .text(say(`look-${otherLook}`), encodePress({ verb: otherLook, subject }))
    .text(say('original'), encodePress({ verb: 'original', subject }));
  if (asksRating) {
    keyboard
      .text('👍', encodePress({ verb: 'good', subject }))
      .text('👎', encodePress({ verb: 'bad', subject }));
  }
  return keyboard.row().text(say('room-share'), encodePress({ verb: 'share', subject }));
}

/** Where a message belongs. The original may be deleted meanwhile: it is sent all the same. */
export function placeOf(
  { threadId }: Pick<LeasedDelivery, 'threadId'>,
  replied: Pick<LeasedItem, 'messageId' | 'isLeftBehind'> | undefined,
) {
  const { messageId = 0, isLeftBehind = true } = replied ?? {};
  return {
    ...(threadId === null ? {} : { message_thread_id: threadId }),
    ...(isLeftBehind
      ? {}
      : { reply_parameters: { message_id: messageId, allow_sending_without_reply: true } }),
  };
}

/** Sends one parcel. */
export async function sendParcel(desk: Desk, delivery: LeasedDelivery, parcel: Parcel): Promise<Message> {
  const { chatId, language } = delivery;
  const { item, kind, file, thumbnail, caption } = parcel;
  const options = {
    ...placeOf(delivery, item),
    caption,
    reply_markup: resultButtons(desk.say[language], item, delivery.asksRating),
  };
  if (kind === 'photo') return desk.api.sendPhoto(chatId, file, options);
  return desk.api.sendDocument(chatId, file, {
    ...options,
    ...(thumbnail === undefined ? {} : { thumbnail }),
  });
}

/** Sends several parcels of one kind as an album; it can have no buttons. */
export function sendAlbum(
  desk: Desk,
  delivery: LeasedDelivery,
  parcels: readonly Parcel[],
): Promise<Message[]> {
  const media = parcels.map(({ kind, file, thumbnail, caption }) =>
    kind === 'photo'
      ? { type: kind, media: file, caption }
      : { type: kind, media: file, caption, ...(thumbnail === undefined ? {} : { thumbnail }) },
  );
  const place = placeOf(delivery, parcels[0]?.item);
  return desk.api.sendMediaGroup(
    delivery.chatId,
    media as Parameters<typeof desk.api.sendMediaGroup>[1],
    place,
  );
}

/** Sends one of the bot's texts in reply to a photo. */
export function sendWords(
  desk: Desk,
  delivery: LeasedDelivery,
  replied: LeasedItem | undefined,
  id: string,
): Promise<Message> {
  const text = desk.say[delivery.language](id);
  return desk.api.sendMessage(delivery.chatId, text, placeOf(delivery, replied));
}

/** Sends why there is no result. */
export function sendRefusal(desk: Desk, delivery: LeasedDelivery, item: LeasedItem): Promise<Message> {
  const say = desk.say[delivery.language];
  const { upscale, errorCode } = item;
  const code = errorCode ?? upscale?.error?.code ?? 'INTERNAL';
  const text = upscale?.status === 'cancelled' ? say('cancelled') : tellError(say, code, megabytesOf(desk));
  return desk.api.sendMessage(delivery.chatId, text, { ...placeOf(delivery, item), parse_mode: 'HTML' });
}
