/** The thread that finishes tiles and judges windows of a result, and measures letters: arithmetic that would freeze its caller for a moment. */
import { blendToBase } from './base-blend.ts';
import { enlarge } from './bicubic.ts';
import { cleanBoard } from './clean-look.ts';
import { grainOf, keptMap } from './damping.ts';
import { estimateLetterHeight } from './letter-height.ts';
import type { PixelRequest, PixelResponse } from './pixel-work.ts';
import { type Raster, scaleRect, toRaster } from './pixels.ts';
import { inspectWindow } from './quality-gate.ts';
import { serve } from './thread.ts';

serve<PixelRequest, PixelResponse>(async (request) => {
  switch (request.kind) {
    case 'finish': {
      const { photo, keep, scale, base, output, kept } = request;
      if (base === 'none') return finished(toRaster(output, scaleRect(keep, scale)));
      const shares = kept === undefined || kept.share === 1 ? null : keptMap(photo, kept);
      return finished(enlarge(photo, scale, keep, output, shares));
    }
    case 'base':
      return finished(enlarge(request.photo, request.scale, request.keep, null));
    case 'judge': {
      const findings = inspectWindow(request.window);
      const raster = blendToBase(request.window, findings);
      const transfer = raster === null ? [] : [raster.data.buffer as ArrayBuffer];
      return { value: { kind: 'judged', findings, raster }, transfer };
    }
    case 'clean':
      cleanBoard(request.photo, request.scale);
      return finished(request.photo);
    case 'letters': {
      const { photo } = request;
      const value = {
        kind: 'measured',
        letters: estimateLetterHeight(photo),
        grain: grainOf(photo),
      } as const;
      return { value, transfer: [] };
    }
  }
});

function finished(raster: Raster): { value: PixelResponse; transfer: ArrayBuffer[] } {
  return { value: { kind: 'finished', raster }, transfer: [raster.data.buffer as ArrayBuffer] };
}
