/** The thread that judges windows of a result and repairs them: work that would freeze its caller for a moment. */
import { blendToBase } from './base-blend.ts';
import { enlarge } from './bicubic.ts';
import type { GateRequest, GateResponse } from './gate.ts';
import type { Raster } from './pixels.ts';
import { inspectWindow } from './quality-gate.ts';
import { serve } from './thread.ts';

serve<GateRequest, GateResponse>(async (request) => {
  if (request.kind === 'base') {
    const base = enlarge(request.photo, request.scale, request.core, null);
    return answer({ findings: null, raster: base });
  }
  const { window } = request;
  const findings = inspectWindow(window);
  return answer({ findings, raster: blendToBase(window, findings) });
});

async function answer(value: { findings: GateResponse['findings']; raster: Raster | null }): Promise<{
  value: GateResponse;
  transfer: ArrayBuffer[];
}> {
  return { value, transfer: value.raster === null ? [] : [value.raster.data.buffer as ArrayBuffer] };
}
