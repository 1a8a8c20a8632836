/** Catalogues for tests. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FILE, REPOSITORY } from './local-hub.ts';

export type Entry = Record<string, unknown>;

/** A right catalogue entry with a file beside the catalogue, changed as asked. */
export function fileEntry(changes: Entry = {}): Entry {
  return {
    ...{ summary: 'A network', scale: 2, source: { file: 'network.onnx' }, sha256: null, bytes: null },
    ...{ input: { name: 'input', multiple: 2 }, output: { name: 'correction' }, range: 1, base: 'bicubic' },
    ...{ halo: 32, tiling: 'exact', tilePixels: 65_536, licence: 'Apache-2.0', parameters: null },
    ...changes,
  };
}

/** The same with the one file of the local hub. */
export function hubEntry(changes: Entry = {}): Entry {
  return fileEntry({ source: { repository: REPOSITORY, revision: 'main', file: FILE }, ...changes });
}

/** Writes an embedded catalogue with a default for each scale and the given entries. */
export async function writeEmbedded(
  folder: string,
  models: Record<string, Entry>,
  defaults?: unknown,
): Promise<void> {
  const all = { two: fileEntry(), four: fileEntry({ scale: 4 }), ...models };
  const choices = {
    2: { model: 'two', why: 'it is the only one' },
    4: { model: 'four', why: 'it is the only one' },
  };
  await writeFile(
    join(folder, 'catalogue.json'),
    JSON.stringify({ defaults: defaults ?? choices, models: all }),
  );
}

/** Writes a user's catalogue. */
export async function writeOwn(folder: string, models: Record<string, Entry>): Promise<void> {
  await writeFile(join(folder, 'catalogue.json'), JSON.stringify({ models }));
}
