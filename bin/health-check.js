// For containers: exits with 0 if the API, or the bot, of this container answers; of a worker, which listens nowhere, at once.
import { readFileSync } from 'node:fs';

const words = readFileSync('/proc/1/cmdline', 'utf8').split('\0');
const isWorker = words.includes('worker');
const port = words.includes('bot') ? process.env.BOT_PORT : process.env.PORT;

if (!isWorker && port) {
  const response = await fetch(`http://127.0.0.1:${port}/health/live`).catch(() => undefined);
  process.exitCode = response?.ok ? 0 : 1;
}
