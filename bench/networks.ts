/**
 * What networks cost beside each other: time and memory for a megapixel of photo, each in a process of its own, taking turns.
 *
 * node bench/networks.ts [--size 192x144] [--rounds 5] [--threads 1] a.onnx b.onnx …
 *
 * CPU time is what is compared: on a busy machine it is longer than on an idle one, but not by much, and for all alike.
 * Networks of one scale are also compared by their output for the same noise-free picture: PSNR against the first.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import * as ort from 'onnxruntime-node';
import { forbidTelemetry } from '../src/config.ts';
import { toPlanes } from '../src/engine/pixels.ts';
import { drawBoard } from '../test/helpers/pictures.ts';

interface Round {
  readonly cpuMs: number;
  readonly wallMs: number;
  readonly peakMb: number;
  readonly output: readonly number[];
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    size: { type: 'string', default: '192x144' },
    rounds: { type: 'string', default: '5' },
    threads: { type: 'string', default: '1' },
    child: { type: 'boolean', default: false },
  },
});
const [width = 192, height = 144] = values.size.split('x').map(Number);
if (values.child) await serve(positionals[0] ?? '');
else await compare();

/** In the child: one run for each message. */
async function serve(path: string): Promise<void> {
  forbidTelemetry();
  const session = await ort.InferenceSession.create(path, { intraOpNumThreads: Number(values.threads) });
  const input = new ort.Tensor('float32', toPlanes(drawBoard(width, height), 1, 1).data, [
    1,
    3,
    height,
    width,
  ]);
  const [name = ''] = session.inputNames;
  process.on('message', async () => {
    const [before, startedAt] = [process.cpuUsage(), performance.now()];
    const results = await session.run({ [name]: input });
    const { user, system } = process.cpuUsage(before);
    const data = results[session.outputNames[0] ?? '']?.data as Float32Array;
    const round: Round = {
      ...{ cpuMs: (user + system) / 1000, wallMs: performance.now() - startedAt },
      peakMb: process.resourceUsage().maxRSS / 1024,
      // Every 97th value is enough to compare by.
      output: Array.from({ length: Math.floor(data.length / 97) }, (_, i) => data[97 * i] as number),
    };
    process.send?.(round);
  });
  process.send?.('ready');
}

async function compare(): Promise<void> {
  const children: { path: string; child: ChildProcess; rounds: Round[] }[] = [];
  for (const path of positionals) {
    const child = fork(import.meta.filename, [
      '--child',
      '--size',
      values.size,
      '--threads',
      values.threads,
      path,
    ]);
    await once(child, 'message');
    children.push({ path, child, rounds: [] });
  }
  const run = async (child: ChildProcess): Promise<Round> => {
    child.send('run');
    const [round] = (await once(child, 'message')) as [Round];
    return round;
  };
  for (const { child } of children) await run(child);
  for (let round = 0; round < Number(values.rounds); round++)
    for (const { child, rounds } of children) rounds.push(await run(child));
  const megapixels = (width * height) / 1e6;
  const first = children[0]?.rounds[0]?.output ?? [];
  console.log(
    `photo of ${width}×${height}, ${values.threads} thread(s), median of ${values.rounds} runs in turns\n`,
  );
  console.log(
    '| network | CPU s a megapixel | wall s a megapixel | of the first | peak memory, MB | PSNR to the first |',
  );
  console.log('|---|---|---|---|---|---|');
  const cpu = children.map(({ rounds }) => median(rounds.map(({ cpuMs }) => cpuMs)));
  for (const [i, { path, child, rounds }] of children.entries()) {
    const wall = median(rounds.map(({ wallMs }) => wallMs));
    const output = rounds[0]?.output ?? [];
    const error = output.reduce((sum, value, at) => sum + (value - (first[at] ?? 0)) ** 2, 0) / output.length;
    const psnr =
      i === 0 || output.length !== first.length ? '–' : `${(10 * Math.log10(1 / error)).toFixed(1)} dB`;
    const per = (ms: number): string => (ms / 1000 / megapixels).toFixed(2);
    const ratio = ((cpu[i] ?? Number.NaN) / (cpu[0] ?? Number.NaN)).toFixed(2);
    const peak = Math.max(...rounds.map(({ peakMb }) => peakMb)).toFixed(0);
    console.log(
      `| ${basename(path)} | ${per(cpu[i] ?? Number.NaN)} | ${per(wall)} | ${ratio} | ${peak} | ${psnr} |`,
    );
    child.kill();
  }
}

function median(list: readonly number[]): number {
  return list.toSorted((a, b) => a - b)[list.length >> 1] ?? Number.NaN;
}
