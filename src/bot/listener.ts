/** Where the bot itself can be reached: Telegram's webhook, and health checks. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Update } from 'grammy/types';
import { AppError } from '../errors.ts';
import type { Secret } from '../secret.ts';

const SECRET_HEADER = 'x-telegram-bot-api-secret-token';
const MAX_BODY_BYTES = 2 ** 20;

export interface Listener {
  readonly port: number;
  close(): Promise<void>;
}

/** What the webhook is known by, and who takes its updates. */
export interface WebhookParts {
  readonly secret: Secret;
  readonly handle: (update: Update) => Promise<boolean>;
}

/** Listens; every path but the health checks is the webhook. Not ready any more when it does not run. @throws AppError ADDRESS_TAKEN */
export async function listenForHealth(
  { host, port, isRunning }: { host: string; port: number; isRunning: () => boolean },
  webhook: WebhookParts | undefined,
): Promise<Listener> {
  let stopping = false;
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url === '/health/live') return end(response, 200);
    if (request.url === '/health/ready') return end(response, stopping || !isRunning() ? 503 : 200);
    if (webhook === undefined || request.method !== 'POST') return end(response, 404);
    if (!isKnown(String(request.headers[SECRET_HEADER] ?? ''), webhook.secret)) return end(response, 401);
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of request) {
      bytes += (chunk as Buffer).length;
      if (bytes > MAX_BODY_BYTES) return end(response, 413);
      chunks.push(chunk as Buffer);
    }
    let update: Update;
    try {
      update = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Update;
    } catch {
      return end(response, 400);
    }
    // Telegram sends it again until it is answered with 200: after everything about it is stored.
    end(response, (await webhook.handle(update)) ? 200 : 503);
  }

  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(port, host, resolve);
  try {
    await promise;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new AppError('ADDRESS_TAKEN', `${host}:${port} (${code})`, {
      action: 'Set another BOT_PORT',
      cause,
    });
  }
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    async close() {
      stopping = true;
      server.closeIdleConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

/** Digests are of one length: the time of the comparison tells nothing. */
function isKnown(word: string, secret: Secret): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(word), digest(secret.reveal()));
}

function end(response: ServerResponse, status: number): void {
  response.writeHead(status).end();
}
