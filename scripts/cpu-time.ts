/** CPU time of processes of this machine, PostgreSQL's among them. Linux alone. */
import { readdirSync, readFileSync } from 'node:fs';
import type { Queryable } from '../src/storage/database.ts';

/** Seconds that these processes have used so far; those that have ended count nothing. */
export function cpuSecondsOf(pids: readonly (number | undefined)[]): number {
  return pids.reduce<number>((sum, pid) => sum + (statOf(pid ?? 0)?.seconds ?? 0), 0);
}

/** The same of PostgreSQL's server and all its connections, those that have ended included. */
export async function cpuSecondsOfPostgres(db: Queryable): Promise<number> {
  const [row] = await db.query<{ pid: number }>('select pg_backend_pid() as pid');
  const postmaster = statOf(row?.pid ?? 0)?.parent;
  const pids = readdirSync('/proc').map(Number).filter(Number.isInteger);
  const server = statOf(postmaster ?? 0);
  const living = pids.filter((pid) => statOf(pid)?.parent === postmaster);
  return (server?.seconds ?? 0) + (server?.endedSeconds ?? 0) + cpuSecondsOf(living);
}

/** Undefined if it has ended. */
function statOf(pid: number): { parent: number; seconds: number; endedSeconds: number } | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
      .map(Number);
    const [user = 0, system = 0, endedUser = 0, endedSystem = 0] = fields.slice(11);
    // In hundredths of a second, as Linux tells every program.
    return {
      parent: fields[1] ?? 0,
      seconds: (user + system) / 100,
      endedSeconds: (endedUser + endedSystem) / 100,
    };
  } catch {
    return undefined;
  }
}
