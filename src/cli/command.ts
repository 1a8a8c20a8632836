/** What every command of the command line is given, and how it reads its arguments. */
import { type ParseArgsConfig, parseArgs } from 'node:util';
import type { Config } from '../config.ts';
import type { Inference } from '../engine/inference.ts';
import type { Catalogue } from '../engine/models.ts';
import type { Upscaler } from '../engine/upscale.ts';
import { AppError } from '../errors.ts';
import type { Blobs } from '../storage/blobs.ts';
import type { Database } from '../storage/database.ts';

/** The engine, opened by the composition root. */
export interface Engine {
  readonly catalogue: Catalogue;
  readonly inference: Inference;
  readonly upscaler: Upscaler;
  /** Ends its threads. Idempotent. */
  close(): Promise<void>;
}

/** What a process does of the service. */
export interface Roles {
  readonly api: boolean;
  readonly worker: boolean;
  /** With a BOT_TOKEN alone. */
  readonly bot?: boolean;
}

/** Running roles, opened by the composition root. */
export interface Service {
  /** Where the API listens; undefined without it. */
  readonly url: string | undefined;
  /** Rejects when it cannot go on; resolves never. */
  readonly ended: Promise<never>;
  /** Stops taking work, ends what must not be cut off, closes everything. Idempotent. */
  close(): Promise<void>;
}

/** What the service stands on, opened alone to see whether it answers. */
export interface Storage {
  /** Opens the database and closes it; one sentence on it. @throws AppError */
  checkDatabase(): Promise<string>;
  /** Writes an image's worth of bytes, reads it and erases it; one sentence on the place. @throws AppError */
  checkBlobs(): Promise<string>;
  /** Asks Telegram who the bot is; one sentence on it. @throws AppError */
  checkTelegram(): Promise<string>;
}

/** Database and images of the service, for a command that works on them. */
export interface Stores {
  readonly db: Database;
  readonly blobs: Blobs;
  close(): Promise<void>;
}

export interface CommandContext {
  /** Reads the settings. @throws AppError SETTINGS */
  readonly loadConfig: () => Config;
  /** Opens the engine; whoever opened it closes it. */
  readonly openEngine: (config: Config) => Promise<Engine>;
  /** Opens roles; whoever opened them closes them. */
  readonly openService: (config: Config, roles: Roles) => Promise<Service>;
  readonly openStorage: (config: Config) => Promise<Storage>;
  /** Opens them, the tables brought up to date; whoever opened them closes them. @throws AppError DATABASE_IN_USE */
  readonly openStores: (config: Config) => Promise<Stores>;
  /** Brings the database and its queue up to date. */
  readonly migrate: (config: Config) => Promise<void>;
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
  /** Aborts on Ctrl-C. */
  readonly signal: AbortSignal;
}

/** A command: its arguments without its own name; answers with the exit code. */
export type Command = (args: readonly string[], context: CommandContext) => Promise<number>;

/** `parseArgs` in strict mode, its complaints as an error of the catalogue. @throws AppError USAGE */
export function readArguments<T extends ParseArgsConfig>(
  args: readonly string[],
  config: T,
): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs<T>({ ...config, args: [...args] });
  } catch (error) {
    throw usage((error as Error).message.replace(/\.?\s*To specify.*$/s, ''), error);
  }
}

/** One of the allowed words of an option. @throws AppError USAGE */
export function choice<T extends string>(
  option: string,
  value: string | undefined,
  allowed: readonly T[],
): T | undefined {
  if (value === undefined) return undefined;
  const found = allowed.find((word) => word === value);
  if (found === undefined) throw usage(`${option} must be one of ${allowed.join(', ')}, not "${value}"`);
  return found;
}

export function usage(detail: string, cause?: unknown): AppError {
  return new AppError('USAGE', detail, { cause });
}
