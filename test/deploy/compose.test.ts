/** compose.yaml and the Dockerfile: settings the program knows, secrets as files, everything they name is there. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readConfig } from '../../src/config.ts';
import { SETTINGS } from '../../src/settings.ts';
import { temporaryFolder } from '../helpers/engine.ts';
import { ROOT, read, readYaml } from './manifests.ts';

interface Service {
  readonly image: string;
  readonly build?: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { condition: string }>>;
}

const COMPOSE = readYaml('compose.yaml') as {
  services: Record<string, Service>;
  volumes: Record<string, null>;
};
const OURS = Object.entries(COMPOSE.services).filter(([, { build }]) => build !== undefined);
const TOKEN = ['4242424242', 'AAFakeFakeFakeFakeFakeFakeFakeFakeFak'].join(':');

/** Does what the service `secrets` does, as often as it is asked to. */
function openSecrets(t: TestContext): { folder: string; make: (dotEnv: string) => void } {
  const folder = temporaryFolder(t);
  const env = join(temporaryFolder(t), 'env');
  return {
    folder,
    make(dotEnv) {
      writeFileSync(env, dotEnv);
      // The folders are volumes, made by Docker.
      for (const volume of COMPOSE.services.secrets?.volumes ?? []) {
        const [, path = ''] = volume.split(':');
        if (path.startsWith('/secrets/')) mkdirSync(join(folder, basename(path)), { recursive: true });
      }
      execFileSync('sh', [join(ROOT, 'deploy/compose/make-secrets.sh'), folder, env]);
    },
  };
}

/** What a service finds in /run/secrets. */
function secretsOf(folder: string, service: string): Record<string, string> {
  const mount = COMPOSE.services[service]?.volumes?.find((volume) => volume.endsWith(':/run/secrets:ro'));
  assert.ok(mount, `${service} mounts no secrets`);
  const [volume] = mount.split(':');
  const filled = COMPOSE.services.secrets?.volumes?.find((one) => one.startsWith(`${volume}:`));
  assert.ok(filled, `nobody fills ${volume}`);
  const place = join(folder, basename(filled.split(':')[1] ?? ''));
  return Object.fromEntries(
    readdirSync(place).map((name) => [name, readFileSync(join(place, name), 'utf8')]),
  );
}

test('our services are told settings there are, and start with the secrets they are given', (t) => {
  assert.deepEqual(OURS.map(([name]) => name).sort(), ['api', 'bot', 'worker']);
  const { folder, make } = openSecrets(t);
  make(read('.env.example').replace(/^BOT_TOKEN=$/m, `BOT_TOKEN=${TOKEN}`));
  for (const [name, { command, environment = {}, depends_on }] of OURS) {
    assert.deepEqual(command, [name]);
    const secrets = secretsOf(folder, name);
    const env: Record<string, string> = {};
    for (const [variable, value] of Object.entries(environment)) {
      const setting = variable.replace(/_FILE$/, '');
      assert.ok(Object.hasOwn(SETTINGS, setting), `${variable} is no setting`);
      if (variable.endsWith('_FILE')) {
        const [, secret = ''] = /^\/run\/secrets\/(\w+)$/.exec(value) ?? [];
        assert.ok(secrets[secret], `${name} does not have ${value}`);
        env[setting] = secrets[secret] as string;
      } else {
        assert.ok(!/PASSWORD|TOKEN|KEY|DATABASE_URL/.test(variable), `${variable} stands in the open`);
        env[variable] = value.replace(/^\$\{\w+:-(.*)\}$/, '$1');
      }
    }
    assert.doesNotThrow(() => readConfig(env), name);
    assert.ok(depends_on, `${name} waits for nothing`);
  }
  // Each has its own and no more: the bot is no way to the database.
  assert.deepEqual(Object.keys(secretsOf(folder, 'bot')).sort(), ['api_key', 'bot_token']);
  assert.equal(secretsOf(folder, 'bot').bot_token, TOKEN);
  assert.equal(secretsOf(folder, 'prometheus').api_key, secretsOf(folder, 'api').api_key);
  assert.ok(
    secretsOf(folder, 'api').database_url?.includes(secretsOf(folder, 'database').database_password ?? '-'),
  );
});

test('secrets are made once; the token is the one that stands in .env', (t) => {
  const { folder, make } = openSecrets(t);
  make('');
  assert.equal(secretsOf(folder, 'bot').bot_token, '');
  const before = ['api', 'storage', 'grafana'].map((service) => secretsOf(folder, service));
  make(`# mine\nBOT_TOKEN="${TOKEN}"\r\n`);
  const after = ['api', 'storage', 'grafana'].map((service) => secretsOf(folder, service));
  assert.deepEqual(after, before);
  assert.equal(secretsOf(folder, 'bot').bot_token, TOKEN);
  const again = openSecrets(t);
  again.make('');
  assert.notDeepEqual(secretsOf(again.folder, 'api'), before[0], 'they are the same on every server');
});

test('volumes and files are those there are; what is published is on loopback; secrets come first', () => {
  const { services, volumes } = COMPOSE;
  for (const [name, service] of Object.entries(services)) {
    for (const port of service.ports ?? []) assert.match(port, /^127\.0\.0\.1:/);
    for (const volume of service.volumes ?? []) {
      const [source = ''] = volume.split(':');
      const isThere =
        source === './.env' ||
        (source.startsWith('./') ? existsSync(join(ROOT, source)) : Object.hasOwn(volumes, source));
      assert.ok(isThere, `${name}: ${volume}`);
    }
    for (const other of Object.keys(service.depends_on ?? {}))
      assert.ok(services[other], `${name} needs ${other}`);
    if (service.volumes?.some((volume) => volume.endsWith(':/run/secrets:ro')))
      assert.ok(waitsFor(name, 'secrets'), `${name} may start before its secrets are there`);
  }
});

/** Whether a service starts after another has ended, at the latest through those it waits for. */
function waitsFor(name: string, other: string): boolean {
  return Object.keys(COMPOSE.services[name]?.depends_on ?? {}).some(
    (needed) => needed === other || waitsFor(needed, other),
  );
}

test('what .env may say is a setting with the same name, or explained in compose.yaml', () => {
  const text = read('compose.yaml');
  const [head = ''] = text.split('name: boardsharp');
  for (const [, name = ''] of text.matchAll(/\$\{([A-Z_]+)/g))
    assert.ok(Object.hasOwn(SETTINGS, name) || head.includes(name), name);
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
