/** Photos on their way in: which messages hold one, and how it is stored before the update is confirmed. */
import type { Message } from 'grammy/types';
import type { Language } from '../client/telegram-client.ts';
import { AppError } from '../errors.ts';
import type { Look } from '../job.ts';
import { type Desk, maxBytesOf } from './desk.ts';
import { download } from './download.ts';
import { attempt } from './telegram-errors.ts';

/** A photo in a message. */
export interface IncomingPhoto {
  readonly message: Message;
  /** The message that asks for it, where that is another one: a photo may be asked for again. */
  readonly askedBy?: Message;
  readonly fileId: string;
  readonly bytes: number | undefined;
  readonly fileName: string | null;
}

const IMAGE_NAME = /\.(jpe?g|png|webp|avif|tiff?|gif|heic|heif)$/i;

/** The photo of a message: its largest size, or an image sent as a file. Undefined: there is none. */
export function findPhoto(message: Message): IncomingPhoto | undefined {
  const { photo, document } = message;
  const largest = photo?.toSorted((a, b) => a.width * a.height - b.width * b.height).at(-1);
  if (largest !== undefined) {
    return { message, fileId: largest.file_id, bytes: largest.file_size, fileName: null };
  }
  if (document === undefined) return undefined;
  const { mime_type: mime = '', file_name: name = '' } = document;
  // HEIC often comes as a file of no known type; what it really is its first bytes will tell.
  if (!mime.startsWith('image/') && !IMAGE_NAME.test(name)) return undefined;
  return { message, fileId: document.file_id, bytes: document.file_size, fileName: name || null };
}

/** The photo of a message that another one replies to. */
export function askedFor(asking: Message, replied: Message): IncomingPhoto | undefined {
  const photo = findPhoto(replied);
  return photo && { ...photo, askedBy: asking };
}

/** Shows that the photo was seen: at once, before anybody is asked and whatever becomes of it. Never rejects. */
export async function react({ api }: Desk, { message }: IncomingPhoto): Promise<void> {
  await attempt(
    api.setMessageReaction(message.chat.id, message.message_id, [{ type: 'emoji', emoji: '👀' }]),
  );
}

/** Whose photo it is, and what they wish. */
export interface Wishes {
  readonly telegramId: number;
  readonly language: Language;
  readonly scale: 2 | 4 | null;
  readonly look: Look;
  readonly sendAs: 'file' | 'photo';
  /** Nothing is even fetched then. */
  readonly isBanned: boolean;
}

/** Of a file, in characters. */
const MAX_FILE_NAME = 200;

/**
 * Stores the photo and its delivery; a photo that cannot be taken becomes the delivery of an error. When it returns,
 * nothing about the message can be lost any more. The same message again changes nothing.
 * @throws AppError where the API does not answer: then the update must come again
 */
export async function receivePhoto(desk: Desk, photo: IncomingPhoto, wishes: Wishes): Promise<void> {
  const { message, askedBy } = photo;
  const { telegramId, language, sendAs } = wishes;
  const { user } = desk.person(telegramId);
  // Telegram lets names be of any length; results are named by the beginning alone.
  const fileName = photo.fileName?.replace(/\p{Cc}/gu, '').slice(0, MAX_FILE_NAME) ?? null;
  const place = {
    chatId: message.chat.id,
    threadId: message.is_topic_message ? (message.message_thread_id ?? null) : null,
    isGroup: message.chat.type !== 'private',
    albumId: message.media_group_id ?? null,
    ...{ messageId: message.message_id, sendAs, language, fileName },
  };
  const stored = wishes.isBanned
    ? { errorCode: 'BANNED' }
    : await desk.storing(() => store(desk, photo, wishes));
  // A refusal has no upscale to be told apart by: it answers the message that asked.
  const answered = 'errorCode' in stored && askedBy ? { messageId: askedBy.message_id } : {};
  await user.createDelivery({ ...place, ...stored, ...answered });
}

async function store(
  desk: Desk,
  { message, askedBy, fileId, bytes = 0 }: IncomingPhoto,
  { telegramId, scale, look }: Wishes,
): Promise<{ upscaleId: string } | { errorCode: string }> {
  const key = [message.chat.id, message.message_id, ...(askedBy ? [askedBy.message_id] : [])];
  const limit = maxBytesOf(desk);
  if (bytes > limit) return { errorCode: 'TOO_MANY_BYTES' };
  try {
    const photo = await download(desk, fileId);
    const { id } = await desk.person(telegramId).photos.createUpscale(photo, {
      ...(scale === null ? {} : { scale }),
      look,
      idempotencyKey: `telegram:${key.join(':')}`,
      requestId: `telegram-${key.join('-')}`,
    });
    return { upscaleId: id };
  } catch (error) {
    if (isTheirs(error)) return { errorCode: error.code };
    throw error;
  }
}

/** Whether it is about the photo or its sender, so that trying again would end the same. */
function isTheirs(error: unknown): error is AppError {
  if (!(error instanceof AppError)) return false;
  const { code, status } = error;
  if (code === 'DOWNLOAD_FAILED' || code === 'QUOTA_EXCEEDED') return true;
  return status < 500 && code !== 'RATE_LIMITED' && code !== 'UNAUTHORIZED' && code !== 'INVALID_REQUEST';
}
