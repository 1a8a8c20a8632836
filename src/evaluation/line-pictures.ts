/** Pictures of the worst lines for the report: bicubic, result and truth side by side. */
import { encode } from '../engine/image-codec.ts';
import { cutOut, expandWithin, type Raster } from '../engine/pixels.ts';
import type { WorstLine } from './figures.ts';
import type { Method } from './measure.ts';
import type { LinePictures } from './report.ts';
import type { TruthFolder, TruthLine } from './truth-folder.ts';

const MARGIN = 8;

/** One entry for each line, in order. Each board is enlarged once for each method that needs it. */
export async function picturesOf(
  worst: readonly WorstLine[],
  { boards }: TruthFolder,
  methods: readonly Method[],
): Promise<LinePictures[]> {
  const enlarged = new Map<string, Raster>();
  async function uri(name: string, board: string, line: TruthLine): Promise<string> {
    const key = JSON.stringify([name, board]);
    const found = boards.find((one) => one.name === board);
    const method = methods.find((one) => one.name === name);
    if (found === undefined || method === undefined) throw new RangeError(`no ${key}`);
    const raster = enlarged.get(key) ?? (await method.enlarge(found)).raster;
    enlarged.set(key, raster);
    const [left, top, right, bottom] = line.box;
    const rect = { left, top, width: right - left, height: bottom - top };
    const part = cutOut(raster, expandWithin(rect, MARGIN, raster.width, raster.height));
    return `data:image/jpeg;base64,${Buffer.from(await encode(part, 'jpeg')).toString('base64')}`;
  }
  const pictures: LinePictures[] = [];
  for (const { method, board, line } of worst) {
    pictures.push({
      bicubic: await uri('bicubic', board, line),
      result: await uri(method, board, line),
      truth: await uri('truth', board, line),
    });
  }
  return pictures;
}
