/** The list of all settings with their defaults and meanings: what documents say of them is compared with it. */

/** One setting as documentation: `.env.example` and `docs/configuration.md` are compared with this table. */
export interface SettingDoc {
  readonly default: string;
  readonly meaning: string;
  /** It may also be given as the path of a file, in the setting of this name with _FILE behind it. */
  readonly secret?: true;
}

export const SETTINGS = {
  DATA_DIR: { default: './data', meaning: 'where the embedded database, the files and pulled models live' },
  DATABASE_URL: {
    default: '',
    meaning: 'PostgreSQL 15 or later, postgres://…; empty: a database embedded in DATA_DIR',
    secret: true,
  },
  S3_ENDPOINT: {
    default: '',
    meaning: 'address of an S3-compatible store; empty: files in DATA_DIR',
    secret: true,
  },
  S3_BUCKET: { default: '', meaning: 'the bucket there, which must exist', secret: true },
  S3_REGION: { default: 'us-east-1', meaning: 'its region', secret: true },
  S3_ACCESS_KEY_ID: { default: '', meaning: 'the key it is used with', secret: true },
  S3_SECRET_ACCESS_KEY: { default: '', meaning: 'and its secret', secret: true },
  JOB_TIMEOUT: { default: '120s', meaning: 'a photo that takes longer ends with a message that says so' },
  RETENTION: { default: '72h', meaning: 'photos and results are erased this long after their end' },
  WORKER_CONCURRENCY: { default: '2', meaning: 'photos worked on at the same time in one process' },
  MODEL: { default: '', meaning: 'name of the model to use; empty: the default of the chosen scale' },
  MODELS_DIR: {
    default: '',
    meaning:
      'where pulled models live, with an optional catalogue.json of your own; empty: models in DATA_DIR',
  },
  HF_ENDPOINT: { default: 'https://huggingface.co', meaning: 'the hub `models pull` fetches from' },
  HF_TOKEN: { default: '', meaning: 'access token for that hub, where a model asks for one' },
  EXECUTION_PROVIDER: { default: 'auto', meaning: 'auto, cpu, webgpu or cuda' },
  BATCH_SIZE: {
    default: '1',
    meaning: 'tiles a GPU is given at once, of however many photos; `npm run bench:gpu` measures it',
  },
  TILE_PIXELS: {
    default: '',
    meaning: "most photo pixels of a tile; empty: each network's own, from the catalogue",
  },
  MAX_INPUT_SIDE: {
    default: '2560',
    meaning: 'a photo with a longer side is reduced to this many pixels first: the speed control',
  },
  MAX_INPUT_PIXELS: { default: '50000000', meaning: 'photos with more pixels are refused before decoding' },
  MAX_INPUT_BYTES: { default: '20971520', meaning: 'larger files are refused before reading' },
  HOST: { default: '127.0.0.1', meaning: 'where the API listens; any other than loopback needs API_KEYS' },
  PORT: { default: '8080', meaning: 'port the API listens on; 0: any free one' },
  API_KEYS: {
    default: '',
    meaning: 'keys the API accepts, separated by commas or lines; at least 16 characters each',
    secret: true,
  },
  RATE_LIMIT: { default: '600', meaning: 'requests a minute for each user; 0: no limit' },
  QUOTA: { default: '500', meaning: 'photos a user may have waiting or in work at once; 0: no limit' },
  BOT_TOKEN: {
    default: '',
    meaning: "the Telegram bot's token, from @BotFather; empty: no bot",
    secret: true,
  },
  TELEGRAM_API_ROOT: {
    default: 'https://api.telegram.org',
    meaning: 'another Bot API server: a local one, a relay or a test server',
  },
  TELEGRAM_WEBHOOK_URL: {
    default: '',
    meaning: 'https address Telegram sends updates to; empty: the bot asks for them',
  },
  TELEGRAM_WEBHOOK_SECRET: {
    default: '',
    meaning: 'needed with it: 32 to 256 letters, digits, _ and -, by which Telegram is known',
    secret: true,
  },
  TELEGRAM_PROXY: {
    default: '',
    meaning: 'http://, https:// or socks5:// proxy on the way to Telegram',
    secret: true,
  },
  BOT_PORT: {
    default: '',
    meaning: 'port the bot listens on for the webhook and for health checks; needed with a webhook',
  },
  PUBLIC_URL: {
    default: '',
    meaning: 'where people reach the page, https://…; empty: the bot gives no links to the pages of rooms',
  },
  API_URL: { default: '', meaning: 'where the bot finds the API; empty: in the same process' },
  API_KEY: { default: '', meaning: 'and the key it shows there, one of its API_KEYS', secret: true },
  ADMIN_IDS: {
    default: '',
    meaning: "Telegram ids, separated by commas, that may use the administrator's commands",
  },
  OPENTELEMETRY: {
    default: 'off',
    meaning: 'on: the queue tells spans and metrics to the OpenTelemetry SDK that the process has loaded',
  },
  LOG_LEVEL: { default: 'info', meaning: 'trace, debug, info, warn, error or silent' },
  LOG_FORMAT: { default: '', meaning: 'pretty or json; empty: pretty on a terminal, else json' },
} as const satisfies Record<string, SettingDoc>;

export type SettingName = keyof typeof SETTINGS;
