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

/** Whose photo it is, and what they wish. */
export interface Wishes {
  readonly telegramId: number;
  readonly language: Language;
  readonly scale: 2 | 4 | null;
  readonly look: Look;
  readonly sendAs: 'file' | 'photo';
}

/**
 * Stores the photo and its delivery; a photo that cannot be taken becomes the delivery of an error. When it returns,
 * nothing about the message can be lost any more. The same message again changes nothing.
 * @throws AppError where the API does not answer: then the update must come again
 */
export async function receivePhoto(desk: Desk, photo: IncomingPhoto, wishes: Wishes): Promise<void> {
  const { message } = photo;
  const { telegramId, language, sendAs } = wishes;
  const { user } = desk.person(telegramId);
  // At once, and whatever becomes of it: the photo was seen.
  const seen = attempt(
    desk.api.setMessageReaction(message.chat.id, message.message_id, [{ type: 'emoji', emoji: '👀' }]),
  );
  const place = {
    chatId: message.chat.id,
    threadId: message.is_topic_message ? (message.message_thread_id ?? null) : null,
    isGroup: message.chat.type !== 'private',
    albumId: message.media_group_id ?? null,
    ...{ messageId: message.message_id, sendAs, language, fileName: photo.fileName },
  };
  const stored = await store(desk, photo, wishes);
  await user.createDelivery({ ...place, ...stored });
  await seen;
}

async function store(
  desk: Desk,
  { message, fileId, bytes = 0 }: IncomingPhoto,
  { telegramId, scale, look }: Wishes,
): Promise<{ upscaleId: string } | { errorCode: string }> {
  const limit = maxBytesOf(desk);
  if (bytes > limit) return { errorCode: 'TOO_MANY_BYTES' };
  try {
    const photo = await download(desk, fileId);
    const { id } = await desk.person(telegramId).photos.createUpscale(photo, {
      ...(scale === null ? {} : { scale }),
      look,
      idempotencyKey: `telegram:${message.chat.id}:${message.message_id}`,
      requestId: `telegram-${message.chat.id}-${message.message_id}`,
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
