#!/usr/bin/env node
/** The process: arguments, signals, exit codes. */
import { enableCompileCache } from 'node:module';
import { inspect } from 'node:util';
import { traceOf, visible } from './cli/terminal-text.ts';
import { loadConfig, wantsStackTraces } from './config.ts';
import { type AppError, toAppError } from './errors.ts';
import { redactTokens } from './secret.ts';

// Compiled modules are kept between runs: a command for one photo must not spend its time on reading itself.
enableCompileCache();

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
const EXIT_INTERRUPTED = 130;

/** What has not ended this long after the first signal is left where it is: all of it can be taken up again. */
const STOP_WITHIN_MS = 10_000;

const interrupted = new AbortController();
let signalled = false;
// SIGHUP: the terminal was closed.
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    signalled = true;
    stop();
    // The second signal is not ours: the system ends the process at once, whatever native code is in the middle of.
    process.removeAllListeners(name);
  });
}

// What nobody has caught is printed as it is by Node, with all it holds: of a bot's error the token too.
process.on('uncaughtException', (thrown) => {
  process.stderr.write(`boardsharp: ${visible(redactTokens(inspect(thrown)))}\n`);
  process.exit(EXIT_FAILED);
});

let outputFailed = false;
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', ({ code, message }: NodeJS.ErrnoException) => {
    // Whoever read this has left (`| head`), so the rest is not wanted; what is open is still cleaned up.
    if (code === 'EPIPE') return stop();
    // A full disk under the messages says nothing about the results: they are still made.
    if (!outputFailed && stream === process.stdout)
      process.stderr.write(`boardsharp: the output cannot be written (${code ?? message})\n`);
    outputFailed = true;
    process.exitCode = EXIT_FAILED;
  });
}

function stop(): void {
  if (interrupted.signal.aborted) return;
  interrupted.abort();
  setTimeout(() => {
    process.stderr.write('boardsharp: it did not stop in time, so it was stopped\n');
    process.exit(EXIT_FAILED);
  }, STOP_WITHIN_MS).unref();
}

try {
  const { runCommandLine } = await import('./cli/cli.ts');
  const { stdout, stderr } = process;
  const exitCode = await runCommandLine(process.argv.slice(2), {
    loadConfig,
    // Each command loads what it opens and nothing more.
    openEngine: async (config) => (await import('./open-engine.ts')).openEngine(config),
    openService: async (config, roles) => (await import('./app.ts')).openService(config, roles),
    migrate: async (config) => (await import('./app.ts')).migrate(config),
    openStores: async (config) => (await import('./app.ts')).openStores(config),
    openStorage: async (config) => (await import('./app.ts')).openStorage(config),
    stdout,
    stderr,
    signal: interrupted.signal,
  });
  // What the streams said meanwhile stays.
  process.exitCode ||= exitCode;
} catch (thrown) {
  const error = toAppError(thrown);
  process.stderr.write(`boardsharp: ${visible(error.message)}\n`);
  if (wantsStackTraces()) process.stderr.write(`${traceOf(error)}\n`);
  process.exitCode = exitCodeOf(error);
}
// A service that was told to stop and did has done all it should.
if (signalled && process.exitCode !== 0) process.exitCode = EXIT_INTERRUPTED;

function exitCodeOf({ code }: AppError): number {
  return code === 'USAGE' || code === 'SETTINGS' ? EXIT_USAGE : EXIT_FAILED;
}
