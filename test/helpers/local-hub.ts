/** A small model hub on this machine: the hub's protocol over real HTTP, with the accidents tests ask for. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

export const REPOSITORY = 'someone/some-model';
export const FILE = 'onnx/model.onnx';
export const COMMIT = 'c0ffee00'.repeat(5);

/** What was asked of the hub or of its storage, in order. */
interface Asked {
  readonly at: 'hub' | 'storage';
  readonly path: string;
  readonly authorization: string | undefined;
  readonly range: string | undefined;
}

/** How the hub behaves; tests change it while it runs. */
interface Behaviour {
  content: Buffer;
  /** The one token that may read; undefined: everybody may. */
  token: string | undefined;
  /** Where the hash is stated: in the header, only in the listing, or nowhere. */
  hash: 'header' | 'listing' | 'nowhere';
  /** Where the bytes come from: another origin behind a redirect, or the hub itself. */
  storage: 'redirect' | 'direct';
  /** Sends the whole file whatever range is asked for. */
  ignoreRange: boolean;
  /** Sends this many bytes of every answer at most, and then nothing more until `cut` is called. */
  stallAfter: number;
  /** Bytes sent instead of the content, under the content's hash. */
  damaged: Buffer | undefined;
  /** Answers everything with this status. */
  status: number | undefined;
}

export interface LocalHub extends Behaviour {
  readonly url: string;
  readonly asked: Asked[];
  /** Breaks all connections. */
  cut(): void;
  /** Ends the servers before the test does, as if the host had gone down. */
  close(): Promise<void>;
}

/** Starts a hub with one repository of one file; it closes with the test. */
export async function openLocalHub(
  t: TestContext,
  content = bytesFrom('a model', 200_000),
): Promise<LocalHub> {
  const asked: Asked[] = [];
  const storage = createServer((request, response) => {
    log('storage', request);
    sendFile(request, response, {});
  });
  const hub = createServer((request, response) => {
    log('hub', request);
    const { token, status } = state;
    if (status !== undefined) end(response, status);
    else if (token !== undefined && request.headers.authorization !== `Bearer ${token}`) end(response, 401);
    else if (request.method === 'POST') void sendListing(request, response);
    else resolveFile(request, response);
  });
  const [url, storageUrl] = [await listen(hub), await listen(storage)];
  const cut = () => {
    for (const server of [hub, storage]) server.closeAllConnections();
  };
  const close = async () => {
    cut();
    for (const server of [hub, storage]) {
      if (server.listening) await new Promise((done) => server.close(done));
    }
  };
  t.after(close);
  const state: LocalHub = {
    url,
    asked,
    cut,
    close,
    content,
    token: undefined,
    hash: 'header',
    storage: 'redirect',
    ignoreRange: false,
    stallAfter: Number.POSITIVE_INFINITY,
    damaged: undefined,
    status: undefined,
  };
  return state;

  function log(at: Asked['at'], { url: path = '', headers }: IncomingMessage): void {
    asked.push({ at, path, authorization: headers.authorization, range: headers.range });
  }

  function resolveFile(request: IncomingMessage, response: ServerResponse): void {
    const match = /^\/([^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/.exec(request.url ?? '');
    const [, repository, revision, file] = match ?? [];
    const headers: Record<string, string> = { 'X-Repo-Commit': COMMIT };
    if (state.hash === 'header') headers['X-Linked-ETag'] = `"${sha256(state.content)}"`;
    if (repository !== REPOSITORY) end(response, 404, 'RepoNotFound');
    else if (revision !== 'main' && revision !== COMMIT) end(response, 404, 'RevisionNotFound');
    else if (file !== FILE) end(response, 404, 'EntryNotFound');
    else if (state.storage === 'direct') sendFile(request, response, headers);
    else response.writeHead(302, { ...headers, Location: `${storageUrl}/blob?signature=of-the-day` }).end();
  }

  async function sendListing(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { paths } = JSON.parse(Buffer.concat(await request.toArray()).toString());
    const size = state.content.length;
    const lfs = state.hash === 'listing' ? { oid: sha256(state.content), size, pointerSize: 130 } : undefined;
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.end(
      JSON.stringify(paths.map((path: string) => ({ type: 'file', path, oid: 'f'.repeat(40), size, lfs }))),
    );
  }

  function sendFile(request: IncomingMessage, response: ServerResponse, extra: Record<string, string>): void {
    const content = state.damaged ?? state.content;
    const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
    const partial = first !== undefined && !state.ignoreRange;
    const start = partial ? Number(first) : 0;
    const stop = partial && last ? Number(last) + 1 : content.length;
    const headers: Record<string, string | number> = {
      ...extra,
      ETag: '"of-the-storage"',
      'Content-Length': stop - start,
    };
    if (partial) headers['Content-Range'] = `bytes ${start}-${stop - 1}/${content.length}`;
    response.writeHead(partial ? 206 : 200, headers);
    const stalls = stop - start > state.stallAfter;
    const body = content.subarray(start, stalls ? start + state.stallAfter : stop);
    if (stalls) response.write(body);
    else response.end(body);
  }
}

/** Bytes that differ from place to place, the same for the same seed. */
export function bytesFrom(seed: string, length: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, i) =>
    createHash('sha256').update(`${seed} ${i}`).digest(),
  );
  return Buffer.concat(blocks).subarray(0, length);
}

export function sha256(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

function end(response: ServerResponse, status: number, errorCode?: string): void {
  response.writeHead(status, errorCode === undefined ? {} : { 'X-Error-Code': errorCode }).end('no');
}

async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
