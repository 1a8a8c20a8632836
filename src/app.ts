/** The composition root of the service: builds what the settings and the roles ask for, and closes what it built. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from './api/server.ts';
import { checkTelegram, openBot } from './bot/bot.ts';
import type { ApiAddress } from './bot/desk.ts';
import type { Stores as CommandStores, Roles, Service, Storage } from './cli/command.ts';
import type { Config } from './config.ts';
import { loadCatalogue } from './engine/models.ts';
import { AppError, toAppError } from './errors.ts';
import type { Stores } from './jobs/erasure.ts';
import { openQueue } from './jobs/queue.ts';
import { createRunUpscale } from './jobs/run-upscale.ts';
import { openWatch, type Watch } from './jobs/watch.ts';
import type { Log } from './log.ts';
import { openConfiguredLog, openEngine } from './open-engine.ts';
import { checkKnown, readVersions } from './storage/migrations.ts';
import { openBlobs } from './storage/open-blobs.ts';
import { openDatabase, openDatabaseAsIs } from './storage/open-database.ts';
import { startSweeper } from './worker/sweeper.ts';
import { startWorker } from './worker/worker.ts';

/**
 * Opens the roles on one database, one store and one queue.
 * @throws AppError DATABASE, DATABASE_IN_USE, DATABASE_NEWER, STORAGE, CATALOGUE, ADDRESS_TAKEN; nothing stays open then
 */
export async function openService(config: Config, roles: Roles): Promise<Service> {
  const log = openConfiguredLog(config);
  const opened = new AsyncDisposableStack();
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined);
  try {
    if (!roles.api && !roles.worker) {
      await startBot(opened, { config, log, address: addressOf(config, ''), fail: failed.reject });
      return { url: undefined, ended: failed.promise, close: () => opened.disposeAsync() };
    }
    const db = opened.adopt(await openDatabase(config), (db) => db.close());
    const blobs = opened.adopt(await openBlobs(config), (blobs) => blobs.close());
    const queue = opened.adopt(
      await openQueue({ db, log, maintain: roles.worker, telemetry: config.telemetry }),
      (queue) => queue.close(),
    );
    const watch = opened.adopt(await openWatch(db), (watch) => watch.close());
    const stores = { db, blobs, queue };
    // Closed in reverse: the API refuses new photos first, then the worker finishes or hands back what it has.
    if (roles.worker) await openWorker(opened, { config, stores, watch, log });
    const url = roles.api ? await openApi(opened, { config, stores, watch, log }) : undefined;
    if (roles.bot && url !== undefined) {
      const bot = startBot(opened, {
        config,
        log,
        address: addressOf(config, url),
        fail: (error) => tellBotEnded(log, error),
      });
      bot.catch((error: unknown) => tellBotEnded(log, error));
    }
    return { url, ended: failed.promise, close: () => opened.disposeAsync() };
  } catch (error) {
    await opened.disposeAsync();
    throw error;
  }
}

interface BotParts {
  readonly config: Config;
  readonly log: Log;
  readonly address: ApiAddress;
  /** Told when the bot cannot go on. */
  readonly fail: (error: unknown) => void;
}

/** Resolves when the bot runs; without a token at once. @throws AppError TELEGRAM_TOKEN */
async function startBot(
  opened: AsyncDisposableStack,
  { config, log, address, fail }: BotParts,
): Promise<void> {
  const { botToken } = config;
  if (botToken === undefined) return;
  const stopping = new AbortController();
  const opening = openBot({ ...config, botToken }, address, log, stopping.signal);
  opened.defer(async () => {
    stopping.abort();
    const bot = await opening.catch(() => undefined);
    await bot?.close();
  });
  const bot = await opening;
  bot.ended.catch(fail);
}

/** Beside the API the bot may end alone: photos still come through the page. */
function tellBotEnded(log: Log, error: unknown): void {
  log.error(`the bot has ended, everything else goes on: ${toAppError(error).message}`);
}

/** @param own where the API of this process listens */
function addressOf({ apiUrl, apiKey, apiKeys }: Config, own: string): ApiAddress {
  return apiUrl === undefined ? { url: own, key: apiKeys[0] } : { url: apiUrl, key: apiKey };
}

/** Brings the database and its queue up to date. @throws AppError DATABASE, DATABASE_IN_USE, DATABASE_NEWER */
export async function migrate(config: Config): Promise<void> {
  const log = openConfiguredLog(config);
  const db = await openDatabase(config);
  try {
    const queue = await openQueue({ db, log, maintain: false });
    await queue.close();
  } finally {
    await db.close();
  }
}

/** Opens database and images alone. @throws AppError DATABASE, DATABASE_IN_USE, STORAGE */
export async function openStores(config: Config): Promise<CommandStores> {
  const opened = new AsyncDisposableStack();
  try {
    const db = opened.adopt(await openDatabase(config), (db) => db.close());
    const blobs = opened.adopt(await openBlobs(config), (blobs) => blobs.close());
    return { db, blobs, close: () => opened.disposeAsync() };
  } catch (error) {
    await opened.disposeAsync();
    throw error;
  }
}

/** Opens what the service stands on, one by one, to see whether it answers. */
export function openStorage(config: Config): Storage {
  return {
    async checkDatabase() {
      const { dataDir, databaseUrl } = config;
      try {
        const db = await openDatabaseAsIs(config);
        try {
          const { version, newest } = await readVersions(db);
          checkKnown(version, newest);
          const [server] = await db.query<{ is: string }>(`select current_setting('server_version') as is`);
          const place =
            databaseUrl === undefined
              ? `embedded in ${dataDir}`
              : `PostgreSQL ${server?.is} at DATABASE_URL answers`;
          return version === newest ? place : `${place}; the next start brings its tables up to date`;
        } finally {
          await db.close();
        }
      } catch (error) {
        if (!(error instanceof AppError && error.code === 'DATABASE_IN_USE')) throw error;
        return `embedded in ${dataDir}, in use by a Boardsharp that runs`;
      }
    },
    async checkBlobs() {
      const blobs = await openBlobs(config);
      try {
        const key = `photos/${randomUUID()}`;
        await blobs.put(key, Buffer.alloc(64));
        await blobs.read(key);
        await blobs.delete(key);
      } finally {
        await blobs.close();
      }
      return config.s3 === undefined
        ? `files in ${config.dataDir}`
        : `the bucket ${config.s3.bucket} answers`;
    },
    async checkTelegram() {
      const { botToken } = config;
      if (botToken === undefined) return 'no BOT_TOKEN is set';
      return checkTelegram({ ...config, botToken });
    },
  };
}

interface Parts {
  readonly config: Config;
  readonly stores: Stores;
  readonly watch: Watch;
  readonly log: Log;
}

async function openWorker(opened: AsyncDisposableStack, parts: Parts): Promise<void> {
  const { config, stores, watch, log } = parts;
  const { db, queue } = stores;
  const engine = opened.adopt(await openEngine(config, log), (engine) => engine.close());
  const { jobTimeoutMs, retentionMs, workerConcurrency: concurrency } = config;
  const run = createRunUpscale({ stores, watch, upscaler: engine.upscaler, jobTimeoutMs, log });
  opened.adopt(startSweeper(stores, { retentionMs, log }), (sweeper) => sweeper.stop());
  opened.adopt(await startWorker({ db, queue, run, concurrency, log }), (worker) => worker.stop());
}

/** @returns where it listens */
async function openApi(opened: AsyncDisposableStack, parts: Parts): Promise<string> {
  const { config } = parts;
  const catalogue = await loadCatalogue(config);
  // A wrong setting is told at the start, not to everybody who asks.
  if (config.model !== undefined) catalogue.get(config.model);
  const server = await createServer({ ...parts, catalogue, version: readVersion() });
  opened.defer(() => server.close());
  try {
    await server.listen({ host: config.host, port: config.port });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new AppError('ADDRESS_TAKEN', `${config.host}:${config.port} (${code})`, { cause });
  }
  const { family, address, port } = server.server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

function readVersion(): string {
  const file = new URL('../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
