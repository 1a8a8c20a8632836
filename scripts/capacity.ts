/** How many workers for so many students, and what a thousand photos cost: `npm run capacity -- --help`. */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { randomFrom } from '../test/helpers/seed.ts';
import { burst, costPerThousand, fewestWorkers, lectureDay, type Service, simulate } from './queueing.ts';

const HELP = `npm run capacity [-- options]: how many workers, how long people wait, what it costs

  --students 300              photographing the same board …
  --within-seconds 60         … within so long
  --measured load.json        what \`npm run load:report -- --out load.json\` measured; or by hand:
  --service-seconds 1.7       work of one worker on one photo (measured: docs/experiments.md)
  --variation 0.35            its standard deviation over its mean
  --share 0.95                of the photos are to be done within two minutes
  --photos-a-day 1000000      for the simulated day of lectures
  --cpu-price 0.10            an hour of a machine with so many …
  --cpu-workers 1             … workers on it
  --gpu-price, --gpu-workers, --gpu-service-seconds   the same with a card; without a measured time nothing is said of it
  --seed 1
`;

const text = (preset: string) => ({ type: 'string', default: preset }) as const;
const { values } = parseArgs({
  options: {
    ...{
      students: text('300'),
      'within-seconds': text('60'),
      'service-seconds': { type: 'string' },
      variation: { type: 'string' },
      measured: { type: 'string' },
    },
    ...{
      share: text('0.95'),
      'photos-a-day': text('1000000'),
      'cpu-price': text('0.10'),
      'cpu-workers': text('1'),
    },
    ...({
      'gpu-price': { type: 'string' },
      'gpu-workers': text('4'),
      'gpu-service-seconds': { type: 'string' },
    } as const),
    ...({ seed: text('1'), help: { type: 'boolean', default: false } } as const),
  },
});
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}

const seed = Number(values.seed);
const newRandom = () => randomFrom(seed);
const measured =
  values.measured === undefined ? undefined : JSON.parse(readFileSync(values.measured, 'utf8'));
const service: Service = {
  meanSeconds: Number(values['service-seconds'] ?? measured?.meanSeconds ?? 1.7),
  variation: Number(values.variation ?? measured?.variation ?? 0.35),
};
const share = Number(values.share);
const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
const percent = (part: number): string => `${(100 * part).toFixed(1)} %`;

print(`A photo is ${service.meanSeconds} s of work; seed ${seed}.\n`);
print('| students within a minute | workers | median | 95 % | longest |\n|---|---|---|---|---|');
for (const students of new Set([30, 100, Number(values.students), 1000, 3000])) {
  const arrivals = burst(students, Number(values['within-seconds']), newRandom());
  const workers = fewestWorkers(arrivals, service, share, newRandom);
  const { p50, p95, most } = simulate(arrivals, workers, service, newRandom());
  print(`| ${students} | ${workers} | ${p50.toFixed(0)} s | ${p95.toFixed(0)} s | ${most.toFixed(0)} s |`);
}

const day = lectureDay(Number(values['photos-a-day']), newRandom());
const needed = fewestWorkers(day, service, share, newRandom);
print(`\nA day of lectures with ${day.length} photos:\n`);
print('| workers | median | 95 % | 99 % | within two minutes | busy |\n|---|---|---|---|---|---|');
for (const workers of [...new Set([Math.ceil(needed / 2), needed, 1000])].sort((a, b) => a - b)) {
  const { p50, p95, p99, inTime, busy } = simulate(day, workers, service, newRandom());
  print(
    `| ${workers} | ${p50.toFixed(1)} s | ${p95.toFixed(1)} s | ${p99.toFixed(1)} s | ${percent(inTime)} | ${percent(busy)} |`,
  );
}
let busiest = 0;
for (let [from, to] = [0, 0]; to < day.length; to++) {
  while ((day[to] as number) - (day[from] as number) >= 1) from++;
  busiest = Math.max(busiest, to - from + 1);
}
print(
  `\nIts busiest second has ${busiest} photos; the queue was measured at 200 a second (docs/experiments.md).`,
);

const { busy } = simulate(day, needed, service, newRandom());
const cpu = { pricePerHour: Number(values['cpu-price']), workersPerMachine: Number(values['cpu-workers']) };
print(
  `\nA thousand photos on the CPU at ${cpu.pricePerHour} an hour: ${costPerThousand(service, { ...cpu, busy: 1 }).toFixed(3)} ` +
    `with workers that are always busy (scaled to zero), ${costPerThousand(service, { ...cpu, busy }).toFixed(3)} with ${needed} of them all day.`,
);
if (values['gpu-price'] !== undefined && values['gpu-service-seconds'] !== undefined) {
  const onCard = { ...service, meanSeconds: Number(values['gpu-service-seconds']) };
  const card = {
    pricePerHour: Number(values['gpu-price']),
    workersPerMachine: Number(values['gpu-workers']),
    busy: 1,
  };
  print(
    `On a card at ${card.pricePerHour} an hour, always busy: ${costPerThousand(onCard, card).toFixed(3)}.`,
  );
} else print('On a card: give --gpu-price and --gpu-service-seconds; no card has been measured yet.');
