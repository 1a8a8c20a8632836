/** A worker thread as a function: requests queue here, one is in flight, a dead thread fails that one and is replaced. */
import { setPriority } from 'node:os';
import { extname } from 'node:path';
import { parentPort, type Transferable, Worker, type WorkerOptions } from 'node:worker_threads';
import { AppError, type ErrorCode, toAppError } from '../errors.ts';

/** The caller's side of a thread. */
export interface Thread<Request, Response> {
  /**
   * Answers when the thread has. Requests are served one at a time in the order of the calls.
   * @throws AppError what the thread threw; ENGINE_CRASHED if it died; CANCELLED as soon as `signal` aborts
   */
  call(
    request: Request,
    options?: { transfer?: Transferable[]; signal?: AbortSignal | undefined },
  ): Promise<Response>;
  /** Ends the thread; open calls fail. Idempotent. */
  close(): Promise<void>;
}

/**
 * What a thread says: that it is loaded, and to each request a value, or an error as plain data (a class does not
 * survive the way between threads).
 */
type Reply<Response> =
  | { readonly loaded: true }
  | { readonly value: Response }
  | { readonly error: { code: ErrorCode; detail: string; action: string; stack: string | undefined } };

interface Call<Request, Response> {
  readonly request: Request;
  readonly transfer: Transferable[];
  readonly resolve: (response: Response) => void;
  readonly reject: (error: AppError) => void;
  /** Settles when the thread is done with it, whether or not the caller still waits. */
  readonly ended: Promise<void>;
}

export interface ThreadOptions extends WorkerOptions {
  /**
   * Closing waits until the thread is loaded and for the request in flight: ending a thread inside native code, the
   * start of a library included, may abort the whole process.
   */
  readonly finishes?: boolean;
  /** It starts now and not with the first call, so that it loads while its owner is busy with something else. */
  readonly eager?: boolean;
}

/**
 * A thread that runs `name`, a module beside this one that calls `serve`. It starts with the first call, starts anew
 * after a crash, and does not keep the process alive while idle.
 */
export function openThread<Request, Response>(
  name: string,
  { finishes = false, eager = false, ...options }: ThreadOptions = {},
): Thread<Request, Response> {
  // The compiled package has .js files where the source has .ts.
  const urlOf = (module: string): URL => new URL(`./${module}${extname(import.meta.url)}`, import.meta.url);
  const waiting: Call<Request, Response>[] = [];
  let current: Call<Request, Response> | undefined;
  let worker: Worker | undefined;
  /** Settles when the module of `worker` is loaded, or when it never will be. */
  let loaded = Promise.resolve();
  let closed = false;

  function start(): Worker {
    // A library may print in a thread of its own accord; stdout is for results, and errors come as errors.
    const started = new Worker(urlOf('thread-entry'), {
      ...options,
      workerData: { module: urlOf(name).href },
      stdout: true,
      stderr: true,
    });
    started.stdout.resume();
    started.stderr.resume();
    const { promise, resolve: nowLoaded } = Promise.withResolvers<void>();
    loaded = promise;
    started.once('exit', nowLoaded);
    started.on('message', (reply: Reply<Response>) => {
      if ('loaded' in reply) return nowLoaded();
      // Its error may have arrived before this answer, and then its call has failed and another is the current one.
      if (worker !== started) return;
      const call = current;
      current = undefined;
      if ('value' in reply) call?.resolve(reply.value);
      else call?.reject(revive(reply.error));
      next();
    });
    started.on('error', (error) =>
      lose(started, error instanceof Error ? error.message : String(error), error),
    );
    started.on('exit', (exitCode) => lose(started, `its thread ended with code ${exitCode}`));
    return started;
  }

  /** A thread is lost from its error on: it takes no more calls in the moment until its exit. */
  function lose(lost: Worker, detail: string, cause?: unknown): void {
    if (worker !== lost) return;
    worker = undefined;
    const call = current;
    current = undefined;
    call?.reject(new AppError(closed ? 'CANCELLED' : 'ENGINE_CRASHED', detail, { cause }));
    next();
  }

  function next(): void {
    if (current !== undefined) return;
    const call = waiting.shift();
    if (call === undefined) {
      worker?.unref();
      return;
    }
    current = call;
    try {
      worker ??= start();
      worker.ref();
      worker.postMessage(call.request, call.transfer);
    } catch (error) {
      // A request that cannot be sent, such as one with a buffer that was moved before, must not hold up the others.
      current = undefined;
      call.reject(toAppError(error));
      next();
    }
  }

  if (eager) {
    worker = start();
    worker.unref();
  }

  return {
    call(request, { transfer = [], signal } = {}) {
      return new Promise((resolve, reject) => {
        if (closed) return reject(new AppError('CANCELLED', 'the engine is closed'));
        if (signal?.aborted) return reject(cancelled(signal));
        const { promise: ended, resolve: end } = Promise.withResolvers<void>();
        const call = { request, transfer, resolve: settle(resolve), reject: settle(reject), ended };
        // A request in flight cannot be taken back: the caller stops waiting and its answer is dropped.
        const onAbort = (): void => {
          const place = waiting.indexOf(call);
          if (place >= 0) waiting.splice(place, 1);
          reject(cancelled(signal));
        };
        function settle<T>(done: (value: T) => void): (value: T) => void {
          return (value) => {
            signal?.removeEventListener('abort', onAbort);
            end();
            done(value);
          };
        }
        signal?.addEventListener('abort', onAbort, { once: true });
        waiting.push(call);
        next();
      });
    },
    async close() {
      closed = true;
      for (const call of waiting.splice(0)) call.reject(new AppError('CANCELLED', 'the engine was closed'));
      const ending = worker;
      if (finishes && ending !== undefined) {
        // Idle or not, it is waited for, so that the process does not end before.
        ending.ref();
        await loaded;
        await current?.ended;
      }
      await ending?.terminate();
    },
  };
}

/**
 * Nice value of these threads, and of the pools that libraries open in them. Whoever accepts photos and answers
 * questions shares the cores with them and must come first: a photo is none the worse for a moment more.
 */
const NICE = 5;

/** The thread's side: answers each request with what `handle` returns, moving the buffers it names. */
export function serve<Request, Response>(
  handle: (request: Request) => Promise<{ value: Response; transfer?: Transferable[] }>,
): void {
  // Only Linux takes the number for the calling thread; elsewhere it would be the whole process's.
  if (process.platform === 'linux') setPriority(NICE);
  parentPort?.on('message', async (request: Request) => {
    try {
      const { value, transfer } = await handle(request);
      parentPort?.postMessage({ value } satisfies Reply<Response>, transfer);
    } catch (thrown) {
      const { code, detail, action, stack } = toAppError(thrown);
      parentPort?.postMessage({ error: { code, detail, action, stack } } satisfies Reply<Response>);
    }
  });
  // Whatever the module imports is loaded when it calls this.
  parentPort?.postMessage({ loaded: true } satisfies Reply<Response>);
}

function revive(error: {
  code: ErrorCode;
  detail: string;
  action: string;
  stack: string | undefined;
}): AppError {
  const revived = new AppError(error.code, error.detail, { action: error.action });
  if (error.stack !== undefined) revived.stack = error.stack;
  return revived;
}

function cancelled(signal: AbortSignal | undefined): AppError {
  return new AppError('CANCELLED', 'the work was stopped before its end', { cause: signal?.reason });
}
