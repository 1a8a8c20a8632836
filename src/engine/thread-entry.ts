/** Where every thread begins: modules compiled in earlier runs are reused, then the thread's own module takes over. */
import { enableCompileCache } from 'node:module';
import { workerData } from 'node:worker_threads';

enableCompileCache();
await import((workerData as { module: string }).module);
