/** Asks /health/live again and again, in a thread of its own so that it measures the server and not the load test. */
import { parentPort, workerData } from 'node:worker_threads';

/** What was measured. */
export interface ProbeReport {
  readonly answersMs: readonly number[];
  readonly failures: number;
}

const { url, everyMs } = workerData as { url: string; everyMs: number };
const answersMs: number[] = [];
let failures = 0;
let over = false;
parentPort?.once('message', () => {
  over = true;
});
while (!over) {
  const askedAt = performance.now();
  try {
    const response = await fetch(`${url}/health/live`);
    await response.arrayBuffer();
    if (!response.ok) failures++;
  } catch {
    failures++;
  }
  const ms = performance.now() - askedAt;
  answersMs.push(ms);
  await new Promise((done) => setTimeout(done, Math.max(0, everyMs - ms)));
}
const report: ProbeReport = { answersMs, failures };
parentPort?.postMessage(report);
