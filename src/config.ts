/** Settings: the environment and `.env`, parsed once into a frozen object. The only file that reads `process.env`. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { AppError } from './errors.ts';
import { LOG_FORMATS, LOG_LEVELS } from './log.ts';
import { Secret } from './secret.ts';
import { SETTINGS, type SettingDoc, type SettingName } from './settings.ts';

export const EXECUTION_PROVIDERS = ['auto', 'cpu', 'webgpu', 'cuda'] as const;
export type ExecutionProvider = (typeof EXECUTION_PROVIDERS)[number];

/** In characters: short keys can be guessed. */
const SHORTEST_API_KEY = 16;

const BOT_TOKEN = /^\d{5,16}:[A-Za-z0-9_-]{30,}$/;
const WEBHOOK_SECRET = /^[A-Za-z0-9_-]{32,256}$/;

/** Every setting, parsed. Sizes in pixels or bytes as their names say; paths absolute. */
export interface Config {
  readonly dataDir: string;
  readonly model: string | undefined;
  readonly modelsDir: string;
  readonly hfEndpoint: string;
  readonly hfToken: Secret | undefined;
  readonly executionProvider: ExecutionProvider;
  /** Most tiles a GPU is given at once. */
  readonly batchSize: number;
  /** Most photo pixels of a tile; undefined: each network's own, from the catalogue. */
  readonly tilePixels: number | undefined;
  readonly maxInputSide: number;
  readonly maxInputPixels: number;
  readonly maxInputBytes: number;
  readonly host: string;
  readonly port: number;
  /** Keys the API accepts; empty: none is asked for, which only loopback may do. */
  readonly apiKeys: readonly Secret[];
  /** Requests a minute and photos waiting at once, for each user; 0: no limit. */
  readonly rateLimit: number;
  readonly quota: number;
  /** Undefined: PGlite in `dataDir`. */
  readonly databaseUrl: Secret | undefined;
  /** Undefined: files in `dataDir`. */
  readonly s3: S3Config | undefined;
  readonly jobTimeoutMs: number;
  readonly retentionMs: number;
  /** Photos worked on at the same time in one process. */
  readonly workerConcurrency: number;
  /** Undefined: no bot. */
  readonly botToken: Secret | undefined;
  readonly telegramApiRoot: string;
  /** Undefined: long polling. */
  readonly webhook: { readonly url: string; readonly secret: Secret } | undefined;
  /** http, https or socks5; may hold a password. */
  readonly telegramProxy: Secret | undefined;
  /** Where the bot listens for the webhook and for health checks; undefined: nowhere. */
  readonly botPort: number | undefined;
  /** Where the bot finds the API; undefined: in its own process. */
  /** Spans and metrics of the queue, where an SDK of OpenTelemetry is loaded. */
  readonly telemetry: boolean;
  /** Where people reach the page, without a slash at its end. */
  readonly publicUrl: string | undefined;
  readonly apiUrl: string | undefined;
  readonly apiKey: Secret | undefined;
  /** Telegram ids of administrators. */
  readonly adminIds: readonly number[];
  readonly logLevel: (typeof LOG_LEVELS)[number];
  readonly logFormat: (typeof LOG_FORMATS)[number];
}

/** An S3-compatible store. */
export interface S3Config {
  readonly endpoint: string;
  readonly bucket: string;
  readonly region: string;
  readonly accessKeyId: Secret;
  readonly secretAccessKey: Secret;
}

/**
 * Reads the settings from the process's environment and from `.env` in the folder; the environment wins.
 * @throws AppError SETTINGS naming every wrong setting at once
 */
export function loadConfig(folder = process.cwd()): Config {
  return readConfig({ ...readDotEnv(resolve(folder, '.env')), ...process.env }, folder);
}

/** The same from any record, for tests and embedding. Relative paths are taken from `folder`. */
export function readConfig(
  env: Readonly<Record<string, string | undefined>>,
  folder = process.cwd(),
): Config {
  const problems: string[] = [];
  const text = (name: SettingName): string => {
    const doc: SettingDoc = SETTINGS[name];
    const file = doc.secret ? env[`${name}_FILE`]?.trim() : undefined;
    if (!file) return env[name]?.trim() || doc.default;
    if (env[name]?.trim()) problems.push(`${name} and ${name}_FILE are both set`);
    try {
      return readFileSync(resolve(folder, file), 'utf8').trim() || doc.default;
    } catch (error) {
      problems.push(`${name}_FILE cannot be read: ${(error as Error).message}`);
      return '';
    }
  };
  const secret = (name: SettingName): Secret | undefined => {
    const value = text(name);
    return value ? new Secret(value) : undefined;
  };
  const duration = (name: SettingName, minMs: number, maxMs: number): number => {
    const value = parseDuration(text(name));
    if (value !== undefined && value >= minMs && value <= maxMs) return value;
    problems.push(`${name} must be a time like 90s, 10m, 72h or 30d, not "${text(name)}"`);
    return minMs;
  };
  const integer = (name: SettingName, min: number, max: number): number => {
    const value = Number(text(name));
    if (Number.isInteger(value) && value >= min && value <= max) return value;
    problems.push(`${name} must be a whole number from ${min} to ${max}, not "${text(name)}"`);
    return min;
  };
  const oneOf = <T extends string>(name: SettingName, choices: readonly T[], preset?: T): T => {
    const value = text(name) || preset;
    const found = choices.find((choice) => choice === value);
    if (found !== undefined) return found;
    problems.push(`${name} must be one of ${choices.join(', ')}, not "${value}"`);
    return choices[0] as T;
  };
  const url = (name: SettingName): string => {
    const value = text(name);
    const { protocol = '', username, password } = URL.parse(value) ?? {};
    if (username || password) problems.push(`${name} must be an address without a user and a password`);
    else if (/^https?:$/.test(protocol)) return value.replace(/\/+$/, '');
    // What cannot be read as an address may have them all the same, and is not repeated then.
    else
      problems.push(
        `${name} must be an http or https address${value.includes('@') ? '' : `, not "${value}"`}`,
      );
    return value;
  };

  function readKeys(): Secret[] {
    const keys = text('API_KEYS')
      .split(/[\s,]+/)
      .filter((key) => key !== '');
    // The key itself is never repeated, not even a wrong one: it may be right elsewhere.
    if (keys.some((key) => key.length < SHORTEST_API_KEY)) {
      problems.push(`API_KEYS must be at least ${SHORTEST_API_KEY} characters each`);
    }
    return keys.map((key) => new Secret(key));
  }

  const databaseUrl = (): Secret | undefined => {
    const value = secret('DATABASE_URL');
    if (value === undefined || /^postgres(ql)?:$/.test(URL.parse(value.reveal())?.protocol ?? ''))
      return value;
    problems.push('DATABASE_URL must begin with postgres:// or postgresql://');
    return undefined;
  };
  const s3 = (): S3Config | undefined => {
    const [accessKeyId, secretAccessKey] = [secret('S3_ACCESS_KEY_ID'), secret('S3_SECRET_ACCESS_KEY')];
    const given = [text('S3_ENDPOINT'), text('S3_BUCKET'), accessKeyId, secretAccessKey];
    if (!given.some(Boolean)) return undefined;
    if (accessKeyId === undefined || secretAccessKey === undefined || !given.every(Boolean)) {
      problems.push('S3_ENDPOINT, S3_BUCKET, S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY belong together');
      return undefined;
    }
    return {
      endpoint: url('S3_ENDPOINT'),
      bucket: text('S3_BUCKET'),
      region: text('S3_REGION'),
      accessKeyId,
      secretAccessKey,
    };
  };

  const botToken = (): Secret | undefined => {
    const token = secret('BOT_TOKEN');
    // The token itself is never repeated, not even a wrong one.
    if (token !== undefined && !BOT_TOKEN.test(token.reveal())) {
      problems.push('BOT_TOKEN must look like 123456789:AbC…, as @BotFather gives it');
    }
    return token;
  };
  const webhook = (): Config['webhook'] => {
    const address = text('TELEGRAM_WEBHOOK_URL');
    const word = secret('TELEGRAM_WEBHOOK_SECRET');
    if (!address) return undefined;
    if (!address.startsWith('https://')) problems.push('TELEGRAM_WEBHOOK_URL must begin with https://');
    if (!text('BOT_PORT')) problems.push('TELEGRAM_WEBHOOK_URL needs BOT_PORT, where its updates arrive');
    if (word === undefined || !WEBHOOK_SECRET.test(word.reveal())) {
      problems.push('TELEGRAM_WEBHOOK_SECRET must be 32 to 256 letters, digits, _ and -');
      return undefined;
    }
    return { url: url('TELEGRAM_WEBHOOK_URL'), secret: word };
  };
  const proxy = (): Secret | undefined => {
    const value = secret('TELEGRAM_PROXY');
    if (value !== undefined && !/^(https?|socks5h?):$/.test(URL.parse(value.reveal())?.protocol ?? '')) {
      problems.push('TELEGRAM_PROXY must begin with http://, https:// or socks5://');
    }
    return value;
  };
  const adminIds = (): number[] => {
    const words = text('ADMIN_IDS')
      .split(/[\s,]+/)
      .filter(Boolean);
    const wrong = words.filter((word) => !/^\d{1,15}$/.test(word));
    if (wrong.length > 0) problems.push(`ADMIN_IDS must be numbers, not "${wrong.join(', ')}"`);
    return words.map(Number);
  };

  const dataDir = resolve(folder, text('DATA_DIR'));
  const hfToken = text('HF_TOKEN');
  const apiKeys = readKeys();
  if (apiKeys.length === 0 && !isLoopback(text('HOST'))) {
    problems.push(`HOST ${text('HOST')} is not loopback: others could reach it, so API_KEYS must be set`);
  }
  const config: Config = Object.freeze({
    dataDir,
    model: text('MODEL') || undefined,
    modelsDir: text('MODELS_DIR') ? resolve(folder, text('MODELS_DIR')) : resolve(dataDir, 'models'),
    hfEndpoint: url('HF_ENDPOINT'),
    hfToken: hfToken ? new Secret(hfToken) : undefined,
    executionProvider: oneOf('EXECUTION_PROVIDER', EXECUTION_PROVIDERS),
    batchSize: integer('BATCH_SIZE', 1, 64),
    tilePixels: text('TILE_PIXELS') ? integer('TILE_PIXELS', 10_000, 16_000_000) : undefined,
    maxInputSide: integer('MAX_INPUT_SIDE', 16, 16_384),
    maxInputPixels: integer('MAX_INPUT_PIXELS', 1, 268_000_000),
    maxInputBytes: integer('MAX_INPUT_BYTES', 1, 2 ** 30),
    databaseUrl: databaseUrl(),
    s3: s3(),
    jobTimeoutMs: duration('JOB_TIMEOUT', 1000, 24 * 3_600_000),
    retentionMs: duration('RETENTION', 60_000, 3650 * 24 * 3_600_000),
    workerConcurrency: integer('WORKER_CONCURRENCY', 1, 64),
    host: text('HOST'),
    port: integer('PORT', 0, 65_535),
    apiKeys,
    rateLimit: integer('RATE_LIMIT', 0, 1_000_000),
    quota: integer('QUOTA', 0, 1_000_000),
    botToken: botToken(),
    telegramApiRoot: url('TELEGRAM_API_ROOT'),
    webhook: webhook(),
    telegramProxy: proxy(),
    botPort: text('BOT_PORT') ? integer('BOT_PORT', 0, 65_535) : undefined,
    telemetry: oneOf('OPENTELEMETRY', ['off', 'on']) === 'on',
    publicUrl: text('PUBLIC_URL') ? url('PUBLIC_URL') : undefined,
    apiUrl: text('API_URL') ? url('API_URL') : undefined,
    apiKey: secret('API_KEY'),
    adminIds: adminIds(),
    logLevel: oneOf('LOG_LEVEL', LOG_LEVELS),
    logFormat: oneOf('LOG_FORMAT', LOG_FORMATS, process.stderr.isTTY ? 'pretty' : 'json'),
  });
  if (problems.length > 0) throw new AppError('SETTINGS', problems.join('; '));
  return config;
}

/** Whether nobody but this machine can reach an address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Milliseconds of a time like `120s` or `72h`; undefined if it is none. */
function parseDuration(text: string): number | undefined {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)$/.exec(text) ?? [];
  const unitMs = UNIT_MS[unit ?? ''];
  return unitMs === undefined ? undefined : Math.round(Number(amount) * unitMs);
}

/** Whether errors should show where they came from; works before the settings are read, or when they are wrong. */
export function wantsStackTraces(folder = process.cwd()): boolean {
  let fromFile: Record<string, string | undefined> = {};
  try {
    fromFile = readDotEnv(resolve(folder, '.env'));
  } catch {
    // That it cannot be read is the error being reported.
  }
  return showsStackTraces({ ...fromFile, ...process.env }.LOG_LEVEL?.trim());
}

/** The same of a level that is known. */
export function showsStackTraces(logLevel: string | undefined): boolean {
  return logLevel === 'debug' || logLevel === 'trace';
}

function readDotEnv(path: string): Record<string, string | undefined> {
  try {
    return parseEnv(readFileSync(path, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new AppError('SETTINGS', `${path} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

/**
 * Tells ONNX Runtime to report nothing: its builds for Linux and macOS send figures about models and machines to Microsoft, and
 * keep an id of the device, unless this variable is set before they are loaded (ONNX Runtime pull requests 27379 and 29843).
 * Must be called in the main thread: other threads have a copy of the environment that no library sees.
 */
export function forbidTelemetry(): void {
  process.env.ORT_DISABLE_TELEMETRY = '1';
}
