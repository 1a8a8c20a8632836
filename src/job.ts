/** What an upscale is to everybody who handles one: its fields, its states and the ways between them. */

/** Where an upscale stands. `queued` and `processing` are open; the others are the end. */
export const STATUS = {
  queued: 'queued',
  processing: 'processing',
  done: 'done',
  failed: 'failed',
  cancelled: 'cancelled',
} as const;
export type Status = (typeof STATUS)[keyof typeof STATUS];

/** Every allowed way from one state to another. `processing → queued` is a worker handing a photo back. */
const WAYS: Readonly<Record<Status, readonly Status[]>> = {
  queued: ['processing', 'failed', 'cancelled'],
  processing: ['queued', 'done', 'failed', 'cancelled'],
  done: [],
  failed: [],
  cancelled: [],
};

/** Whether an upscale may go from one state to the other. */
export function mayBecome(from: Status, to: Status): boolean {
  return WAYS[from].includes(to);
}

/** The states from which `to` may be reached, for SQL. */
export function statesBefore(to: Status): Status[] {
  return Object.values(STATUS).filter((from) => mayBecome(from, to));
}

/** Whether nothing more will happen to it. */
export function isFinal(status: Status): boolean {
  return WAYS[status].length === 0;
}

/** The looks a board can be given. */
export const LOOKS = ['natural', 'clean'] as const;
export type Look = (typeof LOOKS)[number];

export const RESULT_FORMATS = ['jpeg', 'png', 'webp'] as const;
export type ResultFormat = (typeof RESULT_FORMATS)[number];

/** Size of a picture in pixels and in bytes as a file. */
export interface Picture {
  /** Null while nothing has decoded it yet. */
  readonly width: number | null;
  readonly height: number | null;
  readonly bytes: number;
  readonly format: string;
}

/** What a user asks for with one photo. */
export interface UpscaleOrder {
  /** Null: chosen by the photo's size. */
  readonly scale: 2 | 4 | null;
  readonly look: Look;
  /** Null: the default. */
  readonly model: string | null;
  readonly format: ResultFormat;
}

/** Why an upscale failed, as the user is told it. */
export interface Failure {
  readonly code: string;
  readonly message: string;
}

/** One photo on its way from acceptance to the result. */
export interface Upscale extends UpscaleOrder {
  readonly id: string;
  readonly userId: string;
  /** The request that brought it, for following it through the logs. */
  readonly requestId: string | null;
  readonly status: Status;
  /** 0…1. */
  readonly progress: number;
  readonly input: Picture;
  readonly output: Picture | null;
  /** The size the photo was reduced to before upscaling; null when it was small enough or is not known yet. */
  readonly reducedTo: { readonly width: number; readonly height: number } | null;
  /** What the quality gate found: at least a `verdict` and a `consistency`. */
  readonly quality: Readonly<Record<string, unknown>> | null;
  readonly error: Failure | null;
  /** Milliseconds spent in each step of the engine, and as `tiles` how many of them its last attempt computed. */
  readonly timings: Readonly<Record<string, number>> | null;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  /** When photo and result were erased; null while they are kept. */
  readonly erasedAt: Date | null;
}

/** Where the images of an upscale are kept: made of its id alone. */
export const BLOB_PREFIXES = ['photos/', 'results/', 'tiles/'] as const;

/** Where the crops of the reading trial are kept, each under the id of its item. */
export const CROP_PREFIX = 'trials/';

/** Key of the photo as it was sent. */
export function photoKey(id: string): string {
  return `photos/${id}`;
}

/** Key of the result. Two attempts write the same: the engine gives equal pixels for equal photos. */
export function resultKey(id: string): string {
  return `results/${id}`;
}

/** What the keys of all saved tiles of an upscale begin with. */
export function tilePrefix(id: string): string {
  return `tiles/${id}/`;
}
