/**
 * Draws formulas: one line of TeX in, one PNG out (white strokes on black), by MathJax and sharp.
 *
 * ../node_modules/.bin/node tex-to-png.mjs FOLDER [X_HEIGHT] < formulas.tex
 *
 * X_HEIGHT is the height of the letter x in pixels, by default 48. FOLDER gets 00000.png, 00001.png, …
 * Formulas that MathJax does not understand end the program. Used by formulas.py.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import MathJax from 'mathjax';
import sharp from 'sharp';

/** Height of x in MathJax's font (New Computer Modern), in the units of its SVG: thousandths of an em. */
const X_HEIGHT_UNITS = 442;
const MARGIN = 3;

const [folder, wanted = '48'] = process.argv.slice(2);
if (folder === undefined) throw new Error('usage: tex-to-png.mjs FOLDER [X_HEIGHT] < formulas.tex');
const pixelsPerUnit = Number(wanted) / X_HEIGHT_UNITS;

await MathJax.init({
  loader: { load: ['input/tex', 'output/svg'] },
  svg: { fontCache: 'none' },
  tex: {
    formatError(_, error) {
      throw error;
    },
  },
});
const { adaptor } = MathJax.startup;
const lines = (await text(process.stdin)).split('\n').filter((line) => line.trim() !== '');
for (const [i, tex] of lines.entries()) {
  const container = await MathJax.tex2svgPromise(tex, { display: true });
  const drawing = adaptor.tags(container, 'svg')[0];
  const [, , width, height] = adaptor.getAttribute(drawing, 'viewBox').split(' ').map(Number);
  for (const [name, units] of [
    ['width', width],
    ['height', height],
  ])
    adaptor.setAttribute(drawing, name, `${Math.ceil(units * pixelsPerUnit)}px`);
  // The drawing's colour is the text's, which librsvg takes from here.
  adaptor.setAttribute(drawing, 'color', 'white');
  const svg = adaptor.serializeXML(drawing);
  const png = await sharp(Buffer.from(svg))
    .flatten({ background: 'black' })
    .extend({ top: MARGIN, bottom: MARGIN, left: MARGIN, right: MARGIN, background: 'black' })
    .greyscale()
    .png()
    .toBuffer();
  await writeFile(join(folder, `${String(i).padStart(5, '0')}.png`), png);
}
