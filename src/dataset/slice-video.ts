/** Cuts a lecture video into pictures of its distinct boards. */
import { BoardPicker } from './distinct-boards.ts';
import { frameAt, openVideo, sampleFrames } from './video.ts';

/** One board, as the video shows it best. */
export interface BoardPicture {
  readonly seconds: number;
  readonly png: Uint8Array;
}

export interface SliceOptions {
  /** How far apart the frames are that are looked at. */
  readonly stepSeconds: number;
  readonly signal: AbortSignal;
  /** @param done 0…1, nearly all of it the search */
  readonly onProgress: (done: number, label: string) => void;
}

/** What of the progress bar is the search; fetching the pictures is quick. */
const SEARCH = 0.95;

/**
 * Reads the whole video once in small, then each picked frame in full.
 * @throws AppError FFMPEG_MISSING, NOT_A_VIDEO, CANCELLED
 */
export async function* sliceVideo(
  path: string,
  { stepSeconds, signal, onProgress }: SliceOptions,
): AsyncGenerator<BoardPicture> {
  const video = await openVideo(path, signal);
  const picker = new BoardPicker();
  let seen = 0;
  for await (const frame of sampleFrames(video, stepSeconds, signal)) {
    picker.add(frame);
    seen++;
    onProgress(SEARCH * Math.min(1, (seen * stepSeconds) / video.seconds), clock(seen * stepSeconds));
  }
  const picked = picker.finish();
  for (const [i, { index }] of picked.entries()) {
    // The last sample may lie after the video's last frame.
    const seconds = Math.min(index * stepSeconds, Math.max(0, video.seconds - stepSeconds / 2));
    onProgress(SEARCH + ((1 - SEARCH) * i) / picked.length, clock(seconds));
    yield { seconds, png: await frameAt(video, seconds, signal) };
  }
}

/** 3725 → 1h02m05s: sorts by time, and may stand in a file's name. */
export function clock(seconds: number): string {
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  return `${Math.floor(seconds / 3600)}h${two((seconds / 60) % 60)}m${two(seconds % 60)}s`;
}
