/**
 * Where a picture lies on a stage and how large: pure geometry, in CSS pixels of the stage.
 * A view is `{ scale, x, y }`: the picture's top left corner and the stage's pixels per picture pixel.
 * @typedef {{ width: number, height: number }} Size
 * @typedef {{ scale: number, x: number, y: number }} View
 * @typedef {{ stage: Size, picture: Size, pixelRatio: number }} Frame
 */

/** Screen pixels for one picture pixel at the closest zoom: a letter's edge can be inspected, no more. */
const CLOSEST = 4;

/** The whole picture; one that is tiny is not blown up further than the closest zoom. @param {Frame} frame */
export function fitScale({ stage, picture, pixelRatio }) {
  const whole = Math.min(stage.width / picture.width, stage.height / picture.height);
  return Math.min(whole, CLOSEST / pixelRatio);
}

/** One picture pixel on one screen pixel. @param {Frame} frame */
export function fullScale({ pixelRatio }) {
  return 1 / pixelRatio;
}

/** @param {Frame} frame @returns {View} */
export function fit(frame) {
  return clamp({ scale: fitScale(frame), x: 0, y: 0 }, frame);
}

/** Whether there is nothing to pan to. @param {View} view @param {Frame} frame */
export function isFit(view, frame) {
  return view.scale <= fitScale(frame) * 1.0001;
}

/**
 * Keeps the scale in its limits and the picture on the stage: centred where it is smaller, else without a gap at an edge.
 * @param {View} view
 * @param {Frame} frame
 * @returns {View}
 */
export function clamp(view, frame) {
  const least = fitScale(frame);
  const most = Math.max(CLOSEST / frame.pixelRatio, least);
  const scale = Math.min(Math.max(view.scale, least), most);
  return {
    scale,
    x: clampAxis(view.x, frame.stage.width, frame.picture.width * scale),
    y: clampAxis(view.y, frame.stage.height, frame.picture.height * scale),
  };
}

/**
 * Zooms to a scale while the picture's point under `point` stays under it.
 * @param {View} view
 * @param {Frame} frame
 * @param {number} scale
 * @param {{ x: number, y: number }} [point] on the stage; its middle when left out
 * @returns {View}
 */
export function zoomTo(view, frame, scale, point = middle(frame.stage)) {
  const limited = clamp({ ...view, scale }, frame).scale;
  const ratio = limited / view.scale;
  const moved = {
    scale: limited,
    x: point.x - (point.x - view.x) * ratio,
    y: point.y - (point.y - view.y) * ratio,
  };
  return clamp(moved, frame);
}

/** @param {View} view @param {Frame} frame @param {number} dx @param {number} dy */
export function panBy(view, frame, dx, dy) {
  return clamp({ ...view, x: view.x + dx, y: view.y + dy }, frame);
}

/**
 * The view after the stage changed its size: a whole picture stays whole, else its middle stays in the middle.
 * @param {View} view
 * @param {Frame} before
 * @param {Frame} after
 */
export function resized(view, before, after) {
  if (isFit(view, before)) return fit(after);
  return panBy(
    view,
    after,
    (after.stage.width - before.stage.width) / 2,
    (after.stage.height - before.stage.height) / 2,
  );
}

/** @param {Size} size */
function middle({ width, height }) {
  return { x: width / 2, y: height / 2 };
}

/** @param {number} offset @param {number} stage @param {number} picture */
function clampAxis(offset, stage, picture) {
  if (picture <= stage) return (stage - picture) / 2;
  return Math.min(0, Math.max(stage - picture, offset));
}
