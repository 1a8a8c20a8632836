/** A room's pictures in one file: as a ZIP of the results, or as a PDF of pages. Made while they are sent. */
import type { Readable } from 'node:stream';
import PDFDocument from 'pdfkit';
import { ZipFile } from 'yazl';
import { fitInto } from '../engine/image-codec.ts';
import type { Blobs } from '../storage/blobs.ts';
import type { PictureFile } from './send-picture.ts';

/** Longest side of a page's picture, in pixels: as sharp as a good print, and a few hundred kilobytes each. */
const PAGE = { maxSide: 2400, maxBytes: 2_000_000 };
/** Points of a PDF to a pixel of its picture: 150 pixels to the inch. */
const POINTS_PER_PIXEL = 72 / 150;

export interface GalleryFile extends PictureFile {
  readonly width: number;
  readonly height: number;
}

/** The results as they are kept: JPEGs grow no smaller. Each file is opened when its turn comes. */
export function zipOf(blobs: Blobs, files: readonly GalleryFile[]): Readable {
  const zip = new ZipFile();
  const output = zip.outputStream as Readable;
  let open: Readable | undefined;
  for (const [index, file] of files.entries()) {
    zip.addReadStreamLazy(numbered(index, file), { compress: false }, (give) => {
      blobs.get(file.key).then(
        ({ stream }) => {
          open = stream;
          // Nobody listens any more: nothing is read for them.
          if (output.destroyed) stream.destroy();
          give(null, stream);
        },
        (error: unknown) => {
          output.destroy(error as Error);
        },
      );
    });
  }
  output.on('close', () => open?.destroy());
  zip.end();
  return output;
}

/** Names that sort in the order of the lecture. */
function numbered(index: number, { name }: GalleryFile): string {
  return `${String(index + 1).padStart(3, '0')}-${name}`;
}

/** One page for each picture, in its own shape. The next one is made when the one before has gone out. */
export async function* pdfOf(
  blobs: Blobs,
  files: readonly GalleryFile[],
  title: string,
): AsyncGenerator<Buffer> {
  const document = new PDFDocument({ autoFirstPage: false, info: { Title: title, Creator: 'Boardsharp' } });
  for (const file of files) {
    const bytes = await blobs.read(file.key).catch(() => undefined);
    if (bytes === undefined) continue;
    const longest = Math.max(file.width, file.height);
    const scale = (POINTS_PER_PIXEL * Math.min(longest, PAGE.maxSide)) / longest;
    const size: [number, number] = [file.width * scale, file.height * scale];
    document.addPage({ size, margin: 0 });
    document.image(Buffer.from(await fitInto(bytes, PAGE, { mustBeJpeg: true })), 0, 0, {
      width: size[0],
      height: size[1],
    });
    yield* ready(document);
  }
  document.end();
  for await (const chunk of document as unknown as AsyncIterable<Buffer>) yield chunk;
}

function* ready(document: PDFKit.PDFDocument): Generator<Buffer> {
  const readable = document as unknown as Readable;
  for (let chunk = readable.read(); chunk !== null; chunk = readable.read()) yield chunk as Buffer;
}
