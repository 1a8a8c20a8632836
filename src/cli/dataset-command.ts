/** `boardsharp dataset slice`: a lecture video in, pictures of its distinct boards out. */
import { readdir, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { clock, sliceVideo } from '../dataset/slice-video.ts';
import { AppError } from '../errors.ts';
import { type Command, readArguments, usage } from './command.ts';
import { identityOf } from './file-identity.ts';
import { identitiesOf, inputError, notAFile } from './photos.ts';
import { createProgressBar } from './progress-bar.ts';
import { preparePlace, writeResult } from './result-file.ts';
import { visible } from './terminal-text.ts';

export const runDataset: Command = async (args, context) => {
  const { values, positionals } = readArguments(args, {
    allowPositionals: true,
    options: {
      output: { type: 'string', short: 'o' },
      every: { type: 'string', default: '1' },
      force: { type: 'boolean', default: false },
    },
  });
  const [verb, video, ...more] = positionals;
  if (verb !== 'slice' || video === undefined || more.length > 0)
    throw usage('there is dataset slice <video>');
  const stepSeconds = Number(values.every);
  if (!(stepSeconds >= 0.1 && stepSeconds <= 600))
    throw usage(`--every must be a number of seconds from 0.1 to 600, not "${values.every}"`);
  const info = await stat(video).catch((error: unknown) => {
    throw inputError(video, error);
  });
  if (!info.isFile()) throw notAFile(video);
  const name = basename(video, extname(video));
  const folder = values.output ?? `${name}-boards`;
  const keep = identitiesOf([{ path: video, file: video, identity: await identityOf(video) }]);
  const { stdout, stderr, signal } = context;
  // Whatever keeps the pictures from being written is told before the minutes of search.
  await preparePlace(join(folder, `${name}.png`), { replace: true });
  const earlier = (await readdir(folder)).find(
    (file) => file.startsWith(`${name}-`) && file.endsWith('.png'),
  );
  if (earlier !== undefined && !values.force) throw new AppError('OUTPUT_EXISTS', join(folder, earlier));
  const bar = createProgressBar(stderr);
  let written = 0;
  try {
    for await (const { seconds, png } of sliceVideo(video, { stepSeconds, signal, onProgress: bar.show })) {
      written++;
      const path = join(folder, `${name}-${String(written).padStart(3, '0')}-${clock(seconds)}.png`);
      await writeResult(path, png, { replace: values.force, keep, signal });
      bar.clear();
      stdout.write(`${visible(path)}\n`);
    }
  } finally {
    bar.clear();
  }
  if (written > 0) return 0;
  throw new AppError('NO_BOARD_SEEN', video);
};
