/** Tells whoever waits for an upscale or a room that something about it changed: one LISTEN each for the whole process. */
import { isFinal, type Status } from '../job.ts';
import type { Database } from '../storage/database.ts';
import { listenForRooms, listenForUpscales } from '../storage/notifications.ts';

/** Stands for every room. */
const ANY = '*';

export interface Watch {
  /**
   * Calls `onChange` whenever the upscale's status or progress may have changed: look it up then. `status` is what it
   * was when the message was sent; undefined when messages may have been missed. Returns what ends it.
   */
  upscale(id: string, onChange: (status?: Status) => void): () => void;
  /** Calls `onEnd` for every upscale that ends. After a lost connection some may be missing. Returns what ends it. */
  ended(onEnd: (id: string) => void): () => void;
  /** Calls `onChange` whenever the room may have changed, or messages may have been missed. Returns what ends it. */
  room(id: string, onChange: () => void): () => void;
  /** The same for any room. */
  rooms(onChange: () => void): () => void;
  close(): Promise<void>;
}

export async function openWatch(db: Database): Promise<Watch> {
  const watchers = new Map<string, Set<(status?: Status) => void>>();
  const endWatchers = new Set<(id: string) => void>();
  const listening = await listenForUpscales(
    db,
    (id, status) => {
      for (const onChange of watchers.get(id) ?? []) onChange(status);
      if (isFinal(status)) for (const onEnd of endWatchers) onEnd(id);
    },
    () => {
      for (const onChange of [...watchers.values()].flatMap((set) => [...set])) onChange();
    },
  );
  const roomWatchers = new Map<string, Set<() => void>>();
  const listeningForRooms = await listenForRooms(
    db,
    (id) => {
      for (const onChange of [...(roomWatchers.get(id) ?? []), ...(roomWatchers.get(ANY) ?? [])]) onChange();
    },
    () => {
      for (const onChange of [...roomWatchers.values()].flatMap((set) => [...set])) onChange();
    },
  );
  return {
    upscale: (id, onChange) => addTo(watchers, id, onChange),
    room: (id, onChange) => addTo(roomWatchers, id, onChange),
    rooms: (onChange) => addTo(roomWatchers, ANY, onChange),
    ended(onEnd) {
      endWatchers.add(onEnd);
      return () => endWatchers.delete(onEnd);
    },
    async close() {
      await Promise.all([listening.close(), listeningForRooms.close()]);
    },
  };
}

/** Returns what takes it out again. */
function addTo<T>(watchers: Map<string, Set<T>>, id: string, watcher: T): () => void {
  const set = watchers.get(id) ?? new Set();
  watchers.set(id, set.add(watcher));
  return () => {
    set.delete(watcher);
    if (set.size === 0 && watchers.get(id) === set) watchers.delete(id);
  };
}
