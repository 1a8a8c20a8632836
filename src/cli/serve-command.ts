/** `boardsharp start`, `api`, `worker` and `bot`: roles that run until they are told to stop. */
import { once } from 'node:events';
import type { Config } from '../config.ts';
import { AppError } from '../errors.ts';
import { type Command, type Roles, readArguments } from './command.ts';

/** All roles in one process; the bot where there is a token. */
export const runStart: Command = serve({ api: true, worker: true, bot: true });

/** The API and the page alone. */
export const runApi: Command = serve({ api: true, worker: false });

/** A worker alone. */
export const runWorker: Command = serve({ api: false, worker: true });

/** The Telegram bot alone. */
export const runBot: Command = serve({ api: false, worker: false, bot: true });

/** Brings the database up to date, before a newer version is rolled out. */
export const runMigrate: Command = async (args, { loadConfig, migrate, stdout }) => {
  readArguments(args, { options: {} });
  await migrate(loadConfig());
  stdout.write('The database is up to date.\n');
  return 0;
};

function serve(roles: Roles): Command {
  return async (args, { loadConfig, openService, stdout, signal }) => {
    readArguments(args, { options: {} });
    const config = loadConfig();
    checkAlone(roles, config);
    const service = await openService(config, roles);
    try {
      if (!signal.aborted) {
        stdout.write(`${greeting(roles, config, service.url)}\n`);
        await Promise.race([once(signal, 'abort'), service.ended]);
      }
    } finally {
      await service.close();
    }
    return 0;
  };
}

/** @throws AppError SETTINGS for a role that cannot be alone with these settings */
function checkAlone({ api, worker, bot }: Roles, config: Config): void {
  const action = 'or run all roles in one process with `boardsharp start`';
  if (bot && !api) {
    const missing = [
      ...(config.botToken === undefined ? ['BOT_TOKEN'] : []),
      ...(config.apiUrl === undefined ? ['API_URL'] : []),
    ];
    if (missing.length === 0) return;
    throw new AppError('SETTINGS', `bot alone needs ${missing.join(' and ')}`, {
      action: `Set it, ${action}`,
    });
  }
  if (api !== worker && config.databaseUrl === undefined) {
    throw new AppError(
      'SETTINGS',
      `${api ? 'api' : 'worker'} alone needs DATABASE_URL: the embedded database is one process's own`,
      { action: `Set DATABASE_URL to a PostgreSQL, ${action}` },
    );
  }
}

function greeting({ worker, bot }: Roles, { botToken }: Config, url: string | undefined): string {
  if (url === undefined) return worker ? 'The worker is ready.' : 'The bot is ready.';
  const place = `Boardsharp is at ${url}`;
  if (!bot || botToken !== undefined) return place;
  return `${place}\nTo add the Telegram bot, put BOT_TOKEN=… from @BotFather into .env and start again.`;
}
