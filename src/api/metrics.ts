/** What is measured of the service, in Prometheus' format; every name begins with `boardsharp_`. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Upscale } from '../job.ts';
import type { QueueState } from '../jobs/queue.ts';

export interface Metrics {
  /** One answered request. `route` is the pattern, never the address: there are few of them. */
  countRequest(labels: { method: string; route: string; status: number }, seconds: number): void;
  countAccepted(bytes: number): void;
  /** One upscale that ended. */
  countEnd(upscale: Upscale): void;
  /** The whole as text, with the queue as it is now. @throws whatever `queueState` throws */
  collect(): Promise<{ contentType: string; text: string }>;
}

/** Seconds, from one small answer to the promise of two minutes. */
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];

/** @param queueState asked for at every scrape */
export function createMetrics(queueState: () => Promise<QueueState>): Metrics {
  const registers = [new Registry()];
  const [registry] = registers as [Registry];
  collectDefaultMetrics({ register: registry, prefix: 'boardsharp_' });

  const requests = new Histogram({
    name: 'boardsharp_request_seconds',
    help: 'Time to answer requests; its count is their number',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: SECONDS,
    registers,
  });
  const accepted = new Counter({
    name: 'boardsharp_accepted_total',
    help: 'Photos taken in by this process',
    registers,
  });
  const acceptedBytes = new Counter({
    name: 'boardsharp_accepted_bytes_total',
    help: 'Bytes of photos taken in by this process',
    registers,
  });
  const ended = new Counter({
    name: 'boardsharp_ended_total',
    help: 'Upscales that ended, seen by this process whoever worked on them',
    labelNames: ['status'] as const,
    registers,
  });
  const phase = (name: string, help: string) =>
    new Histogram({ name: `boardsharp_${name}_seconds`, help, buckets: SECONDS, registers });
  const wait = phase('wait', 'From acceptance to the start of the work');
  const processing = phase('processing', 'From the start of the work to its end');
  const total = phase('total', 'From acceptance to the end');
  const verdicts = new Counter({
    name: 'boardsharp_verdicts_total',
    help: 'What the quality gate said of results',
    labelNames: ['verdict'] as const,
    registers,
  });
  const failures = new Counter({
    name: 'boardsharp_failures_total',
    help: 'Upscales that failed, by code',
    labelNames: ['code'] as const,
    registers,
  });
  const tiles = new Counter({
    name: 'boardsharp_tiles_total',
    help: 'Tiles the network computed; its rate is tiles per second',
    registers,
  });
  const depth = new Gauge({
    name: 'boardsharp_queue_photos',
    help: 'Photos in the queue, by where they stand; `dead` were given up after faults of ours',
    labelNames: ['state'] as const,
    registers,
  });
  const age = new Gauge({
    name: 'boardsharp_queue_oldest_seconds',
    help: 'How long the oldest waiting photo has waited',
    registers,
  });

  return {
    countRequest({ method, route, status }, seconds) {
      requests.observe({ method, route, status }, seconds);
    },
    countAccepted(bytes) {
      accepted.inc();
      acceptedBytes.inc(bytes);
    },
    countEnd({ status, createdAt, startedAt, finishedAt, quality, error, timings }) {
      ended.inc({ status });
      if (finishedAt !== null) total.observe(secondsBetween(createdAt, finishedAt));
      if (startedAt !== null) wait.observe(secondsBetween(createdAt, startedAt));
      if (startedAt !== null && finishedAt !== null)
        processing.observe(secondsBetween(startedAt, finishedAt));
      if (quality !== null) verdicts.inc({ verdict: String(quality.verdict) });
      if (error !== null) failures.inc({ code: error.code });
      tiles.inc(timings?.tiles ?? 0);
    },
    async collect() {
      const { queued, processing, dead, oldestSeconds } = await queueState();
      depth.set({ state: 'queued' }, queued);
      depth.set({ state: 'processing' }, processing);
      depth.set({ state: 'dead' }, dead);
      age.set(oldestSeconds);
      return { contentType: registry.contentType, text: await registry.metrics() };
    },
  };
}

function secondsBetween(from: Date, to: Date): number {
  return Math.max(0, to.getTime() - from.getTime()) / 1000;
}
