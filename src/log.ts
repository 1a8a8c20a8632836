/** The structured log: one line an event on stderr. The only file that imports pino. Secrets redact themselves. */
import { createRequire } from 'node:module';
import type { Logger } from 'pino';

export type Log = Logger;

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;
export const LOG_FORMATS = ['pretty', 'json'] as const;

/**
 * Opens the log. stdout stays free for results, so lines go to stderr, synchronously: none is lost at exit.
 * pino is loaded here and not before, because the settings, which every command reads, know its levels.
 */
export function openLog(options: {
  level: (typeof LOG_LEVELS)[number];
  format: (typeof LOG_FORMATS)[number];
}): Log {
  const require = createRequire(import.meta.url);
  const pino = require('pino') as typeof import('pino').default;
  const settings = { level: options.level, base: null };
  if (options.format === 'json') return pino(settings, pino.destination({ dest: 2, sync: true }));
  const pretty = require('pino-pretty') as typeof import('pino-pretty');
  return pino(
    settings,
    pretty({ destination: 2, sync: true, ignore: 'pid,hostname', translateTime: 'HH:MM:ss' }),
  );
}
