/** Connections through a proxy that is itself reached by TLS. */
import { type ClientRequestArgs, Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent, request } from 'node:https';
import type { Duplex } from 'node:stream';
import { connect } from 'node:tls';

type Answer = (error: Error | null, socket?: Duplex) => void;

/**
 * Agents for addresses of both kinds. https-proxy-agent 9.1 has such too, but there a proxy that hangs up during the
 * handshake takes the whole process with it: an error comes after its listener is gone.
 * @param proxy `https://user:password@host:port`
 */
export function createTlsProxyAgents(proxy: string): {
  readonly http: HttpAgent;
  readonly https: HttpsAgent;
} {
  const { hostname, port, username, password } = new URL(proxy);
  const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const headers =
    username === '' ? {} : { 'Proxy-Authorization': `Basic ${Buffer.from(login).toString('base64')}` };

  function open({ host, port: target }: ClientRequestArgs, answer: Answer): void {
    const asking = request({
      ...{ method: 'CONNECT', host: hostname, port: port || 443, path: `${host}:${target}` },
      ...{ headers: { ...headers, Host: `${host}:${target}` }, agent: false },
    });
    asking.once('error', answer);
    asking.once('connect', ({ statusCode }, socket) => {
      if (statusCode === 200) return answer(null, socket);
      socket.destroy();
      answer(new Error(`the proxy answered ${statusCode}`));
    });
    asking.once('response', ({ statusCode }) => {
      asking.destroy();
      answer(new Error(`the proxy answered ${statusCode}`));
    });
    asking.end();
  }

  const http = new HttpAgent({ keepAlive: true });
  const https = new HttpsAgent({ keepAlive: true });
  http.createConnection = (options, answer) => {
    open(options, answer as Answer);
    return undefined;
  };
  https.createConnection = (options, answer) => {
    open(options, (error, socket) => {
      if (error !== null || socket === undefined) return (answer as Answer)(error);
      (answer as Answer)(null, connect({ socket, servername: options.host ?? '' }));
    });
    return undefined;
  };
  return { http, https };
}
