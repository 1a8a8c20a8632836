/** Every error a user can meet: one class, one catalogue of codes, statuses and next steps. */

/** What is known about an error before it happens. */
interface ErrorKind {
  /** HTTP status the API answers with. */
  readonly status: number;
  /** Whether the same request may succeed later without the user changing anything. */
  readonly retryable: boolean;
  /** What happened, in a few words. */
  readonly title: string;
  /** What the user can do about it. */
  readonly action: string;
}

/** The catalogue. `docs/errors.md` lists the same codes; a test compares the two. */
export const ERROR_CATALOGUE = {
  USAGE: kind(400, 'The command is not complete or not understood', 'See `boardsharp --help`'),
  SETTINGS: kind(400, 'Settings are wrong', 'Correct them in the environment or in .env; see .env.example'),
  INPUT_NOT_FOUND: kind(404, 'The file or folder does not exist', 'Check the path'),
  INPUT_UNREADABLE: kind(403, 'The file cannot be read', 'Check its permissions'),
  INPUT_EMPTY: kind(415, 'The file is empty', 'Send the photo again'),
  NOT_AN_IMAGE: kind(
    415,
    'This is not an image we read',
    'Send a JPEG, PNG, WebP, AVIF, TIFF, GIF or HEIC photo',
  ),
  IMAGE_BROKEN: kind(422, 'The image cannot be decoded', 'The file may be cut off; send it again'),
  TOO_MANY_BYTES: kind(413, 'The file is too large', 'Send a smaller file, or raise MAX_INPUT_BYTES'),
  TOO_MANY_PIXELS: kind(
    413,
    'The image has too many pixels',
    'Crop it or reduce it, or raise MAX_INPUT_PIXELS',
  ),
  OUTPUT_TOO_LARGE: kind(
    413,
    'The result would be too large for its format',
    'Use --scale 2, or --format png',
  ),
  OUTPUT_EXISTS: kind(
    409,
    'The output file exists already',
    'Use --force to replace it, or -o for another place',
  ),
  OUTPUT_UNWRITABLE: kind(
    507,
    'The result cannot be written',
    'Check the folder, its permissions and the free space',
  ),
  MODEL_UNKNOWN: kind(400, 'There is no such model', 'See `boardsharp models` for those there are'),
  MODEL_MISSING: kind(503, 'The model is not installed', 'Run `boardsharp models pull <name>`'),
  MODEL_CORRUPT: kind(
    503,
    'The model file is not the one the catalogue describes',
    'Run `boardsharp models pull <name>`, or reinstall Boardsharp for an embedded model',
  ),
  MODEL_MISFIT: kind(
    500,
    'The network does not fit its description in the catalogue',
    'Correct its entry in the catalogue, or report it',
  ),
  CATALOGUE: kind(500, 'The model catalogue is wrong', 'Correct the file it names'),
  DOWNLOAD: kind(
    502,
    'The model could not be fetched',
    'Check the network and HF_ENDPOINT, then try again',
    true,
  ),
  PROVIDER: kind(503, 'The execution provider is not available', 'Set EXECUTION_PROVIDER=auto or cpu'),
  ENGINE_FAILED: kind(500, 'The network failed on this photo', 'Try again; if it stays, report it', true),
  ENGINE_CRASHED: kind(
    500,
    'The engine stopped while working on this photo',
    'Try again with a smaller photo or a smaller MAX_INPUT_SIDE',
    true,
  ),
  INVALID_REQUEST: kind(400, 'The request makes no sense', 'See /docs for what is expected'),
  UNAUTHORIZED: kind(401, 'A valid API key is needed', 'Send one of API_KEYS as `Authorization: Bearer …`'),
  FORBIDDEN: kind(403, 'You may not do this', 'Ask an administrator'),
  BANNED: kind(403, 'You are banned', 'Ask an administrator'),
  NOT_FOUND: kind(404, 'There is no such thing', 'It may have ended or been erased'),
  LEASE_LOST: kind(409, 'The lease is over', 'Lease it again'),
  NO_SUCH_PAGE: kind(404, 'There is nothing at this address', 'See /docs for the addresses there are'),
  UPSCALE_NOT_FOUND: kind(404, 'There is no such upscale', 'It may have been erased; send the photo again'),
  RESULT_NOT_READY: kind(409, 'There is no result yet', 'Wait until its status is done', true),
  REQUEST_TOO_SLOW: kind(
    408,
    'The request took too long to arrive',
    'Send it again, or a smaller photo',
    true,
  ),
  HEADERS_TOO_LARGE: kind(431, 'The headers of the request are too large', 'Send fewer or shorter ones'),
  RATE_LIMITED: kind(429, 'Too many requests', 'Wait for as long as Retry-After says', true),
  QUOTA_EXCEEDED: kind(
    429,
    'Too many photos are waiting already',
    'Wait until some of them are done, or raise QUOTA',
    true,
  ),
  NOT_READY: kind(503, 'The service is not ready', 'Try again in a moment', true),
  API_UNREACHABLE: kind(502, 'The API does not answer', 'Check API_URL and that it is running', true),
  ADDRESS_TAKEN: kind(503, 'The address is not free to listen on', 'Set another HOST or PORT'),
  DATABASE: kind(
    503,
    'The database does not answer',
    'Check DATABASE_URL and the server, then try again',
    true,
  ),
  DATABASE_IN_USE: kind(
    503,
    'The embedded database is in use by another process',
    'Stop that process, choose another DATA_DIR, or set DATABASE_URL to share a PostgreSQL',
  ),
  DATABASE_NEWER: kind(
    503,
    'The database belongs to a newer version of Boardsharp',
    'Install that version, or restore the backup made before the update',
  ),
  STORAGE: kind(
    503,
    'The storage for images does not answer',
    'Check DATA_DIR and its free space, or the S3 settings, then try again',
    true,
  ),
  BLOB_MISSING: kind(404, 'The image is not kept any more', 'Send the photo again'),
  ROOM_NOT_FOUND: kind(404, 'There is no such room', 'Ask whoever invited you for a new link'),
  ROOM_EXILED: kind(403, 'You were removed from this room', 'Ask its owner'),
  ROOM_FULL: kind(409, 'The room is full', 'Ask its owner to make another one'),
  ROOM_LIMIT: kind(409, 'You have as many rooms as one may have', 'Close one of them first'),
  ROOM_EXISTS: kind(409, 'This chat is a room already', 'Use that one'),
  ROOM_OWNER: kind(409, 'The owner stays in the room', 'Close the room instead'),
  EVALUATION_FILE: kind(
    400,
    'This is no report of an evaluation',
    'Give the report.json that `boardsharp evaluate` wrote',
  ),
  TRIAL_FOLDER: kind(400, 'The trial folder is not as it must be', 'See docs/pilot.md for its format'),
  TRIAL_ITEM_NOT_FOUND: kind(404, 'You were not shown this', 'Ask for the next word'),
  TRIAL_NOT_FOUND: kind(404, 'There is no such trial', 'See `boardsharp trial` for those there are'),
  EXPIRED: kind(404, 'The result was erased before it could be sent', 'Send the photo again'),
  TELEGRAM_TOKEN: kind(401, 'Telegram does not know the bot', 'Check BOT_TOKEN with @BotFather'),
  TELEGRAM_CONFLICT: kind(
    409,
    'Another program fetches the updates of this bot',
    'Stop it, or remove its webhook, then start the bot again',
  ),
  TELEGRAM_UNREACHABLE: kind(
    502,
    'Telegram does not answer',
    'Check the network, TELEGRAM_API_ROOT and TELEGRAM_PROXY',
    true,
  ),
  DOWNLOAD_FAILED: kind(502, 'Telegram did not give the file', 'Send the photo again', true),
  FFMPEG_MISSING: kind(
    503,
    'A program that reads videos is not installed',
    'Install ffmpeg (Debian: apt install ffmpeg)',
  ),
  NOT_A_VIDEO: kind(415, 'This video cannot be read', 'Check that ffplay can play the file'),
  NO_BOARD_SEEN: kind(
    422,
    'No board with writing was seen in the video',
    'Look at it; a camera that never rests gives none. A smaller --every looks closer',
  ),
  TIMEOUT: kind(
    504,
    'The photo took too long',
    'Send a smaller photo, or lower MAX_INPUT_SIDE or raise JOB_TIMEOUT',
  ),
  CANCELLED: kind(409, 'Cancelled', 'Start it again when you like'),
  INTERNAL: kind(500, 'An error of ours', 'Try again; if it stays, report it with LOG_LEVEL=debug', true),
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof ERROR_CATALOGUE;

/** An error that is told to the user: a code from the catalogue and what was special this time. */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCode;
  /** What was special this time, without a full stop: a path, a number and its limit. */
  readonly detail: string;
  /** The next step. */
  readonly action: string;

  /**
   * @param code one of the catalogue
   * @param detail what was special this time; never contains a secret
   * @param options `action` replaces the catalogue's next step where a better one is known
   */
  constructor(code: ErrorCode, detail: string, options: { cause?: unknown; action?: string } = {}) {
    const { title, action } = ERROR_CATALOGUE[code];
    const next = options.action ?? action;
    super(
      `${title}: ${detail}. ${next}.`,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.code = code;
    this.detail = detail;
    this.action = next;
  }

  get status(): number {
    return ERROR_CATALOGUE[this.code].status;
  }

  get title(): string {
    return ERROR_CATALOGUE[this.code].title;
  }

  get retryable(): boolean {
    return ERROR_CATALOGUE[this.code].retryable;
  }
}

/** Any thrown thing as an `AppError`: itself, a cancellation, or `INTERNAL` with the cause kept. */
export function toAppError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  if (thrown instanceof Error && thrown.name === 'AbortError') {
    return new AppError('CANCELLED', 'the work was stopped before its end', { cause: thrown });
  }
  const detail = (thrown instanceof Error ? thrown.message : String(thrown)).split('\n', 1)[0] ?? '';
  return new AppError('INTERNAL', detail.replace(/\.+$/, ''), { cause: thrown });
}

function kind(status: number, title: string, action: string, retryable = false): ErrorKind {
  return { status, title, action, retryable };
}
