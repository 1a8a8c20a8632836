/** The doorway to ffmpeg, a program of the system: a video's length, its frames in small, single frames in full. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { AppError } from '../errors.ts';
import { FRAME } from './distinct-boards.ts';

const QUIET = ['-hide_banner', '-nostdin', '-loglevel', 'error'];

/** A video that was asked about and can be read. */
export interface Video {
  readonly path: string;
  readonly seconds: number;
}

/** @throws AppError FFMPEG_MISSING, NOT_A_VIDEO */
export async function openVideo(path: string, signal: AbortSignal): Promise<Video> {
  const entries = ['-select_streams', 'v:0', '-show_entries', 'stream=codec_type:format=duration'];
  const chunks: Buffer[] = [];
  for await (const chunk of output(
    'ffprobe',
    ['-v', 'error', ...entries, '-of', 'json', address(path)],
    signal,
  ))
    chunks.push(chunk);
  const { streams, format } = JSON.parse(Buffer.concat(chunks).toString()) as {
    streams?: unknown[];
    format?: { duration?: string };
  };
  const seconds = Number(format?.duration);
  if (!streams?.length || !(seconds > 0)) throw new AppError('NOT_A_VIDEO', `${path} has no moving picture`);
  return { path, seconds };
}

/** Grey frames of FRAME's size, number n the one that is shown at n times `stepSeconds`. @throws AppError NOT_A_VIDEO */
export async function* sampleFrames(
  { path }: Video,
  stepSeconds: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const { width, height } = FRAME;
  const filter = `fps=1/${stepSeconds}:round=up,scale=${width}:${height}:flags=area,format=gray`;
  const rest = ['-an', '-sn', '-vf', filter, '-f', 'rawvideo', '-'];
  let waiting = Buffer.alloc(0);
  for await (const chunk of output('ffmpeg', [...QUIET, '-i', address(path), ...rest], signal)) {
    waiting = Buffer.concat([waiting, chunk]);
    for (; waiting.length >= width * height; waiting = waiting.subarray(width * height))
      yield new Uint8Array(waiting.subarray(0, width * height));
  }
}

/** The frame at a time, in the video's full size, as a PNG. @throws AppError NOT_A_VIDEO */
export async function frameAt({ path }: Video, seconds: number, signal: AbortSignal): Promise<Uint8Array> {
  const place = ['-ss', seconds.toFixed(3), '-i', address(path), '-an', '-sn', '-frames:v', '1'];
  const chunks: Buffer[] = [];
  for await (const chunk of output(
    'ffmpeg',
    [...QUIET, ...place, '-c:v', 'png', '-f', 'image2pipe', '-'],
    signal,
  ))
    chunks.push(chunk);
  if (chunks.length === 0) throw new AppError('NOT_A_VIDEO', `${path} has no picture at ${seconds} s`);
  return Buffer.concat(chunks);
}

/** Never an option or another protocol, whatever the file is called. */
function address(path: string): string {
  return `file:${path}`;
}

/** What a program writes, as it comes. Whoever stops reading ends it. */
async function* output(program: string, args: string[], signal: AbortSignal): AsyncGenerator<Buffer> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], signal, killSignal: 'SIGKILL' });
  const closed = once(child, 'close').catch((error: unknown) => [error]);
  const complaint = text(child.stderr).catch(() => '');
  try {
    yield* child.stdout as AsyncIterable<Buffer>;
    const [end] = (await closed) as [number | null | NodeJS.ErrnoException];
    if (signal.aborted) throw new AppError('CANCELLED', `${program} was stopped`);
    if (end instanceof Error) {
      if (end.code === 'ENOENT') throw new AppError('FFMPEG_MISSING', program, { cause: end });
      throw end;
    }
    if (end !== 0) {
      const [line = `exit code ${end}`] = (await complaint).trim().split('\n').slice(-1);
      throw new AppError('NOT_A_VIDEO', line);
    }
  } finally {
    child.kill('SIGKILL');
  }
}
