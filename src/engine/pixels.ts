/** Rasters of 8-bit RGB and rectangles: cut out and paste. Pure. */

/** An 8-bit RGB picture: rows from the top, pixels from the left, three bytes each, no padding. */
export interface Raster {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** A rectangle in pixels; `left` and `top` count from the raster's upper left corner. */
export interface Rect {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export const CHANNELS = 3;

/** A black raster. Throws a RangeError when the memory is not to be had. */
export function createRaster(width: number, height: number): Raster {
  return { width, height, data: new Uint8Array(width * height * CHANNELS) };
}

/** A copy of the part of `raster` inside `rect`, which must lie within it. */
export function cutOut(raster: Raster, rect: Rect): Raster {
  const part = createRaster(rect.width, rect.height);
  const rowBytes = rect.width * CHANNELS;
  for (let row = 0; row < rect.height; row++) {
    const from = ((rect.top + row) * raster.width + rect.left) * CHANNELS;
    part.data.set(raster.data.subarray(from, from + rowBytes), row * rowBytes);
  }
  return part;
}

/** Writes `part` into `raster` with its upper left corner at (`left`, `top`). */
export function paste(raster: Raster, part: Raster, left: number, top: number): void {
  const rowBytes = part.width * CHANNELS;
  for (let row = 0; row < part.height; row++) {
    const to = ((top + row) * raster.width + left) * CHANNELS;
    raster.data.set(part.data.subarray(row * rowBytes, (row + 1) * rowBytes), to);
  }
}

/** The rectangle `margin` wider on every side, kept inside a picture of the given size. */
export function expandWithin(rect: Rect, margin: number, width: number, height: number): Rect {
  const left = Math.max(0, rect.left - margin);
  const top = Math.max(0, rect.top - margin);
  return {
    left,
    top,
    width: Math.min(width, rect.left + rect.width + margin) - left,
    height: Math.min(height, rect.top + rect.height + margin) - top,
  };
}

/** The rectangle in the coordinates of a picture `factor` times as large. */
export function scaleRect(rect: Rect, factor: number): Rect {
  return {
    left: rect.left * factor,
    top: rect.top * factor,
    width: rect.width * factor,
    height: rect.height * factor,
  };
}

/** Three planes of floats, red, green, blue, as networks take and give them; `white` is the value of full white. */
export interface Planes {
  readonly width: number;
  readonly height: number;
  readonly white: number;
  readonly data: Float32Array;
}

/** A raster as planes, enlarged at the right and the bottom to a `multiple` of pixels by repeating the edge. */
export function toPlanes({ width, height, data }: Raster, multiple: number, white: number): Planes {
  const paddedWidth = Math.ceil(width / multiple) * multiple;
  const paddedHeight = Math.ceil(height / multiple) * multiple;
  const planes = new Float32Array(CHANNELS * paddedWidth * paddedHeight);
  const gain = white / 255;
  let to = 0;
  for (let channel = 0; channel < CHANNELS; channel++) {
    for (let y = 0; y < paddedHeight; y++) {
      const start = Math.min(y, height - 1) * width * CHANNELS + channel;
      for (let x = 0; x < width; x++) planes[to++] = gain * (data[start + x * CHANNELS] as number);
      const edge = planes[to - 1] as number;
      for (let x = width; x < paddedWidth; x++) planes[to++] = edge;
    }
  }
  return { width: paddedWidth, height: paddedHeight, white, data: planes };
}

/** The part of `planes` inside `rect` as 8-bit RGB, rounded and clamped. */
export function toRaster({ width, height, white, data }: Planes, rect: Rect): Raster {
  const raster = createRaster(rect.width, rect.height);
  const gain = 255 / white;
  for (let channel = 0; channel < CHANNELS; channel++) {
    for (let y = 0; y < rect.height; y++) {
      const start = (channel * height + rect.top + y) * width + rect.left;
      const to = y * rect.width * CHANNELS + channel;
      for (let x = 0; x < rect.width; x++) {
        const value = gain * (data[start + x] as number) + 0.5;
        raster.data[to + x * CHANNELS] = value < 0 ? 0 : value > 255 ? 255 : value | 0;
      }
    }
  }
  return raster;
}
