/** The thread that decodes HEIC: WebAssembly that would freeze its caller for seconds. The only file that imports libheif. */
import { createRequire } from 'node:module';
import { AppError } from '../errors.ts';
import { serve } from './thread.ts';

export interface HeicRequest {
  readonly bytes: Uint8Array;
  readonly maxPixels: number;
}

/** 8-bit RGBA with the file's rotation and mirroring applied, still in the file's own colours. */
export interface HeicPicture {
  readonly width: number;
  readonly height: number;
  readonly rgba: Uint8Array;
}

/** The part of libheif-js that is used here; the package brings no types for it. */
interface LibHeif {
  HeifDecoder: new () => { decode(bytes: Uint8Array): HeifImage[] };
}

interface HeifImage {
  get_width(): number;
  get_height(): number;
  is_primary(): boolean;
  display(
    target: { data: Uint8ClampedArray; width: number; height: number },
    done: (result: object | null) => void,
  ): void;
}

const libheif = createRequire(import.meta.url)('libheif-js/wasm-bundle') as LibHeif;

serve(async ({ bytes, maxPixels }: HeicRequest) => {
  const images = new libheif.HeifDecoder().decode(bytes);
  const image = images.find((candidate) => candidate.is_primary()) ?? images[0];
  if (image === undefined) throw new AppError('IMAGE_BROKEN', 'no picture found in the HEIC file');
  const width = image.get_width();
  const height = image.get_height();
  if (width * height > maxPixels)
    throw new AppError('TOO_MANY_PIXELS', `${width}×${height}, the limit is ${maxPixels}`);
  const data = new Uint8ClampedArray(width * height * 4);
  const shown = await new Promise<object | null>((resolve) =>
    image.display({ data, width, height }, resolve),
  );
  if (shown === null) throw new AppError('IMAGE_BROKEN', 'the HEIC picture is damaged');
  const rgba = new Uint8Array(data.buffer);
  return { value: { width, height, rgba } satisfies HeicPicture, transfer: [data.buffer] };
});
