/** The shape of the code, read from its imports: layers, no cycles, one doorway per package, small files, clear names. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { test } from 'node:test';

const ROOT = resolve(import.meta.dirname, '..');
const SOURCES = globSync('src/**/*.ts', { cwd: ROOT }).sort();
const MAX_LINES = 350;

/** Higher layers may import lower ones. Folders of one layer are blind to each other. */
const LAYERS: readonly (readonly string[])[] = [
  ['src/errors.ts', 'src/settings.ts', 'src/config.ts', 'src/log.ts', 'src/secret.ts', 'src/job.ts'],
  ['src/engine/', 'src/storage/'],
  // The client is the API's other end: whoever talks to it over HTTP may use it.
  ['src/jobs/', 'src/evaluation/', 'src/dataset/', 'src/pilot/', 'src/client/'],
  ['src/bot/', 'src/api/', 'src/worker/', 'src/cli/'],
  ['src/open-engine.ts'],
  ['src/app.ts'],
  ['src/main.ts'],
];

/** The only files or folders that may import a package. A package that is not listed may not be imported at all. */
const DOORWAYS: Readonly<Record<string, string | readonly string[]>> = {
  sharp: 'src/engine/image-codec.ts',
  'libheif-js/wasm-bundle': 'src/engine/heic-thread.ts',
  'onnxruntime-node': 'src/engine/inference-thread.ts',
  '@huggingface/hub': 'src/engine/hub.ts',
  '@electric-sql/pglite': 'src/storage/embedded-database.ts',
  pg: 'src/storage/postgres-database.ts',
  'pg-boss': 'src/jobs/queue.ts',
  '@aws-sdk/client-s3': 'src/storage/s3-blobs.ts',
  '@aws-sdk/lib-storage': 'src/storage/s3-blobs.ts',
  valibot: ['src/engine/models.ts', 'src/engine/model-files.ts', 'src/evaluation/truth-folder.ts'],
  'p-map': ['src/engine/upscale.ts', 'src/engine/gate.ts', 'src/cli/upscale-command.ts'],
  fastify: 'src/api/',
  '@fastify/multipart': 'src/api/server.ts',
  '@fastify/rate-limit': 'src/api/server.ts',
  '@fastify/static': 'src/api/server.ts',
  '@fastify/swagger': 'src/api/documentation.ts',
  '@fastify/swagger-ui': 'src/api/documentation.ts',
  typebox: 'src/api/',
  pdfkit: 'src/api/gallery-files.ts',
  yazl: 'src/api/gallery-files.ts',
  qrcode: ['src/api/gallery-routes.ts', 'src/bot/room-talk.ts'],
  'prom-client': 'src/api/metrics.ts',
  grammy: 'src/bot/',
  'grammy/types': 'src/bot/',
  'node-fetch': 'src/bot/telegram-fetch.ts',
  'https-proxy-agent': 'src/bot/telegram-fetch.ts',
  'socks-proxy-agent': 'src/bot/telegram-fetch.ts',
  '@fluent/bundle': 'src/bot/texts.ts',
  pino: 'src/log.ts',
  'pino-pretty': 'src/log.ts',
};

const FORBIDDEN_NAMES = /^(utils?|helpers?|manager|common|misc|types|index)\b/;

interface Import {
  readonly from: string;
  /** A path from the root for a file of ours, else the package's name. */
  readonly to: string;
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const statements = text.matchAll(/^(?:import|export)\b[^'"]*?\bfrom '([^']+)'|^import '([^']+)'/gm);
  const calls = text.matchAll(
    /\bimport\('([^']+)'\)|(?:\brequire|\bcreateRequire\(import\.meta\.url\))\('([^']+)'\)/g,
  );
  return [...statements, ...calls].flatMap(([, first, second]) => {
    const specifier = first ?? second ?? '';
    if (specifier.startsWith('node:')) return [];
    if (!specifier.startsWith('.')) return [{ from: file, to: specifier }];
    return [{ from: file, to: relative(ROOT, resolve(ROOT, dirname(file), specifier)) }];
  });
}

const IMPORTS = SOURCES.flatMap(importsOf);

function placeOf(file: string): { layer: number; folder: string } {
  const layer = LAYERS.findIndex((places) => places.some((place) => file.startsWith(place)));
  return { layer, folder: LAYERS[layer]?.find((place) => file.startsWith(place)) ?? '' };
}

test('every source file has its place in a layer', () => {
  const homeless = SOURCES.filter((file) => placeOf(file).layer < 0);
  assert.deepEqual(homeless, []);
});

test('imports point down or stay in their folder, types included', () => {
  const wrong = IMPORTS.filter(({ from, to }) => {
    if (!to.startsWith('src/')) return false;
    const [high, low] = [placeOf(from), placeOf(to)];
    // The vocabulary of layer 0 may use itself; cycles are forbidden below.
    if (high.layer === 0 && low.layer === 0) return false;
    return low.layer > high.layer || (low.layer === high.layer && low.folder !== high.folder);
  });
  assert.deepEqual(wrong, []);
});

test('there is no cycle, through types either', () => {
  const graph = new Map(
    SOURCES.map((file) => [file, IMPORTS.filter(({ from }) => from === file).map(({ to }) => to)]),
  );
  const done = new Set<string>();
  function visit(file: string, path: readonly string[]): void {
    assert.ok(!path.includes(file), `cycle: ${[...path.slice(path.indexOf(file)), file].join(' → ')}`);
    if (done.has(file)) return;
    for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
    done.add(file);
  }
  for (const file of SOURCES) visit(file, []);
});

function isAt(file: string, place: string): boolean {
  return place.endsWith('/') ? file.startsWith(place) : file === place;
}

test('a package is imported at its doorway alone', () => {
  const wrong = IMPORTS.filter(
    ({ from, to }) =>
      !to.startsWith('src/') && ![DOORWAYS[to] ?? []].flat().some((place) => isAt(from, place)),
  );
  assert.deepEqual(wrong, []);
  const idle = Object.keys(DOORWAYS).filter((name) => !IMPORTS.some(({ to }) => to === name));
  assert.deepEqual(idle, [], 'doorways without a visitor');
});

test('process.env is read in config.ts alone, signals and exit codes are main.ts alone', () => {
  for (const file of SOURCES) {
    const text = readFileSync(join(ROOT, file), 'utf8');
    if (file !== 'src/config.ts') assert.doesNotMatch(text, /process\.env/, file);
    if (file !== 'src/main.ts') assert.doesNotMatch(text, /process\.(on|once|exit|exitCode)\b/, file);
  }
});

test('no file of code is over 350 lines', () => {
  const files = globSync('{src,test,bench,scripts,training}/**/*.{ts,py}', {
    cwd: ROOT,
    exclude: ['**/node_modules'],
  });
  const long = files
    .map((file) => ({ file, lines: readFileSync(join(ROOT, file), 'utf8').split('\n').length - 1 }))
    .filter(({ lines }) => lines > MAX_LINES);
  assert.deepEqual(long, []);
});

test('files are named in kebab-case by what is in them, and open with one sentence on what they are for', () => {
  for (const file of SOURCES) {
    const name = basename(file, '.ts');
    assert.match(name, /^[a-z0-9]+(-[a-z0-9]+)*$/, file);
    assert.doesNotMatch(name, FORBIDDEN_NAMES, file);
    assert.match(readFileSync(join(ROOT, file), 'utf8'), /^(#!.*\n)?\/\*\* [A-Z`].*[^\s]/, file);
  }
});
