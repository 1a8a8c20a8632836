/** compose.yaml and the Dockerfile: settings the program knows, secrets as files, everything they name is there. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { SETTINGS } from '../../src/settings.ts';
import { ROOT, read, readYaml } from './manifests.ts';

interface Service {
  readonly image: string;
  readonly build?: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly secrets?: readonly string[];
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly depends_on?: readonly string[] | Readonly<Record<string, unknown>>;
}

const COMPOSE = readYaml('compose.yaml') as {
  services: Record<string, Service>;
  secrets: Record<string, { file: string }>;
  volumes: Record<string, null>;
};
const OURS = Object.entries(COMPOSE.services).filter(([, { build }]) => build !== undefined);

test('our services are told settings there are, and no secret stands in the open', () => {
  assert.deepEqual(OURS.map(([name]) => name).sort(), ['api', 'bot', 'worker']);
  for (const [name, { command, environment = {}, secrets = [] }] of OURS) {
    assert.deepEqual(command, [name]);
    for (const [variable, value] of Object.entries(environment)) {
      const setting = variable.replace(/_FILE$/, '');
      assert.ok(Object.hasOwn(SETTINGS, setting), `${variable} is no setting`);
      if (variable.endsWith('_FILE')) {
        const [, secret = ''] = /^\/run\/secrets\/(\w+)$/.exec(value) ?? [];
        assert.ok(secrets.includes(secret), `${name} does not have ${value}`);
      } else assert.ok(!/PASSWORD|TOKEN|KEY|DATABASE_URL/.test(variable), `${variable} stands in the open`);
    }
  }
});

test('secrets, volumes and files are those there are; what is published is on loopback', () => {
  const { services, secrets, volumes } = COMPOSE;
  const made = read('deploy/compose/make-secrets.sh');
  for (const [name, { file }] of Object.entries(secrets)) {
    assert.equal(file, `deploy/compose/secrets/${name}`);
    assert.match(made, new RegExp(`keep ${name} `), `make-secrets.sh makes no ${name}`);
  }
  assert.match(read('.gitignore'), /^deploy\/compose\/secrets\/$/m);
  for (const [name, service] of Object.entries(services)) {
    for (const secret of service.secrets ?? []) assert.ok(secrets[secret], `${name}: ${secret}`);
    for (const port of service.ports ?? []) assert.match(port, /^127\.0\.0\.1:/);
    for (const volume of service.volumes ?? []) {
      const [source = ''] = volume.split(':');
      const isThere = source.startsWith('./')
        ? existsSync(join(ROOT, source))
        : Object.hasOwn(volumes, source);
      assert.ok(isThere, `${name}: ${volume}`);
    }
    const needs = Array.isArray(service.depends_on)
      ? service.depends_on
      : Object.keys(service.depends_on ?? {});
    for (const other of needs) assert.ok(services[other], `${name} needs ${other}`);
  }
  const known = [...read('deploy/compose/.env.example').matchAll(/^([A-Z_]+)=/gm)].map(([, name]) => name);
  const asked = [...read('compose.yaml').matchAll(/\$\{([A-Z_]+)/g)].map(([, name]) => name);
  assert.deepEqual([...new Set(asked)].sort(), [...new Set(known)].sort());
});

test('the image takes what the package takes, and runs without root', () => {
  const dockerfile = read('Dockerfile');
  const { files } = JSON.parse(read('package.json')) as { files: string[] };
  for (const file of files) {
    const [first = ''] = file.split('/');
    if (first === 'dist') continue;
    assert.match(
      dockerfile,
      new RegExp(`^COPY .*[ ]${first.replace('.', '\\.')}`, 'm'),
      `${file} is not in the image`,
    );
  }
  assert.match(dockerfile, /^USER 1000:1000$/m);
  assert.match(dockerfile, /^HEALTHCHECK /m);
  assert.doesNotMatch(dockerfile, /^(ARG|ENV) .*(TOKEN|KEY|PASSWORD|SECRET)/m);
  assert.match(read('.dockerignore'), /^\*$/m, 'nothing goes in but what is named');
});
