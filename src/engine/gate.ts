/** Passes a whole result through the quality gate, window by window, and puts the repairs into it. */
import { cutOut, paste, type Raster, type Rect, scaleRect } from './pixels.ts';
import { type JudgedWindow, type Quality, verdictOf, type WindowFindings } from './quality-gate.ts';
import { openThread } from './thread.ts';
import { planTiles } from './tiles.ts';

export type GateRequest =
  | { readonly kind: 'judge'; readonly window: JudgedWindow }
  /** Only the bicubic base of `core`, a rectangle of `photo`. */
  | { readonly kind: 'base'; readonly photo: Raster; readonly scale: number; readonly core: Rect };

export interface GateResponse {
  /** Null where only the base was asked for. */
  readonly findings: WindowFindings | null;
  /** The core as it should be; null when it stays as it is. */
  readonly raster: Raster | null;
}

export interface Gate {
  /**
   * Judges `result`, which is `scale` times the size of `photo`, and repairs it in place: parts that disagree with the
   * photo become bicubic, and all of it when the whole cannot be trusted.
   * @throws AppError CANCELLED or ENGINE_CRASHED, with `result` left as it was
   */
  judge(photo: Raster, result: Raster, scale: number, signal?: AbortSignal): Promise<Quality>;
  close(): Promise<void>;
}

/** Windows of about 512×512 photo pixels with the margin that judging their edges needs, cut at whole 8×8 blocks. */
const WINDOWS = { halo: 10, multiple: 8, tilePixels: 532 * 532 };

/** Opens the gate; its threads start with the first result. */
export function openGate(threads = 2): Gate {
  const pool = Array.from({ length: threads }, () => openThread<GateRequest, GateResponse>('gate-thread'));

  /** Calls `ask` for every window, the threads taking turns; the answers in the windows' order. */
  function forEachWindow(
    photo: Raster,
    ask: (read: Rect, core: Rect) => { request: GateRequest; transfer: ArrayBuffer[] },
    signal: AbortSignal | undefined,
  ): Promise<{ keep: Rect; response: GateResponse }[]> {
    const windows = planTiles(photo.width, photo.height, WINDOWS);
    return Promise.all(
      pool.map(async (thread, first) => {
        const answers = [];
        // Each thread asks for its next window when it has the last: copies of two windows exist at a time, not of all.
        for (let at = first; at < windows.length; at += pool.length) {
          const { read, keep } = windows[at] as (typeof windows)[number];
          const core = { ...keep, left: keep.left - read.left, top: keep.top - read.top };
          const { request, transfer } = ask(read, core);
          answers.push({ keep, response: await thread.call(request, { transfer, signal }) });
        }
        return answers;
      }),
    ).then((perThread) => perThread.flat());
  }

  return {
    async judge(photo, result, scale, signal) {
      const judged = await forEachWindow(
        photo,
        (read, core) => {
          const window = {
            photo: cutOut(photo, read),
            result: cutOut(result, scaleRect(read, scale)),
            scale,
            core,
          };
          return {
            request: { kind: 'judge', window },
            transfer: [bufferOf(window.photo), bufferOf(window.result)],
          };
        },
        signal,
      );
      const quality = verdictOf(judged.flatMap(({ response }) => response.findings ?? []));
      const repairs =
        quality.verdict === 'fallback'
          ? await forEachWindow(
              photo,
              (read, core) => {
                const part = cutOut(photo, read);
                return { request: { kind: 'base', photo: part, scale, core }, transfer: [bufferOf(part)] };
              },
              signal,
            )
          : judged;
      for (const { keep, response } of repairs) {
        if (response.raster !== null) paste(result, response.raster, keep.left * scale, keep.top * scale);
      }
      return quality;
    },
    async close() {
      await Promise.all(pool.map((thread) => thread.close()));
    },
  };
}

function bufferOf(raster: Raster): ArrayBuffer {
  return raster.data.buffer as ArrayBuffer;
}
