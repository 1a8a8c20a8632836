/** Which image format a file is, by its first bytes; names and extensions are never believed. Pure. */

export const INPUT_FORMATS = ['jpeg', 'png', 'webp', 'avif', 'tiff', 'gif', 'heic'] as const;
export type InputFormat = (typeof INPUT_FORMATS)[number];

export const OUTPUT_FORMATS = ['jpeg', 'png', 'webp'] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

/** File name endings of the formats read, for picking photos out of a folder. */
export const INPUT_EXTENSIONS = [
  'jpg',
  'jpeg',
  'png',
  'webp',
  'avif',
  'tif',
  'tiff',
  'gif',
  'heic',
  'heif',
] as const;

export const EXTENSION_OF: Readonly<Record<OutputFormat, string>> = { jpeg: 'jpg', png: 'png', webp: 'webp' };

/** HEVC brands of ISO/IEC 23008-12, annex B; `mif1` and `msf1` are the codec-free brands that HEIC files also carry. */
const HEIC_BRANDS = new Set(['heic', 'heix', 'heim', 'heis', 'hevc', 'hevx', 'mif1', 'msf1']);

/** The format, or undefined for anything we do not read. Looks at the first 64 bytes at most. */
export function sniffFormat(bytes: Uint8Array): InputFormat | undefined {
  const ascii = Buffer.from(bytes.subarray(0, 64)).toString('latin1');
  if (ascii.startsWith('\xff\xd8\xff')) return 'jpeg';
  if (ascii.startsWith('\x89PNG\r\n\x1a\n')) return 'png';
  if (ascii.startsWith('GIF87a') || ascii.startsWith('GIF89a')) return 'gif';
  if (ascii.startsWith('RIFF') && ascii.slice(8, 12) === 'WEBP') return 'webp';
  // Classic TIFF has version 42, BigTIFF 43, in the byte order of the first two letters.
  if (/^(II[*+]\0|MM\0[*+])/.test(ascii)) return 'tiff';
  if (ascii.slice(4, 8) === 'ftyp') return sniffBrands(ascii);
  return undefined;
}

/** An ISO base media file names a major brand and a list of compatible ones; AV1 wins, as `mif1` alone says nothing. */
function sniffBrands(ascii: string): InputFormat | undefined {
  const boxLength = Buffer.from(ascii.slice(0, 4), 'latin1').readUInt32BE();
  const brands = [ascii.slice(8, 12), ...(ascii.slice(16, Math.max(16, boxLength)).match(/.{4}/gs) ?? [])];
  if (brands.includes('avif') || brands.includes('avis')) return 'avif';
  return brands.some((brand) => HEIC_BRANDS.has(brand)) ? 'heic' : undefined;
}
