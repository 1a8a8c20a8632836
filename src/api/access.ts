/** Who asks: API keys compared in constant time, and the user a key's holder acts for. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { type Config, isLoopback } from '../config.ts';
import { AppError } from '../errors.ts';
import type { Secret } from '../secret.ts';
import type { Identity } from '../storage/user-records.ts';

/** Names the user a key's holder acts for, so that a bot's users take turns and see only what is theirs. */
const USER_HEADER = 'boardsharp-user';

/** Recognises requests by their headers. */
export interface Access {
  /** @throws AppError UNAUTHORIZED; INVALID_REQUEST for a user that is none */
  identify(headers: IncomingHttpHeaders): Identity;
}

/** @param keys empty: everybody who can reach the address may do everything */
export function createAccess(keys: readonly Secret[]): Access {
  const digests = keys.map((key) => sha256(key.reveal()));

  function identifyKey({ authorization = '' }: IncomingHttpHeaders): Identity {
    if (digests.length === 0) return { local: true };
    const [, token] = /^Bearer +(\S+) *$/i.exec(authorization) ?? [];
    if (token === undefined) throw new AppError('UNAUTHORIZED', 'the request has none');
    const digest = sha256(token);
    // Digests are of one length and all of them are compared: the time it takes tells nothing about any key.
    let matches = 0;
    for (const known of digests) matches += Number(timingSafeEqual(known, digest));
    if (matches === 0) throw new AppError('UNAUTHORIZED', 'this one is not known here');
    return { apiKeyHash: digest.toString('hex') };
  }

  return {
    identify(headers) {
      const identity = identifyKey(headers);
      const user = headers[USER_HEADER];
      if (user === undefined) return identity;
      const [, telegramId] = /^telegram:(\d{1,15})$/.exec(String(user)) ?? [];
      if (telegramId === undefined) {
        throw new AppError('INVALID_REQUEST', `${USER_HEADER} must be telegram: and a number`);
      }
      return { telegramId: Number(telegramId) };
    },
  };
}

/**
 * For where no keys are asked for. Whoever reaches the address may do everything then, and a website that is open in a browser of
 * this machine reaches it too: by a form that it posts across sites, or by a name of its own that points to loopback.
 * @throws AppError FORBIDDEN
 */
export function createNeighbourCheck({ host: own, publicUrl }: Pick<Config, 'host' | 'publicUrl'>) {
  const publicHost = hostOf(publicUrl);

  return (method: string | undefined, { host, origin }: IncomingHttpHeaders): void => {
    const name = hostnameOf(`http://${host}`);
    const isOwn = name === own || isLoopback(name) || host === publicHost;
    if (host !== undefined && !isOwn) refuse(`${host} is not an address of this machine`);
    // What is only read is kept from other sites by the browser.
    if (origin === undefined || method === 'GET' || method === 'HEAD') return;
    const sender = hostOf(origin);
    if (sender !== host && sender !== publicHost) refuse(`a page of ${origin} sent it`);
  };
}

function refuse(detail: string): never {
  throw new AppError('FORBIDDEN', detail, {
    action: 'Set PUBLIC_URL to the address people use, or API_KEYS to let others in',
  });
}

/** Name and port; undefined for what is no address, as the origin "null". */
function hostOf(address: string | undefined): string | undefined {
  return address === undefined ? undefined : (URL.parse(address)?.host ?? undefined);
}

function hostnameOf(address: string): string {
  return (URL.parse(address)?.hostname ?? '').replace(/^\[|\]$/g, '');
}

/** One word for an identity, for counting its requests. */
export function accountOf(identity: Identity): string {
  if ('telegramId' in identity) return `telegram:${identity.telegramId}`;
  return 'apiKeyHash' in identity ? identity.apiKeyHash : 'local';
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
