/** A small reading trial, loaded into a data folder before a service opens it. */
import { readConfig } from '../../src/config.ts';
import { openEngine } from '../../src/open-engine.ts';
import { loadTrial } from '../../src/pilot/reading-trial.ts';
import { openBlobs } from '../../src/storage/open-blobs.ts';
import { openDatabase } from '../../src/storage/open-database.ts';
import { setTrialClosed } from '../../src/storage/trial-records.ts';
import { photo } from './api.ts';

/** A trial of these words, four at most, cut from one small photo. Returns the code of its page. */
export async function loadWords(
  folder: string,
  words: readonly string[],
  { isClosed = false } = {},
): Promise<string> {
  const config = readConfig({ DATA_DIR: folder, EXECUTION_PROVIDER: 'cpu', LOG_LEVEL: 'silent' });
  const [db, blobs, engine] = [await openDatabase(config), await openBlobs(config), await openEngine(config)];
  const texts = words.map((text, at) => ({
    ...{ text, kind: 'word' as const, language: 'en', letterHeight: 6 },
    box: { left: 4 + 20 * at, top: 4, right: 20 + 20 * at, bottom: 20 },
  }));
  const board = { photo: 'board.jpg', boardKind: 'green', texts, bytes: await photo(96, 64) };
  const { id, code } = await loadTrial(
    { db, blobs, upscaler: engine.upscaler },
    'words',
    (async function* () {
      yield board;
    })(),
  );
  await setTrialClosed(db, id, isClosed);
  await engine.close();
  await blobs.close();
  await db.close();
  return code;
}
