/** The model of the queue against cases that can be worked out by hand, and against the formula where there is one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  burst,
  costPerThousand,
  fewestWorkers,
  fitService,
  lectureDay,
  simulate,
} from '../../scripts/queueing.ts';
import { randomFrom } from '../helpers/seed.ts';

const EXACT = { meanSeconds: 9, variation: 0 };

test('photos that come at once are worked on one after the other', () => {
  const arrivals = new Float64Array(30);
  const one = simulate(arrivals, 1, EXACT, randomFrom(1));
  assert.deepEqual([Math.round(one.most), one.busy], [270, 1]);
  assert.ok(Math.abs(one.inTime - 13 / 30) < 1e-9, 'thirteen of them end within two minutes');
  const three = simulate(arrivals, 3, EXACT, randomFrom(1));
  assert.deepEqual([Math.round(three.most), three.inTime], [90, 1]);
  assert.equal(
    fewestWorkers(arrivals, EXACT, 1, () => randomFrom(1)),
    3,
  );
});

test('with random arrivals and exponential work one worker waits as the formula for M/M/1 says', () => {
  const random = randomFrom(7);
  const [rate, meanSeconds] = [0.07, 10];
  let at = 0;
  const arrivals = Float64Array.from({ length: 400_000 }, () => {
    at -= Math.log(1 - random()) / rate;
    return at;
  });
  // A log-normal with the variation of an exponential has the same mean wait (Pollaczek and Khinchine).
  const { busy } = simulate(arrivals, 1, { meanSeconds, variation: 1 }, random);
  assert.ok(Math.abs(busy - rate * meanSeconds) < 0.02, `busy ${busy}`);
  const waits: number[] = [];
  for (const seed of [1, 2, 3])
    waits.push(simulate(arrivals, 1, { meanSeconds, variation: 1 }, randomFrom(seed)).p50);
  const expectedMean = meanSeconds / (1 - rate * meanSeconds);
  // The median of the time in an M/M/1 is its mean times ln 2; the log-normal's is near it.
  for (const p50 of waits) assert.ok(p50 > 0.4 * expectedMean && p50 < 1.0 * expectedMean, `median ${p50}`);
});

test('a burst lies within its time, a day has its photos, and more workers never make anybody wait longer', () => {
  const arrivals = burst(500, 60, randomFrom(3));
  assert.ok((arrivals[0] ?? -1) >= 0 && (arrivals.at(-1) ?? 99) < 60);
  const day = lectureDay(100_000, randomFrom(3));
  assert.ok(Math.abs(day.length - 100_000) < 24);
  const waits = [20, 40, 80].map((workers) => simulate(arrivals, workers, EXACT, randomFrom(1)).p95);
  assert.deepEqual(
    waits,
    [...waits].sort((a, b) => b - a),
  );
});

test('the model fitted to its own photos predicts them', () => {
  const random = randomFrom(5);
  const service = { meanSeconds: 2, variation: 0.4 };
  // All at once on one worker: the times between two ends are the work.
  const work = Array.from({ length: 4000 }, () => simulate(new Float64Array(1), 1, service, random).most);
  const fitted = fitService(work, 4000 / work.reduce((sum, seconds) => sum + seconds, 0));
  assert.ok(
    Math.abs(fitted.meanSeconds - 2) < 0.05 && Math.abs(fitted.variation - 0.4) < 0.03,
    JSON.stringify(fitted),
  );
  const arrivals = burst(200, 300, randomFrom(2));
  const [wanted, got] = [service, fitted].map((one) => simulate(arrivals, 2, one, randomFrom(9)).waits.p95);
  assert.ok(Math.abs((got ?? 0) - (wanted ?? 0)) < 0.15 * (wanted ?? 0), `${got} for ${wanted}`);
});

test('costs are seconds times price', () => {
  const service = { meanSeconds: 3.6, variation: 0 };
  assert.equal(costPerThousand(service, { pricePerHour: 1, workersPerMachine: 1, busy: 1 }), 1);
  assert.equal(costPerThousand(service, { pricePerHour: 1, workersPerMachine: 2, busy: 0.5 }), 1);
});
