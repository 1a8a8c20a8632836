/** The pilot report as one HTML file that needs nothing else, as Markdown and as JSON. Pure. */

import { isEnough, percent } from './criteria.ts';
import { type Estimate, shareOf } from './intervals.ts';
import type { Case, PilotReport } from './pilot-report.ts';
import type { TrialFigures } from './trial-statistics.ts';

/** A table's cells, the heads first. */
type Rows = readonly (readonly string[])[];

/** Everything as data; pictures are left out, the HTML file has them. */
export function jsonReport(report: PilotReport): string {
  const withoutPicture = ({ original, result, ...about }: Case) => ({
    ...about,
    original: { read: original.read, of: original.of },
    result: { read: result.read, of: result.of },
  });
  const { goodCases, badCases, ...rest } = report;
  const cases = { goodCases: goodCases.map(withoutPicture), badCases: badCases.map(withoutPicture) };
  return `${JSON.stringify({ ...rest, ...cases }, null, 1)}\n`;
}

interface Section {
  readonly title: string;
  readonly text?: readonly string[];
  readonly table?: Rows;
  /** Bars of a chart, 0…1. */
  readonly bars?: readonly { readonly label: string; readonly share: number; readonly value: string }[];
  readonly cases?: readonly Case[];
}

/** What the report says, in order; both texts are made of it. */
function sectionsOf(report: PilotReport): Section[] {
  const { criteria, photos, failures, verdicts, models, letterHeights, activeUsers, trial } = report;
  const most = Math.max(1, ...activeUsers.map(({ users }) => users));
  const groups: [string, TrialFigures][] =
    trial === null
      ? []
      : [
          ['all', trial.all],
          ...Object.entries(trial.byLetterHeight),
          ...Object.entries(trial.byLanguage),
          ...Object.entries(trial.byBoardKind),
        ];
  const counted = (counts: readonly { name: string; photos: number }[]): Rows => [
    ['', 'photos'],
    ...counts.map(({ name, photos: count }) => [name, String(count)]),
  ];
  return [
    {
      title: 'Criteria',
      table: [
        ['criterion', 'target', 'value', 'sample', 'verdict', 'remark'],
        ...criteria.map(({ name, target, value, sample, verdict, remark }) => [
          ...[name, target, value ?? '–', sample, verdict, remark],
        ]),
      ],
    },
    {
      title: 'Reading trial',
      text: trial === null ? ['No trial was held.'] : [],
      ...(groups.length === 0
        ? {}
        : {
            table: [
              ['words', 'items', 'read in the photo', 'read in the result', 'recovered', 'made worse'],
              ...groups.map(([name, figures]) => [
                ...[name, String(figures.items)],
                ...(isEnough(figures)
                  ? [figures.original, figures.result, figures.recovered, figures.harmed].map(shown)
                  : Array(4).fill('not enough data')),
              ]),
            ],
            bars: groups
              .filter(([, figures]) => isEnough(figures) && figures.recovered !== null)
              .map(([label, { recovered }]) => ({
                label,
                share: recovered?.value ?? 0,
                value: shown(recovered),
              })),
          }),
    },
    {
      title: 'Good cases',
      cases: report.goodCases,
      text: report.goodCases.length === 0 ? ['None yet.'] : [],
    },
    { title: 'Bad cases', cases: report.badCases, text: report.badCases.length === 0 ? ['None yet.'] : [] },
    {
      title: 'Photos',
      table: [
        ['done', 'failed', 'cancelled', 'done within two minutes'],
        [photos.done, photos.failed, photos.cancelled, photos.inTime].map(String),
      ],
    },
    ...(failures.length === 0 ? [] : [{ title: 'Failures', table: counted(failures) }]),
    ...(verdicts.length === 0 ? [] : [{ title: 'Quality gate', table: counted(verdicts) }]),
    ...(models.length === 0 ? [] : [{ title: 'Networks', table: counted(models) }]),
    ...(letterHeights.length === 0 ? [] : [{ title: 'Letter heights', table: counted(letterHeights) }]),
    ...ratingsOf(report),
    {
      title: 'Active users',
      text: activeUsers.length === 0 ? ['Nobody yet.'] : [],
      bars: activeUsers.map(({ month, users }) => ({
        label: month,
        share: users / most,
        value: String(users),
      })),
    },
    { title: 'Problems', text: orNone(report.problems) },
    { title: 'Recommendations', text: orNone(report.recommendations) },
    { title: 'Costs', text: report.costs },
  ];
}

const REASONS: Readonly<Record<string, string>> = {
  unreadable: 'still unreadable',
  letters: 'letters wrong',
  slow: 'too slow',
  other: 'something else',
};

/** What people said of results: by network, by letter height, and why they were not good. */
function ratingsOf({ ratings, ratingsByHeight, reasons }: PilotReport): Section[] {
  if (ratings.length === 0) return [];
  const row = (name: string, { positive, all }: { positive: number; all: number }): string[] => [
    ...[name, String(positive), String(all - positive), shown(shareOf(positive, all))],
  ];
  return [
    {
      title: 'Ratings',
      table: [
        ['', '👍', '👎', 'positive'],
        ...ratings.map(({ model, ...counts }) => row(model, counts)),
        ...ratingsByHeight.map(({ height, ...counts }) => row(`letters ${height}`, counts)),
      ],
      bars: ratings.map(({ model, positive, all }) => ({
        ...{ label: model, share: positive / all, value: `${positive} of ${all}` },
      })),
    },
    ...(reasons.length === 0
      ? []
      : [
          {
            title: 'Why results were not good',
            table: [
              ['', '👎'],
              ...reasons.map(({ reason, ratings: count }) => [REASONS[reason] ?? reason, String(count)]),
            ],
          },
        ]),
  ];
}

function orNone(list: readonly string[]): readonly string[] {
  return list.length === 0 ? ['None that the figures show.'] : list;
}

function shown(estimate: Estimate | null): string {
  return estimate === null ? '–' : percent(estimate);
}

export function markdownReport(report: PilotReport): string {
  const table = ([heads = [], ...rows]: Rows): string =>
    [heads, heads.map(() => '---'), ...rows]
      .map((row) => `| ${row.map(escapePipe).join(' | ')} |`)
      .join('\n');
  const casesOf = (cases: readonly Case[]): string =>
    cases.map((one) => `* ${escapePipe(one.truth)} (${one.board}): ${tellCase(one)}`).join('\n');
  const parts = sectionsOf(report).map(({ title, text = [], table: rows, cases = [] }) =>
    [
      `## ${title}`,
      ...(text.length === 0
        ? []
        : [text.length === 1 ? text[0] : text.map((line) => `* ${line}`).join('\n')]),
      ...(rows === undefined ? [] : [table(rows)]),
      ...(cases.length === 0 ? [] : [casesOf(cases)]),
    ].join('\n\n'),
  );
  return `# ${report.title}\n\n${report.since} to ${report.until}\n\n${parts.join('\n\n')}\n`;
}

function escapePipe(text: string): string {
  return text.replaceAll('|', '\\|').replace(/\s+/g, ' ');
}

function tellCase({ letterHeight, original, result, causes }: Case): string {
  const height = letterHeight === null ? '' : `, letters of ${letterHeight} px`;
  const told = `read by ${original.read} of ${original.of} in the photo, by ${result.read} of ${result.of} in the result${height}`;
  return `${told}. ${tellReason(causes, result.read / result.of >= original.read / original.of)}`;
}

function tellReason(causes: readonly string[], isGood: boolean): string {
  const seen = causes.join('; ');
  if (isGood)
    return seen === '' ? 'Reason: letters large and sharp enough to be mended.' : `In spite of: ${seen}.`;
  return seen === ''
    ? 'Reason: none is seen in the photo; the network drew it worse, or its readers differ.'
    : `Reason: ${seen}.`;
}

const STYLE = `:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{max-width:62rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%;margin:1rem 0;font-size:.93rem}
th,td{border:1px solid #8886;padding:.35rem .6rem;text-align:left;vertical-align:top}
.met{color:#18794e}.missed{color:#c22}.undecided{color:#a60}
figure{display:inline-block;margin:.5rem 1rem .5rem 0;vertical-align:top}figure img{display:block;max-width:28rem;margin:.2rem 0}
svg text{font:12px system-ui,sans-serif;fill:currentColor}@media print{body{max-width:none}}`;

export function htmlReport(report: PilotReport): string {
  const table = ([heads = [], ...rows]: Rows): string =>
    `<table><tr>${heads.map((head) => `<th>${escapeHtml(head)}</th>`).join('')}</tr>${rows
      .map((row) => `<tr>${row.map(cell).join('')}</tr>`)
      .join('')}</table>`;
  const parts = sectionsOf(report).map(({ title, text = [], table: rows, bars = [], cases = [] }) =>
    [
      `<h2>${escapeHtml(title)}</h2>`,
      text.length < 2
        ? text.map((line) => `<p>${escapeHtml(line)}</p>`).join('')
        : `<ul>${text.map((line) => `<li>${escapeHtml(line)}</li>`).join('')}</ul>`,
      rows === undefined ? '' : table(rows),
      bars.length === 0 ? '' : chart(title, bars),
      cases.map(figure).join(''),
    ].join('\n'),
  );
  const { title, since, until } = report;
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)}</title><style>${STYLE}</style>
<h1>${escapeHtml(title)}</h1><p>${since} to ${until}</p>
${parts.join('\n')}</html>\n`;
}

function cell(text: string): string {
  const verdict = ['met', 'missed', 'undecided'].includes(text) ? ` class="${text}"` : '';
  return `<td${verdict}>${escapeHtml(text)}</td>`;
}

const [ROW, LABEL, BAR] = [24, 150, 360];

function chart(title: string, bars: NonNullable<Section['bars']>): string {
  const rows = bars.map(({ label, share, value }, index) => {
    const y = index * ROW;
    const width = Math.max(1, Math.round(BAR * Math.min(1, share)));
    return `<text x="0" y="${y + 16}">${escapeHtml(label)}</text>
<rect x="${LABEL}" y="${y + 4}" width="${width}" height="16" fill="#4a90e2"/>
<text x="${LABEL + width + 6}" y="${y + 16}">${escapeHtml(value)}</text>`;
  });
  return `<svg role="img" aria-label="${escapeHtml(title)}" width="100%" viewBox="0 0 ${LABEL + BAR + 260} ${bars.length * ROW}">
${rows.join('\n')}</svg>`;
}

function figure(one: Case): string {
  const image = (png: Uint8Array, alt: string): string =>
    `<img alt="${alt}" src="data:image/png;base64,${Buffer.from(png).toString('base64')}">`;
  return `<figure>${image(one.original.png, 'as photographed')}${image(one.result.png, 'the result')}
<figcaption>${escapeHtml(`${one.truth} — ${tellCase(one)}`)}</figcaption></figure>`;
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
