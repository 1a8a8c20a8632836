/** How the bot presents itself: commands and descriptions in every language, set only where they differ. */
import type { Api } from 'grammy';
import type { BotCommand, BotCommandScope } from 'grammy/types';
import type { Language } from '../client/telegram-client.ts';
import { understandRefusal } from './telegram-errors.ts';
import type { Say } from './texts.ts';

const PRIVATE = [
  'start',
  'help',
  'settings',
  'room',
  'join',
  'share',
  'language',
  'privacy',
  'mydata',
  'delete',
  'cancel',
  'feedback',
  'read',
  'remove',
  'report',
];
export const GROUP_COMMANDS = ['enhance', 'room', 'help', 'privacy'];
const ADMIN = ['stats', 'queue', 'ban', 'unban', 'broadcast', 'survey'];

/** English stands for every language that has none of its own. */
const CODES: readonly (readonly [Language, 'ru' | undefined])[] = [
  ['en', undefined],
  ['ru', 'ru'],
];

type Voices = Readonly<Record<Language, Say>>;

/**
 * Brings commands and descriptions up to date. Administrators whom Telegram cannot reach yet, because they have never
 * started the bot, are left out: see `presentToAdmin`. Errors are Telegram's own.
 */
export async function presentBot(api: Api, say: Voices, adminIds: readonly number[]): Promise<void> {
  await setCommands(api, say, { type: 'all_private_chats' }, PRIVATE);
  await setCommands(api, say, { type: 'all_group_chats' }, GROUP_COMMANDS);
  for (const [language, code] of CODES) {
    const speak = say[language];
    const of = code === undefined ? {} : { language_code: code };
    const { description } = await api.getMyDescription(of);
    if (description !== speak('description')) await api.setMyDescription(speak('description'), of);
    const { short_description: short } = await api.getMyShortDescription(of);
    if (short !== speak('short-description')) await api.setMyShortDescription(speak('short-description'), of);
  }
  for (const id of adminIds) await presentToAdmin(api, say, id);
}

/** Shows an administrator their commands; nothing happens where no message reaches them. Errors are Telegram's own. */
export async function presentToAdmin(api: Api, say: Voices, id: number): Promise<void> {
  try {
    await setCommands(api, say, { type: 'chat', chat_id: id }, [...PRIVATE, ...ADMIN]);
  } catch (error) {
    if (understandRefusal(error).kind !== 'gone') throw error;
  }
}

/** In every language, where they are others than those that are set. */
async function setCommands(
  api: Api,
  say: Voices,
  scope: BotCommandScope,
  names: readonly string[],
): Promise<void> {
  for (const [language, code] of CODES) {
    const of = code === undefined ? { scope } : { scope, language_code: code };
    const wanted: BotCommand[] = names.map((command) => ({
      command,
      description: say[language](`command-${command}`),
    }));
    const known = await api.getMyCommands(of);
    if (JSON.stringify(known) !== JSON.stringify(wanted)) await api.setMyCommands(wanted, of);
  }
}
