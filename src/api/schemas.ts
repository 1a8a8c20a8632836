/** The shapes of requests and answers: one schema each validates, serialises and documents. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyBaseLogger, FastifyInstance, FastifyTypeProvider, RawServerDefault } from 'fastify';
import { type Static, type TSchema, Type } from 'typebox';
import { OUTPUT_FORMATS } from '../engine/image-format.ts';
import { ERROR_CATALOGUE } from '../errors.ts';
import { LOOKS, STATUS } from '../job.ts';
import { PROBLEM_TYPE } from './problem.ts';

/** Lets handlers know the types of what the schemas let through. */
export interface SchemaTypes extends FastifyTypeProvider {
  readonly validator: this['schema'] extends TSchema ? Static<this['schema']> : unknown;
  readonly serializer: this['schema'] extends TSchema ? Static<this['schema']> : unknown;
}

/** The server as its routes see it. */
export type Server = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  SchemaTypes
>;

export function words<T extends string>(list: readonly T[], description: string) {
  return Type.Unsafe<T>({ type: 'string', enum: [...list], description });
}

export function nullable<T extends TSchema>(schema: T, description?: string) {
  return Type.Union([schema, Type.Null()], description === undefined ? {} : { description });
}

const scale = Type.Unsafe<2 | 4>({ type: 'integer', enum: [2, 4] });

/** What is asked for a photo: form fields beside it, or the query. */
export const UpscaleOptions = Type.Object(
  {
    scale: Type.Optional(scale),
    look: Type.Optional(words(LOOKS, 'How the board shall look')),
    model: Type.Optional(
      Type.String({ minLength: 1, maxLength: 64, description: 'One of `GET /v1/models`; else the default' }),
    ),
    format: Type.Optional(words(OUTPUT_FORMATS, 'What file the result shall be; else jpeg')),
  },
  { additionalProperties: false },
);
export type UpscaleOptions = Static<typeof UpscaleOptions>;

export const UpscaleHeaders = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 200,
      description: 'Any word of yours: the same one gives the same upscale, however often it is sent',
    }),
  ),
  'boardsharp-user': Type.Optional(
    Type.String({ description: 'The user you act for, `telegram:<id>`; else the key itself is the user' }),
  ),
});

// Any word is let through here: what is no id is simply not found, as an id that was never given out.
export const UpscaleId = Type.Object({ id: Type.String({ maxLength: 100 }) });

export const WaitQuery = Type.Object({
  wait: Type.Optional(
    Type.Number({
      minimum: 0,
      maximum: 60,
      description: 'Seconds to wait for its end; answered as soon as it ends',
    }),
  ),
});

const roomFor = (least: number, description: string) =>
  Type.Optional(Type.Integer({ minimum: least, maximum: 2 ** 31 - 1, description }));

export const PictureQuery = Type.Object(
  {
    maxBytes: roomFor(10_000, 'As a JPEG of at most so many bytes, where the file has more'),
    maxSide: roomFor(16, 'As a JPEG whose longer side has at most so many pixels'),
    maxSideSum: roomFor(32, 'As a JPEG whose width and height together have at most so many pixels'),
  },
  { additionalProperties: false },
);
export type PictureQuery = Static<typeof PictureQuery>;

const picture = {
  bytes: Type.Integer({ minimum: 0 }),
  format: Type.String({ examples: ['jpeg'] }),
};

const side = Type.Integer({ minimum: 1 });

export const UpscaleAnswer = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    status: words(Object.values(STATUS), 'The last three are final'),
    position: nullable(
      Type.Integer({ minimum: 1 }),
      'Place in the queue, 1 is next; null when it waits no more',
    ),
    remainingSeconds: nullable(
      Type.Number({ minimum: 0 }),
      'Estimate from measured throughput; null when it has ended, nothing is measured yet or nobody works',
    ),
    progress: Type.Number({ minimum: 0, maximum: 1 }),
    scale: nullable(scale, 'Null until it is chosen by the size of the photo'),
    look: words(LOOKS, 'How the board shall look'),
    model: nullable(Type.String(), 'Null until it is chosen'),
    format: words(OUTPUT_FORMATS, 'What file the result is'),
    input: Type.Object(
      { width: nullable(side), height: nullable(side), ...picture },
      { description: 'The photo; sizes are null while nothing has read them, which happens with HEIC' },
    ),
    reducedTo: nullable(
      Type.Object({ width: side, height: side }),
      'What the photo was reduced to first, where it was longer than MAX_INPUT_SIDE',
    ),
    output: nullable(Type.Object({ width: side, height: side, ...picture })),
    quality: nullable(
      Type.Object(
        {
          verdict: words(['accepted', 'softened', 'fallback'], 'What the quality gate let through'),
          consistency: Type.Number({ description: 'PSNR in dB between the photo and the reduced result' }),
          letterHeight: Type.Optional(
            nullable(
              Type.Number(),
              'Of a small letter, in pixels of the photo; null where no writing was found',
            ),
          ),
          tooSmall: Type.Optional(
            Type.Boolean({ description: 'Too small to be saved: come closer or zoom in' }),
          ),
        },
        { additionalProperties: true },
      ),
    ),
    error: nullable(Type.Object({ code: Type.String(), message: Type.String() })),
    createdAt: Type.String({ format: 'date-time' }),
    startedAt: nullable(Type.String({ format: 'date-time' })),
    finishedAt: nullable(Type.String({ format: 'date-time' })),
  },
  { description: 'A photo on its way to a readable picture' },
);
export type UpscaleAnswer = Static<typeof UpscaleAnswer>;

export const ModelsAnswer = Type.Object({
  models: Type.Array(
    Type.Object({
      name: Type.String(),
      summary: Type.String(),
      scale,
      licence: Type.String(),
      parameters: nullable(Type.Integer()),
      isInstalled: Type.Boolean({ description: 'Its file is here, and the right one' }),
      isDefault: Type.Boolean({ description: 'Used for whole photos of its scale when none is asked for' }),
    }),
  ),
});
export type ModelsAnswer = Static<typeof ModelsAnswer>;

export const LimitsAnswer = Type.Object({
  maxInputBytes: Type.Integer({ description: 'Larger files are refused' }),
  maxInputPixels: Type.Integer({ description: 'Photos with more pixels are refused' }),
  maxInputSide: Type.Integer({ description: 'Photos with a longer side are reduced to this first' }),
  retentionSeconds: Type.Number({ description: 'How long after their end photos and results are kept' }),
});
export type LimitsAnswer = Static<typeof LimitsAnswer>;

export const HealthAnswer = Type.Object({
  status: words(['live', 'ready'], 'Anything else is a problem with status 503'),
});

const ProblemAnswer = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String({ description: 'What was special this time' }),
  code: Type.String({ description: `Stable: ${Object.keys(ERROR_CATALOGUE).join(', ')}` }),
  action: Type.String({ description: 'The next step' }),
  requestId: Type.Optional(Type.String()),
});

const PROBLEM_MEANINGS: Readonly<Record<number, string>> = {
  400: 'What was sent makes no sense',
  401: 'No valid key',
  403: 'Not allowed',
  404: 'There is none',
  409: 'Asked for too early, or it ended without a result',
  413: 'Too large',
  415: 'Not an image we read',
  422: 'An image that cannot be decoded',
  429: 'Over the limit; see Retry-After',
  503: 'Not ready',
};

/** The documented problems of a route. Every one is `application/problem+json`. */
export function problems(...statuses: number[]): Record<number, unknown> {
  return Object.fromEntries(
    statuses.map((status) => [
      status,
      { description: PROBLEM_MEANINGS[status], content: { [PROBLEM_TYPE]: { schema: ProblemAnswer } } },
    ]),
  );
}
