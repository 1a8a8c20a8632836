/** The model hub: what it says about a file, and the file's bytes. The only file that imports @huggingface/hub. */
import { fileDownloadInfo, HubApiError, pathsInfo } from '@huggingface/hub';
import { AppError } from '../errors.ts';
import type { Secret } from '../secret.ts';

/** A file in a repository of the hub. */
export interface HubFile {
  readonly repository: string;
  readonly revision: string;
  readonly file: string;
}

/** Which hub, as whom, and until when. */
export interface HubAccess {
  readonly endpoint: string;
  readonly token: Secret | undefined;
  readonly signal: AbortSignal | undefined;
}

/** What the hub says about a file. */
export interface RemoteFile {
  readonly url: string;
  readonly bytes: number;
  /** SHA-256 in hex, where the hub states one (it does for every large file). */
  readonly sha256: string | null;
  /** The commit that the revision stood for. */
  readonly commit: string | null;
}

/** A hub that says nothing for this long is taken as down. */
const ANSWER_TIMEOUT_MS = 60_000;
const MAX_REDIRECTS = 10;

/**
 * Asks the hub for a file's size, hash and commit.
 * @throws AppError DOWNLOAD saying whether the hub, the access, the repository, the revision or the file is missing; CANCELLED
 */
export async function describeFile(source: HubFile, access: HubAccess): Promise<RemoteFile> {
  const stated: Stated = { commit: null, etag: null, bytes: null };
  const repo = { type: 'model', name: source.repository } as const;
  const common = { repo, revision: source.revision, hubUrl: access.endpoint };
  const patience = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
  const signal = access.signal ? AbortSignal.any([access.signal, patience]) : patience;
  try {
    const infoFetch: typeof fetch = async (input, init) => {
      const response = await hubFetch(input, init, { ...access, signal }, stated);
      // Only the headers matter; a body left unread would hold the connection.
      await response.body?.cancel();
      if (!response.ok) throw refused(response, source, access);
      return response.status === 200 ? withSize(response, stated) : response;
    };
    const info = await fileDownloadInfo({ ...common, path: source.file, fetch: infoFetch });
    if (info === null) throw missing(`no file ${source.file}`, source, access);
    const sha256 = asSha256(stated.etag) ?? (await askForSha256());
    return { url: info.url, bytes: info.size, sha256, commit: stated.commit };
  } catch (error) {
    throw hubError(error, access, signal);
  }

  /** The repository's listing, for hubs whose ETag is not the hash. One that has no listing has no hash to give. */
  async function askForSha256(): Promise<string | null> {
    const listFetch: typeof fetch = (input, init) => hubFetch(input, init, { ...access, signal });
    try {
      const [entry] = await pathsInfo({ ...common, paths: [source.file], fetch: listFetch });
      return asSha256(entry?.lfs?.oid ?? null);
    } catch (error) {
      if (error instanceof HubApiError) return null;
      throw error;
    }
  }
}

/**
 * Opens a file's bytes from `from` on; `start` says where they really begin: 0 from a server that cannot continue.
 * @throws AppError DOWNLOAD or CANCELLED, also while `body` is read
 */
export async function openFile(
  source: HubFile,
  remote: RemoteFile,
  from: number,
  access: HubAccess,
): Promise<{ start: number; body: AsyncIterable<Uint8Array> }> {
  try {
    // Compressed on the way, byte numbers would not be those of the file.
    const headers: Record<string, string> = { 'Accept-Encoding': 'identity' };
    if (from > 0) headers.Range = `bytes=${from}-`;
    const response = await hubFetch(remote.url, { headers }, access);
    const continues =
      response.headers.get('content-range') === `bytes ${from}-${remote.bytes - 1}/${remote.bytes}`;
    if (response.status === 416 || (response.status === 206 && !continues)) {
      await response.body?.cancel();
      if (from > 0) return await openFile(source, remote, 0, access);
      throw new AppError(
        'DOWNLOAD',
        `${host(access)} answers with another part of ${source.file} than was asked for`,
      );
    }
    if (!response.ok || response.body === null) {
      await response.body?.cancel();
      throw refused(response, source, access);
    }
    return { start: response.status === 206 ? from : 0, body: named(response.body) };
  } catch (error) {
    throw hubError(error, access, access.signal);
  }

  async function* named(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      yield* body;
    } catch (error) {
      throw hubError(error, access, access.signal);
    }
  }
}

/** What the hub itself, not a storage host it redirects to, says in its headers. */
interface Stated {
  commit: string | null;
  etag: string | null;
  bytes: string | null;
}

/**
 * `fetch` that sends the token to the hub's own origin and to no other, whatever redirects say, and notes what the
 * hub states on the way: the storage hosts behind the redirect no longer know it.
 */
async function hubFetch(
  input: Parameters<typeof fetch>[0],
  init: Parameters<typeof fetch>[1],
  access: HubAccess,
  stated?: Stated,
): Promise<Response> {
  const home = new URL(access.endpoint).origin;
  let url = new URL(input instanceof Request ? input.url : input);
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const headers = new Headers(init?.headers);
    if (access.token && url.origin === home) headers.set('authorization', `Bearer ${access.token.reveal()}`);
    const response = await fetch(url, {
      ...init,
      headers,
      redirect: 'manual',
      signal: access.signal ?? null,
    });
    const location = response.headers.get('location');
    const redirects = response.status >= 300 && response.status < 400 && location !== null;
    if (stated && url.origin === home) note(response.headers, redirects, stated);
    if (!redirects) return response;
    await response.body?.cancel();
    url = new URL(location, url);
  }
  throw new AppError('DOWNLOAD', `${host(access)} redirects without end`);
}

function note(headers: Headers, redirects: boolean, stated: Stated): void {
  stated.commit ??= headers.get('x-repo-commit');
  // The ETag of a redirect is not that of the file.
  stated.etag ??= headers.get('x-linked-etag') ?? (redirects ? null : headers.get('etag'));
  stated.bytes ??= headers.get('x-linked-size');
}

/** A full answer to a request for one byte, in the words the hub's library asks for: a server may ignore ranges. */
function withSize(response: Response, stated: Stated): Response {
  const bytes = stated.bytes ?? response.headers.get('content-length');
  if (bytes === null || response.headers.get('content-type')?.includes('xet-fileinfo')) return response;
  const headers = new Headers(response.headers);
  headers.set('content-range', `bytes 0-0/${bytes}`);
  return new Response(null, { status: 206, headers });
}

function asSha256(etag: string | null): string | null {
  return /^(?:W\/)?"?([0-9a-f]{64})"?$/.exec(etag ?? '')?.[1] ?? null;
}

function host(access: HubAccess): string {
  return new URL(access.endpoint).host;
}

/** Any failure as what the user can act on. Server texts and addresses are left out: they may carry signatures. */
function hubError(error: unknown, access: HubAccess, signal: AbortSignal | undefined): AppError {
  if (error instanceof AppError) return error;
  if (access.signal?.aborted)
    return new AppError('CANCELLED', 'the download was stopped; what arrived is kept');
  if (signal?.aborted) {
    return new AppError('DOWNLOAD', `${host(access)} did not answer within ${ANSWER_TIMEOUT_MS / 1000} s`);
  }
  const cause = error instanceof Error ? error.cause : undefined;
  if (error instanceof TypeError && cause instanceof Error) {
    const reason = (cause as NodeJS.ErrnoException).code ?? cause.name;
    if (error.message !== 'terminated') {
      return new AppError('DOWNLOAD', `${host(access)} cannot be reached (${reason})`, { cause: error });
    }
    return new AppError('DOWNLOAD', `${host(access)} closed the connection midway (${reason})`, {
      cause: error,
      action: 'Run the same command again: it continues where this one stopped',
    });
  }
  const status = error instanceof HubApiError ? ` (${error.statusCode})` : '';
  return new AppError('DOWNLOAD', `${host(access)} does not answer like a model hub${status}`, {
    cause: error,
  });
}

function refused({ status, headers }: Response, source: HubFile, access: HubAccess): AppError {
  // The hub's own word for it tells a missing revision from a missing file; both are 404.
  const errorCode = headers.get('x-error-code');
  if (errorCode === 'EntryNotFound') return missing(`no file ${source.file}`, source, access);
  if (errorCode === 'RevisionNotFound') return missing(`no revision ${source.revision}`, source, access);
  if (status === 401 || status === 403) {
    return new AppError('DOWNLOAD', `${host(access)} gives no access to ${source.repository} (${status})`, {
      action: access.token
        ? "Check that HF_TOKEN is valid and that its owner has accepted the repository's conditions"
        : 'Set HF_TOKEN to a token that may read it, if the repository exists',
    });
  }
  if (status === 404) return missing('no repository, revision or file by that name', source, access);
  return new AppError('DOWNLOAD', `${host(access)} answers ${status} for ${source.repository}`);
}

function missing(what: string, source: HubFile, access: HubAccess): AppError {
  return new AppError(
    'DOWNLOAD',
    `${host(access)} has ${what} (${source.repository}, revision ${source.revision}, file ${source.file})`,
    { action: 'Correct the entry in the catalogue, or HF_ENDPOINT' },
  );
}
