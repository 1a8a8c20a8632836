/** Starts the real program as a server of its own, to be asked over HTTP and to be killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { NODE_FLAGS } from './program.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** A role that runs. */
export interface ServerProcess {
  /** Where it listens; empty for a role that does not. */
  readonly url: string;
  readonly process: ChildProcess;
  /** All it wrote to stderr so far. */
  readonly log: () => string;
  /** SIGKILL: nothing it could prepare for. */
  kill(): Promise<void>;
  /** SIGTERM; answers with the exit code. */
  stop(): Promise<number | null>;
}

/**
 * Starts `boardsharp <role>` on a free port of loopback, with nothing of this process's settings, and waits until it
 * says that it is there.
 */
export async function startServerProcess(
  role: 'start' | 'api' | 'worker' | 'bot',
  env: Readonly<Record<string, string>>,
): Promise<ServerProcess> {
  const { PATH = '' } = process.env;
  const settings = {
    PATH,
    PORT: '0',
    EXECUTION_PROVIDER: 'cpu',
    LOG_LEVEL: 'warn',
    LOG_FORMAT: 'json',
    ...env,
  };
  const child = spawn(process.execPath, [...NODE_FLAGS, MAIN, role], {
    env: settings,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const closed = once(child, 'close');
  let stdout = '';
  child.stdout.setEncoding('utf8');
  const ready = new Promise<void>((done) => {
    child.stdout.on('data', (text) => {
      stdout += text;
      if (/\n/.test(stdout)) done();
    });
  });
  await Promise.race([ready, closed]);
  if (child.exitCode !== null) throw new Error(`${role} ended at once: ${stderr}`);
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    const [exitCode] = await closed;
    return exitCode as number | null;
  };
  return {
    url: /http:\/\/\S+/.exec(stdout)?.[0] ?? '',
    process: child,
    log: () => stderr,
    async kill() {
      await end('SIGKILL');
    },
    stop: () => end('SIGTERM'),
  };
}

/** A port of loopback that nobody listens on just now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}
