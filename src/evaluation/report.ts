/** The report as Markdown and as one HTML page that needs nothing else, both from the same figures. Pure. */
import type { Cell, Figures, MethodFigures, WorstLine } from './figures.ts';

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
figure{margin:.5rem 0}figure img{max-width:100%;display:block}figcaption{font-size:.875rem}`;

function caseOf(
  { method, board, line, moreErrors, ...texts }: WorstLine,
  pictures: LinePictures | undefined,
): string {
  const figure = (label: 'bicubic' | 'result' | 'truth'): string =>
    `<figure><img alt="${label}" src="${pictures?.[label] ?? ''}"><figcaption>${label}: ${escaped(texts[label])}</figcaption></figure>`;
  const title = `${method}, ${board}: ${moreErrors} more letter errors than bicubic, x-height ${line.xHeight} px`;
  return `<section><h3>${escaped(title)}</h3><p>Written: ${escaped(line.text)}</p>${figure('bicubic')}${figure('result')}${figure('truth')}</section>`;
}

function summaryOf({ boards, lines, seed, reader }: Figures): string {
  const read =
    reader === null ? 'Tesseract with rus and eng is not installed: letters were not measured' : reader;
  return `${boards} boards, ${lines} lines, bootstrap seed ${seed}, ${read}. Intervals hold 95 %, drawn over boards.`;
}

function tablesOf({ methods, reader }: Figures): Table[] {
  const pictures: Table = {
    title: 'Pictures, time and memory',
    head: [
      'method',
      'PSNR dB',
      '95 %',
      'text PSNR dB',
      'SSIM',
      'seconds a photo',
      'memory of the process, MB',
    ],
    rows: methods
      .filter(({ name }) => name !== 'truth')
      .map(({ name, psnr, psnrInterval: { low, high }, textPsnr, ssim, seconds, memoryMb }) => [
        ...[
          name,
          psnr.toFixed(2),
          `${low.toFixed(2)}–${high.toFixed(2)}`,
          textPsnr.toFixed(2),
          ssim.toFixed(4),
        ],
        ...[seconds.toFixed(2), memoryMb.toFixed(0)],
      ]),
  };
  if (reader === null) return [pictures];
  const cellNames = methods[0]?.cells.patient.map(({ name }) => name) ?? [];
  return [
    pictures,
    ...(['patient', 'plain'] as const).map((kind) => ({
      title: `Letters, ${kind} reader`,
      head: ['method', 'CER', '95 %', 'words read', 'recovered', 'harmed'],
      rows: methods.map(({ name, cells }) => [
        name,
        ...letters(cells[kind].find((cell) => cell.name === 'all')),
      ]),
    })),
    ...cellNames.filter((name) => name !== 'all').map((name) => cellTable(name, methods)),
  ];
}

function cellTable(name: string, methods: readonly MethodFigures[]): Table {
  const cellOf = ({ cells }: MethodFigures): Cell | undefined =>
    cells.patient.find((cell) => cell.name === name);
  const count = methods[0] === undefined ? 0 : (cellOf(methods[0])?.lines ?? 0);
  return {
    title: `${name}, ${count} lines, patient reader`,
    head: ['method', 'CER', '95 %', 'words read', 'recovered', 'harmed', 'CER over bicubic, 95 %'],
    rows: methods.map((method) => {
      const cell = cellOf(method);
      const { low, high } = cell?.overBicubic ?? { low: Number.NaN, high: Number.NaN };
      return [method.name, ...letters(cell), `${signed(low)} … ${signed(high)}`];
    }),
  };
}

function letters(cell: Cell | undefined): string[] {
  if (cell === undefined) return ['–', '–', '–', '–', '–'];
  const { cer, cerInterval, counts } = cell;
  return [
    ...[cer.toFixed(3), `${cerInterval.low.toFixed(3)}–${cerInterval.high.toFixed(3)}`],
    `${counts.read}/${counts.words}`,
    `${counts.recovered}/${counts.recoverable}`,
    `${counts.harmed}/${counts.harmable}`,
  ];
}

function signed(value: number): string {
  return `${value > 0 ? '+' : ''}${value.toFixed(3)}`;
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
