/** What the API says of an upscale. */
import type { Upscale } from '../job.ts';
import type { Waiting } from '../jobs/waiting.ts';
import type { UpscaleAnswer } from './schemas.ts';

/** The row and its place in the queue as the API's answer: nothing that is not the user's business. */
export function toAnswer(upscale: Upscale, { position, remainingSeconds }: Waiting): UpscaleAnswer {
  const { id, status, progress, scale, look, model, format, input, reducedTo, error } = upscale;
  return {
    id,
    status,
    position,
    remainingSeconds,
    progress,
    scale,
    look,
    model,
    format,
    input: { ...input },
    reducedTo: reducedTo === null ? null : { ...reducedTo },
    // A result has a size: its row is written with all of it at once.
    output: upscale.output as UpscaleAnswer['output'],
    quality: upscale.quality as UpscaleAnswer['quality'],
    error: error === null ? null : { ...error },
    createdAt: upscale.createdAt.toISOString(),
    startedAt: upscale.startedAt?.toISOString() ?? null,
    finishedAt: upscale.finishedAt?.toISOString() ?? null,
  };
}
