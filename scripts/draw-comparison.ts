/**
 * Draws one place of a board three times, side by side: the photo enlarged by bicubic, the result, the truth.
 *
 * node_modules/.bin/node scripts/draw-comparison.ts PHOTO RESULT TRUTH LEFT,TOP,WIDTH,HEIGHT OUT.png
 * The rectangle is in pixels of the result; RESULT and TRUTH are of one size.
 */
import sharp from 'sharp';

const [photo = '', result = '', truth = '', place = '', out = ''] = process.argv.slice(2);
const [left = 0, top = 0, width = 0, height = 0] = place.split(',').map(Number);
const GAP = 8;

const { width: fullWidth, height: fullHeight } = await sharp(result).metadata();
// Enlarged first and cut then: two steps, because sharp would cut first.
const bicubic = await sharp(photo)
  .resize(fullWidth, fullHeight, { fit: 'fill', kernel: 'cubic' })
  .png()
  .toBuffer();
const panels = await Promise.all(
  [bicubic, result, truth].map((picture) => sharp(picture).extract({ left, top, width, height }).toBuffer()),
);
await sharp({
  create: { width: 3 * width + 2 * GAP, height, channels: 3, background: '#ffffff' },
})
  .composite(panels.map((input, index) => ({ input, left: index * (width + GAP), top: 0 })))
  .png({ palette: true, colours: 128, effort: 10 })
  .toFile(out);
