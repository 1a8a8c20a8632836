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

const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    interrupted.abort();
    // The second signal is not ours: the system ends the process at once, whatever native code is in the middle of.
    process.removeAllListeners(name);
  });
}

try {
  const { runCommandLine } = await import('./cli/cli.ts');
  const { openEngine } = await import('./app.ts');
  const { stdout, stderr } = process;
  const context = { loadConfig, openEngine, stdout, stderr, signal: interrupted.signal };
  process.exitCode = await runCommandLine(process.argv.slice(2), context);
} catch (thrown) {
  const error = toAppError(thrown);
  process.stderr.write(`boardsharp: ${error.message}\n`);
  if (wantsStackTraces()) process.stderr.write(`${error.stack}\n`);
  process.exitCode = exitCodeOf(error);
}
if (interrupted.signal.aborted) process.exitCode = EXIT_INTERRUPTED;

function exitCodeOf({ code }: AppError): number {
  return code === 'USAGE' || code === 'SETTINGS' ? EXIT_USAGE : EXIT_FAILED;
}
