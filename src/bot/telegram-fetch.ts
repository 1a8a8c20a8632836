/** The way to Telegram: through a proxy where one is set, and with no token in any error. */
import { createRequire } from 'node:module';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { SocksProxyAgent } from 'socks-proxy-agent';
import { redactTokens, type Secret } from '../secret.ts';
import { createTlsProxyAgents } from './tls-proxy.ts';

/** Until the answer is there, to its end. */
const ANSWER_WITHIN_MS = 60_000;
const UPLOAD_WITHIN_MS = 900_000;

/** What grammY and the download need of `fetch`. */
export type TelegramFetch = typeof fetch;

/**
 * A `fetch` whose errors say nothing of the address, which holds the token. It is node-fetch, as in grammY itself: that
 * one takes grammY's streams and signals, and an agent for proxies.
 */
export function createTelegramFetch(proxy: Secret | undefined): TelegramFetch {
  return createNodeFetch(proxy, 'all of it');
}

/** @param inTime what must be there in time: of a file its beginning, since whoever reads it sees whether it goes on */
function createNodeFetch(proxy: Secret | undefined, inTime: 'all of it' | 'its beginning'): TelegramFetch {
  const agent = proxy === undefined ? undefined : agentFor(proxy.reveal());
  // It brings no types.
  const send = createRequire(import.meta.url)('node-fetch') as (
    url: string,
    init: object,
  ) => Promise<Response>;
  return async (input, init = {}) => {
    const late = new AbortController();
    // What asks for updates waits half a minute, what sends a large file through a slow network many.
    const isUpload = JSON.stringify(init.headers ?? '').includes('multipart/form-data');
    const timer = setTimeout(() => late.abort(), isUpload ? UPLOAD_WITHIN_MS : ANSWER_WITHIN_MS);
    init.signal?.addEventListener('abort', () => late.abort());
    if (init.signal?.aborted) late.abort();
    try {
      const parts = { ...init, signal: late.signal };
      const response = await send(String(input), agent === undefined ? parts : { ...parts, agent });
      if (inTime === 'its beginning') clearTimeout(timer);
      // A proxy's page is no JSON, and the complaint about it names the address.
      const json = response.json.bind(response);
      return Object.assign(response, {
        json: () =>
          json()
            .catch(rethrowClean)
            .finally(() => clearTimeout(timer)),
      });
    } catch (error) {
      clearTimeout(timer);
      return rethrowClean(error);
    }
  };
}

/**
 * The same for files. Without a proxy it is Node's own `fetch`, which notices a connection that breaks in the middle of
 * a file; node-fetch would wait for the rest until the time is over.
 */
export function createFileFetch(proxy: Secret | undefined): TelegramFetch {
  if (proxy !== undefined) return createNodeFetch(proxy, 'its beginning');
  return async (input, init) => {
    try {
      return await fetch(input, init);
    } catch (error) {
      return rethrowClean(error);
    }
  };
}

/** A new error without a cause: the old one carries the address in more places than its message. */
function rethrowClean(error: unknown): never {
  const { message, name, code } = error as Error & { code?: string };
  throw Object.assign(new Error(redactTokens(message)), { name, ...(code === undefined ? {} : { code }) });
}

/** As node-fetch takes it. */
function agentFor(proxy: string): object {
  if (proxy.startsWith('https:')) {
    const agents = createTlsProxyAgents(proxy);
    return ({ protocol }: { protocol: string }) => (protocol === 'http:' ? agents.http : agents.https);
  }
  return proxy.startsWith('socks') ? new SocksProxyAgent(proxy) : new HttpsProxyAgent(proxy);
}
