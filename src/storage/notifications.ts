/** The channels of NOTIFY and what is said on them. A message may be lost or doubled: it says only where to look. */
import type { Status } from '../job.ts';
import type { Database, Listening, Queryable } from './database.ts';

const WORK = 'boardsharp_work';
const ROOM = 'boardsharp_room';
/** Says which upscale has what status now. */
export const UPSCALE_CHANNEL = 'boardsharp_upscale';

/** Sent when the transaction commits: a photo may be claimed. */
export async function notifyWork(db: Queryable): Promise<void> {
  await db.query('select pg_notify($1, $2)', [WORK, '']);
}

/** Sent when the transaction commits: the upscale has this status now, or has progressed in it. */
export async function notifyUpscale(db: Queryable, id: string, status: Status): Promise<void> {
  await db.query('select pg_notify($1, $2)', [UPSCALE_CHANNEL, `${id} ${status}`]);
}

/** Sent when the transaction commits: what the room shows, or who may see it, has changed. */
export async function notifyRoom(db: Queryable, id: string): Promise<void> {
  await db.query('select pg_notify($1, $2)', [ROOM, id]);
}

/** The same for nobody's page: there is something to be sent. */
export async function notifyAnyRoom(db: Queryable): Promise<void> {
  await notifyRoom(db, '');
}

/** @param onGap called when messages may have been missed */
export function listenForRooms(
  db: Database,
  onChange: (id: string) => void,
  onGap: () => void,
): Promise<Listening> {
  return db.listen(ROOM, onChange, onGap);
}

export function listenForWork(db: Database, onWork: () => void): Promise<Listening> {
  return db.listen(WORK, onWork, onWork);
}

/** @param onGap called when messages may have been missed */
export function listenForUpscales(
  db: Database,
  onChange: (id: string, status: Status) => void,
  onGap: () => void,
): Promise<Listening> {
  return db.listen(
    UPSCALE_CHANNEL,
    (payload) => {
      const [id = '', status] = payload.split(' ');
      onChange(id, status as Status);
    },
    onGap,
  );
}
