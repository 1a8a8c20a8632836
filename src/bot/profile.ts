/** How the bot presents itself: commands and descriptions in every language, set only where they differ. */
import type { Api } from 'grammy';
import type { BotCommand, BotCommandScope } from 'grammy/types';
import type { Language } from '../client/telegram-client.ts';
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
const GROUP = ['enhance', 'room', 'help', 'privacy'];
const ADMIN = ['stats', 'queue', 'ban', 'unban', 'broadcast', 'survey'];

/** English stands for every language that has none of its own. */
const CODES: readonly (readonly [Language, 'ru' | undefined])[] = [
  ['en', undefined],
  ['ru', 'ru'],
];

/** Brings commands and descriptions up to date. Errors are Telegram's own. */
export async function presentBot(
  api: Api,
  say: Readonly<Record<Language, Say>>,
  adminIds: readonly number[],
): Promise<void> {
  const scopes: [BotCommandScope, readonly string[]][] = [
    [{ type: 'all_private_chats' }, PRIVATE],
    [{ type: 'all_group_chats' }, GROUP],
    ...adminIds.map((id): [BotCommandScope, string[]] => [
      { type: 'chat', chat_id: id },
      [...PRIVATE, ...ADMIN],
    ]),
  ];
  for (const [language, code] of CODES) {
    const speak = say[language];
    const of = code === undefined ? {} : { language_code: code };
    for (const [scope, names] of scopes) {
      const wanted: BotCommand[] = names.map((command) => ({
        command,
        description: speak(`command-${command}`),
      }));
      const known = await api.getMyCommands({ scope, ...of });
      if (JSON.stringify(known) !== JSON.stringify(wanted)) await api.setMyCommands(wanted, { scope, ...of });
    }
    const { description } = await api.getMyDescription(of);
    if (description !== speak('description')) await api.setMyDescription(speak('description'), of);
    const { short_description: short } = await api.getMyShortDescription(of);
    if (short !== speak('short-description')) await api.setMyShortDescription(speak('short-description'), of);
  }
}
