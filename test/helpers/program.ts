/** Runs the real program as its own process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/**
 * What `npm test` starts Node with, for the processes that tests start: `--liftoff-only` compiles PGlite's megabytes of
 * WebAssembly in one quick go, which spares 3 seconds of CPU for every database that is opened and not used for long.
 */
export const NODE_FLAGS: readonly string[] = process.execArgv.filter((flag) => flag === '--liftoff-only');

export interface Outcome {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs `boardsharp` in `folder` on the CPU with nothing of this process's settings.
 * `interruptAfter` presses Ctrl-C, or sends `signal`, once stdout matches; `uid` is the user it runs as.
 */
export async function boardsharp(
  args: readonly string[],
  options: {
    folder: string;
    env?: Record<string, string>;
    interruptAfter?: RegExp;
    signal?: NodeJS.Signals;
    uid?: number;
  },
): Promise<Outcome> {
  const { PATH = '' } = process.env;
  const env = { PATH, EXECUTION_PROVIDER: 'cpu', ...options.env };
  const child = spawn(process.execPath, [...NODE_FLAGS, MAIN, ...args], {
    cwd: options.folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    uid: options.uid,
  });
  return await outcomeOf(child, (stdout) => {
    if (options.interruptAfter?.test(stdout)) child.kill(options.signal ?? 'SIGINT');
  });
}

/** Runs a line of bash in `folder`, in which `boardsharp` is the program. */
export async function inShell(line: string, options: { folder: string }): Promise<Outcome> {
  const { PATH = '' } = process.env;
  const env = { PATH, EXECUTION_PROVIDER: 'cpu', NODE: process.execPath, MAIN };
  const child = spawn('bash', ['-c', `boardsharp() { "$NODE" "$MAIN" "$@"; }; ${line}`], {
    cwd: options.folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return await outcomeOf(child);
}

async function outcomeOf(child: ChildProcess, onOutput?: (stdout: string) => void): Promise<Outcome> {
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text) => {
    stdout += text;
    onOutput?.(stdout);
  });
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const [exitCode] = await once(child, 'close');
  return { exitCode, stdout, stderr };
}
