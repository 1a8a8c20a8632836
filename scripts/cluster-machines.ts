/** Machines of the cluster test: programs in network namespaces of their own, started again when they end, and what can befall them. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const { CLUSTER_PREFIX: prefix = '', CLUSTER_FOLDER = '' } = process.env;
if (prefix === '') throw new Error('call scripts/cluster-test.sh');
/** Of this run alone; in it `storage` and `database` are small disks of their own. */
export const folder = CLUSTER_FOLDER;
export const ADDRESSES = {
  users: '10.77.1.2',
  api: '10.77.1.3',
  database: '10.77.1.8',
  storage: '10.77.1.9',
};

/** A program in a namespace, started again half a second after it ends by itself: what a cluster does. */
export interface Machine {
  readonly name: string;
  stop(): Promise<void>;
  /** SIGKILL for everything that runs there, as if the power failed; it is started again after so long. */
  kill(backAfterMs?: number): void;
  /** For everything that runs there. */
  signal(signal: NodeJS.Signals): void;
}

const machines: Machine[] = [];
/** What the machines wrote to stderr. */
export const logs: string[] = [];

export function start(
  name: string,
  command: readonly string[],
  env: Readonly<Record<string, string>> = {},
  cwd = process.cwd(),
): Machine {
  let child: ChildProcess;
  let stopped = false;
  let backAfterMs = 500;
  const run = (): void => {
    if (stopped) return;
    const { PATH = '' } = process.env;
    child = spawn('ip', ['netns', 'exec', `${prefix}-${name}`, ...command], {
      env: { PATH, ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
      cwd,
    });
    child.stderr?.on('data', (text: Buffer) => logs.push(`${name}: ${text}`));
    child.on('exit', () => {
      // It does not keep a test waiting that has ended.
      setTimeout(run, backAfterMs).unref();
      backAfterMs = 500;
    });
  };
  run();
  const signal = (which: NodeJS.Signals): void => {
    const pids = execFileSync('ip', ['netns', 'pids', `${prefix}-${name}`])
      .toString()
      .split('\n')
      .filter(Boolean);
    for (const pid of pids) {
      try {
        process.kill(Number(pid), which);
      } catch {
        // It has ended meanwhile.
      }
    }
  };
  const machine: Machine = {
    name,
    async stop() {
      stopped = true;
      const ended = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined;
      child.kill('SIGTERM');
      const timer = setTimeout(() => signal('SIGKILL'), 12_000).unref();
      await ended;
      // Later the same name may belong to the next machine.
      clearTimeout(timer);
      machines.splice(machines.indexOf(machine), 1);
    },
    kill(ms = 500) {
      backAfterMs = ms;
      signal('SIGKILL');
    },
    signal,
  };
  machines.push(machine);
  return machine;
}

/** Stops all that still run. */
export async function stopAll(): Promise<void> {
  await Promise.all([...machines].map((machine) => machine.stop()));
}

/** Cuts a machine's cable for so long. */
export async function cut(name: string, ms: number): Promise<void> {
  const link = (state: 'up' | 'down') =>
    execFileSync('ip', ['-n', `${prefix}-switch`, 'link', 'set', name, state]);
  link('down');
  await pause(ms);
  link('up');
}

/** Fills a disk to its last byte for so long. */
export async function fill(disk: 'storage' | 'database', ms: number): Promise<void> {
  const file = join(folder, disk, 'full');
  for (const bytes of [2 ** 20, 4096]) {
    try {
      for (;;) writeFileSync(file, Buffer.alloc(bytes), { flag: 'a' });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    }
  }
  await pause(ms);
  rmSync(file);
}

const postgresBin = (): string =>
  execFileSync('sh', ['-c', 'ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1']).toString().trim();

/** PostgreSQL on its own disk. Returns the address of its database as well. */
export function startPostgres(): { database: Machine; databaseUrl: string } {
  const data = join(folder, 'database', 'data');
  const password = join(folder, 'password');
  const asPostgres = ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups'];
  execFileSync('install', ['-d', '-o', 'postgres', '-g', 'postgres', '-m', '700', data]);
  writeFileSync(password, 'password');
  const [setpriv = '', ...as] = asPostgres;
  const initdb = [join(postgresBin(), 'initdb'), '-D', data, '-U', 'boardsharp', '--auth=scram-sha-256'];
  execFileSync(setpriv, [...as, ...initdb, `--pwfile=${password}`], { cwd: '/', stdio: 'ignore' });
  execFileSync('sh', ['-c', `echo 'host all all 10.77.1.0/24 scram-sha-256' >> ${data}/pg_hba.conf`]);
  const settings = {
    listen_addresses: '*',
    unix_socket_directories: data,
    max_connections: 200,
    max_wal_size: '64MB',
    min_wal_size: '32MB',
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const server = [join(postgresBin(), 'postgres'), '-D', data, ...options];
  const database = start('database', [...asPostgres, ...server], {}, '/');
  return { database, databaseUrl: `postgres://boardsharp:password@${ADDRESSES.database}:5432/postgres` };
}
