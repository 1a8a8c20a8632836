#!/usr/bin/env node
/** The process: arguments, signals, exit codes. */
import { enableCompileCache } from 'node:module';
import { loadConfig, wantsStackTraces } from './config.ts';
import { type AppError, toAppError } from './errors.ts';

// Compiled modules are kept between runs: a command for one photo must not spend its time on reading itself.
enableCompileCache();

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
const EXIT_INTERRUPTED = 130;

/** What has not ended this long after the first signal is left where it is: all of it can be taken up again. */
const STOP_WITHIN_MS = 10_000;

const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    interrupted.abort();
    setTimeout(() => {
      process.stderr.write('boardsharp: it did not stop in time, so it was stopped\n');
      process.exit(EXIT_FAILED);
    }, STOP_WITHIN_MS).unref();
    // The second signal is not ours: the system ends the process at once, whatever native code is in the middle of.
    process.removeAllListeners(name);
  });
}

try {
  const { runCommandLine } = await import('./cli/cli.ts');
  const { stdout, stderr } = process;
  process.exitCode = await runCommandLine(process.argv.slice(2), {
    loadConfig,
    // Each command loads what it opens and nothing more.
    openEngine: async (config) => (await import('./open-engine.ts')).openEngine(config),
    openService: async (config, roles) => (await import('./app.ts')).openService(config, roles),
    openStorage: async (config) => (await import('./app.ts')).openStorage(config),
    stdout,
    stderr,
    signal: interrupted.signal,
  });
} catch (thrown) {
  const error = toAppError(thrown);
  process.stderr.write(`boardsharp: ${error.message}\n`);
  if (wantsStackTraces()) process.stderr.write(`${error.stack}\n`);
  process.exitCode = exitCodeOf(error);
}
// A service that was told to stop and did has done all it should.
if (interrupted.signal.aborted && process.exitCode !== 0) process.exitCode = EXIT_INTERRUPTED;

function exitCodeOf({ code }: AppError): number {
  return code === 'USAGE' || code === 'SETTINGS' ? EXIT_USAGE : EXIT_FAILED;
}
