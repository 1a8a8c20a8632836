/** Telegram's limits on what a bot sends, in its own words; and its documented rates. */
import sharp from 'sharp';
import { badRequest, TelegramError } from './chats.ts';

const MAX_UPLOAD_BYTES = 50 * 2 ** 20;
const MAX_PHOTO_BYTES = 10 * 2 ** 20;
/** What `getFile` gives, at most. */
export const MAX_DOWNLOAD_BYTES = 20 * 2 ** 20;
/** How long the answer to a button may take. */
export const CALLBACK_LIFE_MS = 150_000;
export const UPDATE_LIFE_MS = 86_400_000;

/** How long a message can be deleted. */
export const DELETABLE_MS = 48 * 3_600_000;
/** How long the address that getFile names is good. */
export const FILE_LINK_MS = 3_600_000;

export function checkText(text: unknown, parseMode: unknown): string {
  const plain = plainOf(String(text ?? ''), parseMode);
  if (plain.trim() === '') throw badRequest('message text is empty');
  if (plain.length > 4096) throw badRequest('message is too long');
  return plain;
}

export function checkCaption(caption: unknown, parseMode: unknown): string | undefined {
  if (caption === undefined) return undefined;
  const plain = plainOf(String(caption), parseMode);
  if (plain.length > 1024) throw badRequest('message caption is too long');
  return plain;
}

function plainOf(text: string, parseMode: unknown): string {
  if (parseMode === undefined) return text;
  if (parseMode !== 'HTML') throw badRequest(`can't parse entities: the fake knows HTML, not ${parseMode}`);
  return stripTags(text);
}

/** HTML as Telegram understands it: few tags, all of them closed. */
function stripTags(text: string): string {
  const open: string[] = [];
  const plain = text.replace(/<(\/?)([a-z-]+)([^>]*)>/g, (whole, slash: string, tag: string) => {
    if (!/^(b|i|u|s|code|pre|a|blockquote|tg-spoiler)$/.test(tag)) {
      throw badRequest(
        `can't parse entities: Unsupported start tag "${tag}" at byte offset ${text.indexOf(whole)}`,
      );
    }
    if (slash === '') open.push(tag);
    else if (open.pop() !== tag) throw badRequest("can't parse entities: Unexpected end tag");
    return '';
  });
  if (open.length > 0)
    throw badRequest(`can't parse entities: Can't find end tag corresponding to start tag ${open[0]}`);
  return plain;
}

interface Button {
  readonly text: string;
  readonly callback_data?: string;
  readonly url?: string;
  readonly copy_text?: { readonly text: string };
}

export function checkMarkup(markup: unknown): void {
  const rows = (markup as { inline_keyboard?: Button[][] } | undefined)?.inline_keyboard ?? [];
  if (rows.flat().length > 100 || JSON.stringify(markup ?? '').length > 10_000) {
    throw badRequest('reply markup is too long');
  }
  for (const { text, callback_data: data, url, copy_text: copy } of rows.flat()) {
    if (text === '') throw badRequest("can't parse inline keyboard button: Text buttons are unallowed");
    if (data !== undefined && (data === '' || Buffer.byteLength(data) > 64))
      throw badRequest('BUTTON_DATA_INVALID');
    if (copy !== undefined && (copy.text.length < 1 || copy.text.length > 256))
      throw badRequest('BUTTON_COPY_TEXT_INVALID');
    if (data === undefined && url === undefined && copy === undefined)
      throw badRequest('Text buttons are unallowed in the inline keyboard');
  }
}

/** What a bot may say of itself, in characters. */
const PROFILE_LIMITS: Readonly<Record<string, number>> = {
  name: 64,
  description: 512,
  short_description: 120,
};

export function checkProfile(field: string, value: unknown): void {
  if (field !== 'commands') {
    if (String(value ?? '').length > (PROFILE_LIMITS[field] ?? 0)) throw badRequest(`${field} is too long`);
    return;
  }
  const commands = value as { command: string; description: string }[];
  if (commands.length > 100) throw badRequest('BOT_COMMANDS_TOO_MUCH');
  for (const { command, description } of commands) {
    if (!/^[a-z0-9_]{1,32}$/.test(command)) throw badRequest('BOT_COMMAND_INVALID');
    if (description.length < 1 || description.length > 256)
      throw badRequest('BOT_COMMAND_DESCRIPTION_INVALID');
  }
}

export function checkUpload(bytes: Buffer): void {
  if (bytes.length > MAX_UPLOAD_BYTES) throw new TelegramError(413, 'Request Entity Too Large');
  if (bytes.length === 0) throw badRequest('file must be non-empty');
}

/** What is sent as a photo must be one, of modest size and shape. */
export async function checkPhoto(bytes: Buffer): Promise<{ width: number; height: number }> {
  if (bytes.length > MAX_PHOTO_BYTES) {
    throw badRequest(
      `file of size ${bytes.length} bytes is too big for a photo; the maximum size is ${MAX_PHOTO_BYTES} bytes`,
    );
  }
  const { width, height } = await sharp(bytes)
    .metadata()
    .catch(() => {
      throw badRequest('IMAGE_PROCESS_FAILED');
    });
  if (width + height > 10_000 || Math.max(width, height) > 20 * Math.min(width, height)) {
    throw badRequest('PHOTO_INVALID_DIMENSIONS');
  }
  return { width, height };
}

/** A thumbnail over its limits is dropped in silence: to a test that is a mistake. */
export async function thumbnailComplaint(bytes: Buffer): Promise<string | undefined> {
  const { format, width, height } = await sharp(bytes).metadata();
  if (format !== 'jpeg') return `a thumbnail is ${format}, not jpeg`;
  if (bytes.length >= 200_000) return `a thumbnail has ${bytes.length} bytes`;
  return Math.max(width, height) > 320 ? `a thumbnail is ${width}×${height}` : undefined;
}

/** One request that sends or changes `messages` messages in a chat. */
export interface Sending {
  readonly at: number;
  readonly chatId: number;
  readonly isGroup: boolean;
  readonly messages: number;
}

/** Where the documented rates were broken: 30 a second over all, 20 a minute in a group, one a second in a chat with short bursts. */
export function rateComplaints(sendings: readonly Sending[]): string[] {
  const complaints: string[] = [];
  const most = (list: readonly Sending[], windowMs: number): number => {
    let [sum, start, highest] = [0, 0, 0];
    for (const sending of list) {
      sum += sending.messages;
      while (sending.at - (list[start] as Sending).at >= windowMs) sum -= (list[start++] as Sending).messages;
      highest = Math.max(highest, sum);
    }
    return highest;
  };
  const overall = most(sendings, 1000);
  if (overall > 30) complaints.push(`${overall} messages within a second over all chats`);
  for (const [chatId, list] of Map.groupBy(sendings, (sending) => sending.chatId)) {
    const { isGroup } = list[0] as Sending;
    const inMinute = most(list, 60_000);
    if (isGroup && inMinute > 20)
      complaints.push(`${inMinute} messages within a minute in the group ${chatId}`);
    const inTenSeconds = most(list, 10_000);
    // An album of ten in one request is one burst.
    if (!isGroup && inTenSeconds > 25)
      complaints.push(`${inTenSeconds} messages within ten seconds in ${chatId}`);
  }
  return complaints;
}
