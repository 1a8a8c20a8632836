/** The structured log: one line an event on stderr. The only file that imports pino. Secrets redact themselves. */
import type { Logger } from 'pino';

export type Log = Logger;

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;
export const LOG_FORMATS = ['pretty', 'json'] as const;

/**
 * Opens the log. stdout stays free for results, so lines go to stderr, synchronously: none is lost at exit.
 * pino is loaded here and not before, because the settings, which every command reads, know its levels.
 */
export async function openLog(options: {
  level: (typeof LOG_LEVELS)[number];
  format: (typeof LOG_FORMATS)[number];
}): Promise<Log> {
  const { pino } = await import('pino');
  const settings = { level: options.level, base: null };
  if (options.format === 'pretty') {
    const { default: pretty } = await import('pino-pretty');
    const stream = pretty({ destination: 2, sync: true, ignore: 'pid,hostname', translateTime: 'HH:MM:ss' });
    return pino(settings, stream);
  }
  return pino(settings, pino.destination({ dest: 2, sync: true }));
}
