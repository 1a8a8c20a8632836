/** `boardsharp start`, `api` and `worker`: roles that run until they are told to stop. */
import { once } from 'node:events';
import { AppError } from '../errors.ts';
import { type Command, type Roles, readArguments } from './command.ts';

/** All roles in one process. */
export const runStart: Command = serve({ api: true, worker: true });

/** The API and the page alone. */
export const runApi: Command = serve({ api: true, worker: false });

/** A worker alone. */
export const runWorker: Command = serve({ api: false, worker: true });

function serve(roles: Roles): Command {
  return async (args, { loadConfig, openService, stdout, signal }) => {
    readArguments(args, { options: {} });
    const config = loadConfig();
    const alone = !(roles.api && roles.worker);
    if (alone && config.databaseUrl === undefined) {
      throw new AppError(
        'SETTINGS',
        `${roles.api ? 'api' : 'worker'} alone needs DATABASE_URL: the embedded database is one process's own`,
        {
          action: 'Set DATABASE_URL to a PostgreSQL, or run all roles in one process with `boardsharp start`',
        },
      );
    }
    const service = await openService(config, roles);
    try {
      if (!signal.aborted) {
        stdout.write(
          service.url === undefined ? 'The worker is ready.\n' : `Boardsharp is at ${service.url}\n`,
        );
        await once(signal, 'abort');
      }
    } finally {
      await service.close();
    }
    return 0;
  };
}
