/** How photos come to the page: picked, dropped anywhere on it, or pasted. */

/** Browsers name no type for what they do not know themselves, HEIC above all. */
const IMAGE_NAME = /\.(jpe?g|png|webp|avif|tiff?|gif|hei[cf])$/i;

/**
 * @param {{
 *   input: HTMLInputElement, onFiles: (files: File[]) => void, onNone: () => void, onHover: (isOver: boolean) => void
 * }} options `onNone`: something was dropped or pasted, but no file in it could be a photo
 */
export function takeIn({ input, onFiles, onNone, onHover }) {
  const offer = (/** @type {Iterable<File>} */ files) => {
    const photos = [...files];
    if (photos.length > 0) onFiles(photos);
    else onNone();
  };

  input.addEventListener('change', () => {
    if (input.files?.length) offer(input.files);
    // The same photo may be picked again.
    input.value = '';
  });

  // Entering a child fires before leaving its parent, so the events are counted.
  let depth = 0;
  const hover = (/** @type {number} */ value) => {
    depth = value;
    onHover(depth > 0);
  };
  addEventListener('dragenter', (event) => {
    if (hasFiles(event)) hover(depth + 1);
  });
  addEventListener('dragleave', (event) => {
    if (hasFiles(event)) hover(Math.max(0, depth - 1));
  });
  addEventListener('dragover', (event) => {
    if (hasFiles(event)) event.preventDefault();
  });
  addEventListener('drop', (event) => {
    hover(0);
    if (!hasFiles(event)) return;
    event.preventDefault();
    offer(event.dataTransfer?.files ?? []);
  });

  addEventListener('paste', (event) => {
    if (
      event.target instanceof Element &&
      event.target.closest('input[type="text"], input[type="password"], textarea')
    )
      return;
    const files = [...(event.clipboardData?.files ?? [])];
    const photos = files.filter((file) => file.type.startsWith('image/') || IMAGE_NAME.test(file.name));
    event.preventDefault();
    offer(photos);
  });
}

/** @param {DragEvent} event */
function hasFiles({ dataTransfer }) {
  return dataTransfer?.types.includes('Files') ?? false;
}
