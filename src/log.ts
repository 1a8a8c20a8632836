/** The structured log: one line an event on stderr. The only file that imports pino. Secrets redact themselves. */
import { createRequire } from 'node:module';
import type { Logger } from 'pino';
import { redactTokens } from './secret.ts';

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
  // The last net: whatever is logged, in whatever field, no token leaves.
  const settings = { level: options.level, base: null, hooks: { streamWrite: redactTokens } };
  const stderr = pino.destination({ dest: 2, sync: true });
  // A full disk or a closed pipe takes the lines; without a listener it would take the process as well.
  stderr.on('error', () => undefined);
  if (options.format === 'json') return pino(settings, stderr);
  const pretty = require('pino-pretty') as typeof import('pino-pretty');
  return pino(settings, pretty({ destination: stderr, ignore: 'pid,hostname', translateTime: 'HH:MM:ss' }));
}
