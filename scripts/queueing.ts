/**
 * A model of the queue: photos arrive, workers take them in turn, each works for a while. Simulated, not solved: lectures end at the
 * same minute, which no steady-state formula knows. Pure.
 */

export interface Service {
  /** Seconds of work on a photo by one worker, on average. */
  readonly meanSeconds: number;
  /** Standard deviation over the mean. */
  readonly variation: number;
}

export interface Waits {
  readonly photos: number;
  /** From arrival to the end of the work, in seconds. */
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly most: number;
  /** From arrival to the beginning of the work, in seconds. */
  readonly waits: { readonly p50: number; readonly p95: number };
  /** Share of photos that were done within two minutes. */
  readonly inTime: number;
  /** Share of the workers' time that was work, from the first arrival to the last end. */
  readonly busy: number;
}

/** What is promised, in seconds. */
export const PROMISE_SECONDS = 120;

/**
 * Lets photos arrive at these times (seconds, ascending) and be worked on in that order: turns between users change who waits,
 * not how long all of them wait together.
 * @param random numbers in 0…1
 */
export function simulate(
  arrivals: Float64Array,
  workers: number,
  service: Service,
  random: () => number,
): Waits {
  const draw = logNormal(service, random);
  const free = new Float64Array(workers);
  const total = new Float64Array(arrivals.length);
  const waits = new Float64Array(arrivals.length);
  let [work, end] = [0, 0];
  for (const [index, at] of arrivals.entries()) {
    // The root of the heap is the worker that is free first.
    const begin = Math.max(at, free[0] as number);
    const seconds = draw();
    free[0] = begin + seconds;
    siftDown(free);
    waits[index] = begin - at;
    total[index] = begin + seconds - at;
    work += seconds;
    end = Math.max(end, begin + seconds);
  }
  const late = total.reduce((count, seconds) => count + Number(seconds > PROMISE_SECONDS), 0);
  total.sort();
  waits.sort();
  const span = end - (arrivals[0] ?? 0);
  return {
    photos: arrivals.length,
    ...{ p50: quantile(total, 0.5), p95: quantile(total, 0.95), p99: quantile(total, 0.99) },
    most: total.at(-1) ?? 0,
    waits: { p50: quantile(waits, 0.5), p95: quantile(waits, 0.95) },
    inTime: arrivals.length === 0 ? 1 : 1 - late / arrivals.length,
    busy: span === 0 ? 0 : work / (workers * span),
  };
}

/**
 * The service time that explains a measurement.
 * @param work seconds of work on each of some photos
 * @param perWorker photos a second that one worker finished while there was always one waiting: what it does between two photos counts
 */
export function fitService(work: readonly number[], perWorker: number): Service {
  const mean = work.reduce((sum, seconds) => sum + seconds, 0) / work.length;
  const variance =
    work.reduce((sum, seconds) => sum + (seconds - mean) ** 2, 0) / Math.max(1, work.length - 1);
  return { meanSeconds: 1 / perWorker, variation: Math.sqrt(variance) / mean };
}

/** The value that `share` of an ascending list do not reach. */
export function quantile(ascending: ArrayLike<number>, share: number): number {
  return ascending[Math.min(ascending.length - 1, Math.floor(share * ascending.length))] ?? 0;
}

/** So many people photograph the same board within so many seconds. */
export function burst(people: number, withinSeconds: number, random: () => number): Float64Array {
  return Float64Array.from({ length: people }, () => withinSeconds * random()).sort();
}

/** Hours of the day by how much happens in them: lectures from 8 to 21. */
const DAY = [0, 0, 0, 0, 0, 0, 0, 1, 6, 9, 10, 10, 8, 9, 10, 9, 8, 7, 6, 4, 2, 1, 0, 0];
/** Of a lecture's photos, the share that comes in the five minutes at its end, when the board is full. */
const AT_THE_END = 0.5;

/** A day of lectures: more at noon than at night, and half of each hour's photos in its last five minutes. */
export function lectureDay(photos: number, random: () => number): Float64Array {
  const sum = DAY.reduce((all, share) => all + share, 0);
  const times: number[] = [];
  for (const [hour, share] of DAY.entries()) {
    const count = Math.round((photos * share) / sum);
    for (let at = 0; at < count; at++) {
      const minute = at < count * AT_THE_END ? 40 + 5 * random() : 60 * random();
      times.push(3600 * hour + 60 * minute);
    }
  }
  return Float64Array.from(times).sort();
}

/** The fewest workers with which `share` of the photos are done within the promise. */
export function fewestWorkers(
  arrivals: Float64Array,
  service: Service,
  share: number,
  newRandom: () => () => number,
): number {
  let [low, high] = [1, 1];
  const suffices = (workers: number): boolean =>
    simulate(arrivals, workers, service, newRandom()).inTime >= share;
  while (!suffices(high)) high *= 2;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (suffices(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Money for a thousand photos on machines that cost so much an hour, and are busy for this share of it. */
export function costPerThousand(
  { meanSeconds }: Service,
  {
    pricePerHour,
    workersPerMachine,
    busy,
  }: { pricePerHour: number; workersPerMachine: number; busy: number },
): number {
  return (1000 * meanSeconds * pricePerHour) / (3600 * workersPerMachine * busy);
}

function logNormal({ meanSeconds, variation }: Service, random: () => number): () => number {
  const spread = Math.log(1 + variation ** 2);
  const [location, scale] = [Math.log(meanSeconds) - spread / 2, Math.sqrt(spread)];
  return () => {
    // Box and Muller.
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    return Math.exp(location + scale * normal);
  };
}

/** Puts the root of a heap where it belongs. */
function siftDown(heap: Float64Array): void {
  for (let at = 0; ; ) {
    const [left, right] = [2 * at + 1, 2 * at + 2];
    let least = at;
    if (left < heap.length && (heap[left] as number) < (heap[least] as number)) least = left;
    if (right < heap.length && (heap[right] as number) < (heap[least] as number)) least = right;
    if (least === at) return;
    [heap[at], heap[least]] = [heap[least] as number, heap[at] as number];
    at = least;
  }
}
