/** A photo of a board that was never taken: drawn, seen from the back row, a little crooked, unsharp and noisy. */
import sharp from 'sharp';

/** Formulas a student could have to read. Positions are in a drawing of 1600 × 1000. */
const LINES: readonly (readonly [x: number, y: number, size: number, text: string])[] = [
  [120, 170, 74, 'Gauss–Seidel iteration'],
  [120, 300, 58, 'x₁ = (b₁ − a₁₂x₂ − a₁₃x₃) / a₁₁'],
  [120, 400, 58, 'x₂ = (b₂ − a₂₁x₁ − a₂₃x₃) / a₂₂'],
  [120, 530, 52, '‖x⁽ᵏ⁺¹⁾ − x⁽ᵏ⁾‖ < ε = 10⁻⁶'],
  [120, 650, 52, 'сходится, если |aᵢᵢ| > Σ |aᵢⱼ|'],
  [120, 800, 46, 'Homework: §4.2, nos. 17, 19, 23b – until Thursday'],
];

/** The photo as a JPEG file of `width` × 5/8 of it. */
export async function drawBoardPhoto(width = 480, kind: 'chalk' | 'marker' = 'chalk'): Promise<Buffer> {
  const height = Math.round((width * 5) / 8);
  const isChalk = kind === 'chalk';
  const ink = isChalk ? '#eef1e6' : '#23346b';
  const [ground, edge] = isChalk ? ['#2c5a49', '#234a3b'] : ['#eceeee', '#d6d9da'];
  const texts = LINES.map(
    ([x, y, size, text], i) =>
      `<text x="${x}" y="${y}" font-size="${size}" transform="rotate(${i % 2 ? 0.4 : -0.7} ${x} ${y})">${text.replace('<', '&lt;')}</text>`,
  );
  const drawing = `<svg xmlns="http://www.w3.org/2000/svg" width="1600" height="1000">
    <defs><linearGradient id="light"><stop stop-color="${ground}"/><stop offset="1" stop-color="${edge}"/></linearGradient></defs>
    <rect width="1600" height="1000" fill="#c9b08a"/><rect x="26" y="26" width="1548" height="934" rx="10" fill="url(#light)"/>
    <g fill="${ink}" font-family="Comic Neue, Segoe Print, DejaVu Sans, sans-serif" font-style="italic">${texts.join('')}</g>
    <g fill="none" stroke="${ink}" stroke-width="5" stroke-linecap="round">
      <path d="M1180 880V610M1180 880h330M1195 640q60 215 295 225"/><path d="M120 192q260 16 690-4" stroke-width="4"/>
      <path d="M1190 300h300v180h-300zM1290 300v180M1390 300v180M1190 360h300M1190 420h300" stroke-width="4"/>
    </g></svg>`;
  return sharp(Buffer.from(drawing))
    .resize(width, height, { kernel: 'lanczos3' })
    .blur(0.6)
    .jpeg({ quality: 82 })
    .toBuffer();
}
