/** The report as Markdown and as one HTML page that needs nothing else, both from the same figures. Pure. */
import type { Estimate, Interval } from './bootstrap.ts';
import { type Figures, type MethodFigures, REFERENCES, type WorstLine } from './figures.ts';
import type { Reader } from './letter-cells.ts';
import { AGAIN } from './letter-scores.ts';

/** Pictures of one of the worst lines, as data URIs. */
export interface LinePictures {
  readonly bicubic: string;
  readonly result: string;
  readonly truth: string;
}

interface Table {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export function markdownReport(figures: Figures): string {
  const row = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const parts = tablesOf(figures).map(({ title, head, rows }) =>
    [`## ${title}`, '', row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n'),
  );
  return `${[`# Evaluation at x${figures.scale}`, summaryOf(figures), ...parts].join('\n\n')}\n`;
}

/** @param pictures of each of `figures.worst`, in the same order */
export function htmlReport(figures: Figures, pictures: readonly LinePictures[]): string {
  const row = (tag: string, cells: readonly string[]): string =>
    `<tr>${cells.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join('')}</tr>`;
  const tables = tablesOf(figures).map(
    ({ title, head, rows }) =>
      `<h2>${escaped(title)}</h2><div class="wide"><table><thead>${row('th', head)}</thead><tbody>${rows
        .map((cells) => row('td', cells))
        .join('')}</tbody></table></div>`,
  );
  const worst = figures.worst.map((line, i) => caseOf(line, pictures[i]));
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Evaluation at x${figures.scale}</title><style>${STYLE}</style></head><body>
<h1>Evaluation at x${figures.scale}</h1><p>${escaped(summaryOf(figures))}</p>
${tables.join('\n')}
${worst.length === 0 ? '' : `<h2>Worst lines first</h2>${worst.join('\n')}`}
</body></html>
`;
}

const STYLE = `:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem}
.wide{overflow-x:auto}table{border-collapse:collapse;font-size:.875rem}th,td{padding:.25rem .6rem;border-bottom:1px solid #8886;
text-align:right;white-space:nowrap}th:first-child,td:first-child{text-align:left}section{margin:1.5rem 0;border-top:1px solid #8886}
.side{display:grid;grid-template-columns:repeat(auto-fit,minmax(18rem,1fr));gap:.75rem}
figure{margin:0}figure img{width:100%;display:block}figcaption{font-size:.875rem}`;

function caseOf(
  { method, board, line, moreErrors, ...texts }: WorstLine,
  pictures: LinePictures | undefined,
): string {
  const figure = (label: 'bicubic' | 'result' | 'truth'): string =>
    `<figure><img alt="${label}" src="${pictures?.[label] ?? ''}"><figcaption>${label}: ${escaped(texts[label])}</figcaption></figure>`;
  const title = `${method}, ${board}: ${moreErrors} more letter errors than bicubic, x-height ${line.xHeight} px`;
  const side = `<div class="side">${figure('bicubic')}${figure('result')}${figure('truth')}</div>`;
  return `<section><h3>${escaped(title)}</h3><p>Written: ${escaped(line.text)}</p>${side}</section>`;
}

function summaryOf({ boards, lines, seed, reader, rival }: Figures): string {
  const read =
    reader === null ? 'Tesseract with rus and eng is not installed: letters were not measured' : reader;
  const sentences = [
    `${boards} boards, ${lines} lines, bootstrap seed ${seed}, ${read}. Intervals hold 95 %, drawn over boards.`,
    'PSNR and SSIM on Y of BT.601 without the outer pixels (as many as the scale), SSIM with a Gaussian window of 11×11, σ 1.5; text: the boxes of',
    'the lines, two pixels wider. CER: letter errors per letter. Recovered: of the words read in the truth and not in bicubic; harmed: of those',
    'read in bicubic; beyond noise: less what the reader harms in the truth; beyond chance: more than bicubic harms by itself of the words',
    `that are read in it when it is offered a little larger (${AGAIN}); gap closed: of the errors that bicubic has more than the truth.`,
    ...(rival === null ? [] : [`Rival: ${rival}.`]),
  ];
  return sentences.join(' ');
}

function tablesOf(figures: Figures): Table[] {
  const { methods, reader } = figures;
  // Read again, the pictures are the same.
  const shown = methods.filter(({ name }) => name !== 'truth' && name !== AGAIN);
  const pictures = (shown[0]?.pictures ?? []).map(({ name }) => pictureTable(name, shown));
  const costs: Table = {
    title: 'Time and memory',
    head: ['method', 'seconds a photo', 'memory of the process, MB'],
    rows: shown.map(({ name, seconds, memoryMb }) => [name, seconds.toFixed(2), memoryMb.toFixed(0)]),
  };
  if (reader === null) return [...choiceTables(figures), ...pictures, costs];
  const cellNames = methods[0]?.cells.patient.map(({ name }) => name) ?? [];
  return [
    ...choiceTables(figures),
    ...(['patient', 'plain'] as const).map((kind) => cellTable('all', kind, figures)),
    ...crossedTables(figures),
    ...pictures,
    costs,
    ...cellNames
      .filter((name) => name !== 'all')
      .flatMap((name) => (['patient', 'plain'] as const).map((kind) => cellTable(name, kind, figures))),
  ];
}

function choiceTables({ choice }: Figures): Table[] {
  if (choice === undefined) return [];
  const rows = choice.lost.map(({ model, why }) => [model, why]);
  return [{ title: `Default by the rule: ${choice.model ?? 'none, bicubic'}`, head: ['lost', 'why'], rows }];
}

function pictureTable(name: string, methods: readonly MethodFigures[]): Table {
  const cells = methods.flatMap((method) => {
    const cell = method.pictures.find((one) => one.name === name);
    return cell === undefined ? [] : [{ method: method.name, cell }];
  });
  const bicubic = cells.find(({ method }) => method === 'bicubic')?.cell;
  const share = (over: Estimate, base: Estimate | undefined): string =>
    `${signed((100 * over.value) / (base?.value ?? Number.NaN), 1)} %`;
  return {
    title: `Pictures, ${name}, ${cells[0]?.cell.boards ?? 0} boards`,
    head: [
      ...['method', 'PSNR dB', 'over bicubic', 'of it', 'SSIM', 'over bicubic', 'of it'],
      ...['text PSNR dB', 'over bicubic', 'text SSIM'],
    ],
    rows: cells.map(({ method, cell }) => [
      ...[method, ranged(cell.psnr, 2), ranged(cell.psnrOverBicubic, 2, signed)],
      ...[share(cell.psnrOverBicubic, bicubic?.psnr), ranged(cell.ssim, 4)],
      ...[ranged(cell.ssimOverBicubic, 4, signed), share(cell.ssimOverBicubic, bicubic?.ssim)],
      ...[ranged(cell.textPsnr, 2), ranged(cell.textPsnrOverBicubic, 2, signed), ranged(cell.textSsim, 4)],
    ]),
  };
}

function cellTable(name: string, reader: Reader, { methods, rival }: Figures): Table {
  const cells = methods.flatMap((method) => {
    const cell = method.cells[reader].find((one) => one.name === name);
    return cell === undefined ? [] : [{ method: method.name, cell }];
  });
  const [first] = cells;
  return {
    title: `Letters, ${name}, ${first?.cell.lines ?? 0} lines of ${first?.cell.boards ?? 0} boards, ${reader} reader`,
    head: [
      ...[
        'method',
        'CER',
        'over bicubic',
        ...(rival === null ? [] : [`over ${rival}`]),
        'gap closed',
        'words read',
      ],
      ...['recovered', 'harmed', 'harmed beyond noise', 'harmed beyond chance', 'text PSNR dB', 'text SSIM'],
    ],
    rows: cells.map(({ method, cell: { cer, cerInterval, overBicubic, counts, figures } }) => [
      ...[method, ranged({ value: cer, ...cerInterval }, 3), ranged(overBicubic, 3, signed)],
      ...(rival === null ? [] : [ranged(figures.overRival, 3, signed)]),
      ...[ranged(figures.gapClosed, 1, percent), `${counts.read}/${counts.words}`],
      `${counts.recovered}/${counts.recoverable}, ${interval(figures.recovered, 1, percent)}`,
      `${counts.harmed}/${counts.harmable}, ${interval(figures.harmed, 1, percent)}`,
      ranged(figures.harmedBeyondNoise, 1, percent),
      ranged(figures.harmedBeyondChance, 1, percent),
      ...[ranged(figures.textPsnr, 2), ranged(figures.textSsim, 4)],
    ]),
  };
}

/** Cells of all four dimensions in which a model has more letter errors than bicubic, the surest harm first. */
function crossedTables({ methods }: Figures): Table[] {
  const models = methods.filter(({ name }) => !REFERENCES.includes(name));
  const worse = models
    .flatMap(({ name, crossed }) => crossed.map((cell) => ({ method: name, cell })))
    .filter(({ cell }) => cell.overBicubic.value > 0)
    .sort((a, b) => b.cell.overBicubic.low - a.cell.overBicubic.low);
  const all = models.reduce((sum, { crossed }) => sum + crossed.length, 0);
  return [
    {
      title: `Letter height × board × language × tier: ${worse.length} of ${all} cells with more letter errors than bicubic`,
      head: ['cell', 'method', 'boards', 'lines', 'CER', 'over bicubic'],
      rows: worse.map(({ method, cell }) => [
        ...[cell.name, method, String(cell.boards), String(cell.lines)],
        ...[ranged({ value: cell.cer, ...cell.cerInterval }, 3), ranged(cell.overBicubic, 3, signed)],
      ]),
    },
  ];
}

type Format = (value: number, digits: number) => string;

function plain(value: number, digits: number): string {
  return Number.isFinite(value) ? value.toFixed(digits) : '–';
}

function signed(value: number, digits: number): string {
  return `${value > 0 ? '+' : ''}${plain(value, digits)}`;
}

function percent(value: number, digits: number): string {
  return Number.isFinite(value) ? `${(100 * value).toFixed(digits)} %` : '–';
}

function interval({ low, high }: Interval, digits: number, format: Format = plain): string {
  return `${format(low, digits)} … ${format(high, digits)}`;
}

function ranged(estimate: Estimate, digits: number, format: Format = plain): string {
  if (!Number.isFinite(estimate.value)) return '–';
  return `${format(estimate.value, digits)} (${interval(estimate, digits, format)})`;
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
