/** deploy/monitoring: alerts and dashboard ask for metrics there are, each alert says what to do, and a real Prometheus reads a running system. */
import assert from 'node:assert/strict';
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { openTestService, photo, untilEnd } from '../helpers/api.ts';
import { temporaryFolder } from '../helpers/engine.ts';
import { freePort } from '../helpers/server-process.ts';
import { eventually } from '../telegram/meeting.ts';
import { ROOT, read, readYaml } from './manifests.ts';

const FOLDER = join(ROOT, 'deploy/monitoring');
const PROMETHEUS = '/usr/bin/prometheus';
const NO_PROMETHEUS = existsSync(PROMETHEUS)
  ? false
  : 'Prometheus is not installed (Debian: apt-get install prometheus)';
const ALERTS = (
  readYaml('deploy/monitoring/alerts.yml').groups as { rules: { alert: string; expr: string }[] }[]
).flatMap(({ rules }) => rules);

test('alerts and dashboard ask for metrics there are', async (t) => {
  const { url, client } = await openTestService(t);
  const { id } = await client.createUpscale(await photo(), { scale: 2 });
  await untilEnd(client, id);
  const text = await (await fetch(`${url}/metrics`)).text();
  const kinds = new Map(
    [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', kind = '']) => [name, kind]),
  );
  const dashboard = JSON.parse(read('deploy/monitoring/dashboard.json')) as {
    panels: { title: string; targets: { expr: string }[] }[];
  };
  const asked = [
    ...ALERTS.map(({ expr }) => expr),
    ...dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
  ];
  for (const expression of asked) {
    for (const [name] of expression.matchAll(/\bboardsharp_\w+/g)) {
      const histogram = name.replace(/_(bucket|count|sum)$/, '');
      assert.ok(kinds.has(name) || kinds.get(histogram) === 'histogram', `${name} is no metric`);
    }
  }
});

test('each alert is tested, and has its line of what to do', () => {
  const operations = read('docs/operations.md');
  const tested = read('deploy/monitoring/alerts.test.yml');
  for (const { alert } of ALERTS) {
    assert.match(operations, new RegExp(`^\\| \`${alert}\` \\| .{30,} \\|$`, 'm'), alert);
    assert.equal(
      tested.split(`alertname: ${alert}`).length,
      3,
      `${alert} is to be silent once and to speak once`,
    );
  }
});

test('promtool finds the rules right, and they speak when they should', { skip: NO_PROMETHEUS }, async () => {
  const run = promisify(execFile);
  await run('promtool', ['check', 'rules', 'alerts.yml'], { cwd: FOLDER });
  await run('promtool', ['test', 'rules', 'alerts.test.yml'], { cwd: FOLDER });
  execFileSync('promtool', ['check', 'config', '--syntax-only', 'prometheus.yml'], { cwd: FOLDER });
});

test('a real Prometheus reads a running system with its key', { skip: NO_PROMETHEUS }, async (t) => {
  const key = 'a-key-for-prometheus';
  const { url } = await openTestService(t, { API_KEYS: key });
  const folder = temporaryFolder(t);
  const config = readYaml('deploy/monitoring/prometheus.yml');
  writeFileSync(join(folder, 'key'), key);
  config.global.scrape_interval = '1s';
  config.rule_files = [join(FOLDER, 'alerts.yml')];
  config.scrape_configs[0].authorization.credentials_file = join(folder, 'key');
  config.scrape_configs[0].static_configs[0].targets = [new URL(url).host];
  writeFileSync(join(folder, 'prometheus.yml'), JSON.stringify(config));
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const prometheus = spawn(
    PROMETHEUS,
    [
      `--config.file=${folder}/prometheus.yml`,
      `--storage.tsdb.path=${folder}/data`,
      `--web.listen-address=${address}`,
    ],
    { stdio: 'ignore' },
  );
  t.after(async () => {
    prometheus.kill();
    await once(prometheus, 'exit');
  });
  let answer: { status: string; data: { result: { value: [number, string] }[] } } | undefined;
  const ask = async (query: string) => {
    const response = await fetch(`http://${address}/api/v1/query?query=${encodeURIComponent(query)}`).catch(
      () => undefined,
    );
    return response?.ok ? ((await response.json()) as typeof answer) : undefined;
  };
  const polling = setInterval(async () => {
    answer = await ask('up == 1 and on() boardsharp_queue_photos{state="queued"} == 0');
  }, 300);
  t.after(() => clearInterval(polling));
  await eventually(() => answer?.data.result.length === 1, 'Prometheus does not see the system');
  const rules = (await (await fetch(`http://${address}/api/v1/rules`)).json()) as {
    data: { groups: { rules: { name: string; health: string }[] }[] };
  };
  assert.equal(rules.data.groups[0]?.rules.length, ALERTS.length);
});
