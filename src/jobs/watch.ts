/** Tells whoever waits for an upscale that something about it changed: one LISTEN for the whole process. */
import { isFinal, type Status } from '../job.ts';
import type { Database } from '../storage/database.ts';
import { listenForUpscales } from '../storage/notifications.ts';

export interface Watch {
  /**
   * Calls `onChange` whenever the upscale's status or progress may have changed: look it up then. `status` is what it
   * was when the message was sent; undefined when messages may have been missed. Returns what ends it.
   */
  upscale(id: string, onChange: (status?: Status) => void): () => void;
  /** Calls `onEnd` for every upscale that ends. After a lost connection some may be missing. Returns what ends it. */
  ended(onEnd: (id: string) => void): () => void;
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
  return {
    upscale(id, onChange) {
      const set = watchers.get(id) ?? new Set();
      watchers.set(id, set.add(onChange));
      return () => {
        set.delete(onChange);
        if (set.size === 0 && watchers.get(id) === set) watchers.delete(id);
      };
    },
    ended(onEnd) {
      endWatchers.add(onEnd);
      return () => endWatchers.delete(onEnd);
    },
    close: () => listening.close(),
  };
}
