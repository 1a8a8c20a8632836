/** deploy/kubernetes: every document fits the schemas of Kubernetes, and what it says of the program is true of the program. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { readConfig } from '../../src/config.ts';
import { SETTINGS, type SettingName } from '../../src/settings.ts';
import { onEachDatabase } from '../helpers/database.ts';
import { createUser, newUpscale, openTestQueue } from '../helpers/service.ts';
import { build, type Container, type Manifest, OVERLAYS, podOf, ROOT, read, workloads } from './manifests.ts';

const BASE = 'deploy/kubernetes/base';
const ALL = [BASE, ...OVERLAYS].map((folder) => ({ folder, documents: build(folder) }));
/** Where the schemas of what is not Kubernetes' own come from. */
const PACKAGES: readonly (readonly [RegExp, string])[] = [
  [/^keda\.sh\//, '@kubernetes-models/keda'],
  [/^monitoring\.coreos\.com\//, '@kubernetes-models/prometheus-operator'],
  [/./, 'kubernetes-models'],
];
const ROLES = ['api', 'worker', 'bot', 'migrate', 'start'];

for (const { folder, documents } of ALL) {
  test(`${folder}: every document fits its schema`, async () => {
    assert.ok(documents.length > 10);
    for (const document of documents) {
      const { apiVersion, kind } = document as { apiVersion: string; kind: string };
      const [, source] = PACKAGES.find(([pattern]) => pattern.test(apiVersion)) ?? [];
      const models = (await import(`${source}/${apiVersion}/${kind}`)) as Record<
        string,
        new (
          data: Manifest,
        ) => { validate(): void }
      >;
      const Model = models[kind];
      assert.ok(Model, `${apiVersion} ${kind} has no schema`);
      assert.doesNotThrow(
        () => new Model(structuredClone(document)).validate(),
        `${kind} ${document.metadata.name}`,
      );
    }
  });

  test(`${folder}: containers say nothing the program does not know`, () => {
    for (const document of workloads(documents)) {
      const [container] = podOf(document).containers as Container[];
      assert.ok(container);
      const [role] = container.args ?? [];
      assert.ok(ROLES.includes(role ?? ''), role);
      const env = environmentOf(container, documents);
      for (const [name, value] of Object.entries(env)) {
        const setting = name.replace(/_FILE$/, '') as SettingName;
        assert.ok(Object.hasOwn(SETTINGS, setting), `${name} is no setting`);
        if (!name.endsWith('_FILE')) {
          assert.ok(
            !('secret' in SETTINGS[setting]) || /^S3_(ENDPOINT|BUCKET|REGION)$/.test(name),
            `${name} stands in the open`,
          );
          continue;
        }
        const item = itemsOf(document).find(({ path }) => value.endsWith(`/${path}`));
        assert.ok(item && value.startsWith('/run/secrets/boardsharp/'), `${name}: ${value} is not mounted`);
      }
      // Together they are settings the program starts with.
      const plain = Object.fromEntries(
        Object.entries(env).map(([name, value]) =>
          name.endsWith('_FILE') ? [name.slice(0, -5), exampleOf(name)] : [name, value],
        ),
      );
      assert.doesNotThrow(() => readConfig(plain), `${document.metadata.name}`);
    }
  });

  test(`${folder}: nothing runs as root, writes where it may not, or lives longer than it must`, () => {
    for (const document of workloads(documents)) {
      const pod = podOf(document);
      const [container] = pod.containers as Container[];
      assert.equal(pod.securityContext.runAsNonRoot, true);
      assert.equal(pod.automountServiceAccountToken, false);
      assert.deepEqual(container?.securityContext, {
        ...{ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
      });
      const writable = container?.volumeMounts
        ?.filter(({ readOnly }) => !readOnly)
        .map(({ mountPath }) => mountPath);
      assert.deepEqual(writable, ['/data', '/tmp']);
      assert.ok(container?.resources?.requests?.cpu && container.resources.limits?.memory);
      // A role stops within ten seconds (src/worker, src/api): there is room for that, and for the pause before it.
      if (document.kind === 'Deployment') assert.ok(pod.terminationGracePeriodSeconds >= 20);
    }
  });

  test(`${folder}: probes, services, rules and scalers lead to what is there`, () => {
    const server = `${read('src/api/service-routes.ts')}\n${read('src/bot/listener.ts')}`;
    const named = (kind: string, name: string) =>
      documents.find((one) => one.kind === kind && one.metadata.name === name);
    for (const document of workloads(documents)) {
      const [container] = podOf(document).containers as Container[];
      for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe']) {
        const get = (container?.[probe] as { httpGet?: { path: string; port: string } })?.httpGet;
        if (get === undefined) continue;
        assert.ok(server.includes(get.path), get.path);
        assert.ok(container?.ports?.some(({ name }) => name === get.port));
      }
      const env = environmentOf(container as Container, documents);
      for (const { containerPort } of container?.ports ?? []) {
        assert.ok(
          [env.PORT, env.BOT_PORT].includes(String(containerPort)),
          'it listens where the cluster asks',
        );
      }
    }
    for (const { kind, spec, metadata } of documents) {
      if (kind === 'Service')
        assert.ok(named('Deployment', spec.selector['app.kubernetes.io/name']), metadata.name);
      if (kind === 'HorizontalPodAutoscaler' || kind === 'ScaledObject')
        assert.ok(named('Deployment', spec.scaleTargetRef.name));
      if (kind === 'PodDisruptionBudget') {
        assert.ok(named('Deployment', spec.selector.matchLabels['app.kubernetes.io/name']));
      }
      if (kind === 'Ingress') {
        for (const { backend } of spec.rules[0].http.paths) assert.ok(named('Service', backend.service.name));
      }
      if (kind === 'ScaledObject') {
        for (const { authenticationRef } of spec.triggers)
          assert.ok(named('TriggerAuthentication', authenticationRef.name));
      }
    }
  });
}

test('the webhook goes where the bot listens for it, and several bots do not poll', () => {
  const documents = build('deploy/kubernetes/overlays/webhook');
  const bot = documents.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'bot');
  const env = environmentOf(podOf(bot).containers[0], documents);
  const ingress = documents.find(({ kind }) => kind === 'Ingress');
  const address = new URL(env.TELEGRAM_WEBHOOK_URL ?? '');
  const [rule] = ingress.spec.rules;
  assert.equal(address.host, rule.host);
  assert.equal(
    rule.http.paths.find(({ path }: { path: string }) => path === address.pathname)?.backend.service.name,
    'bot',
  );
  assert.ok(bot.spec.replicas > 1);
  assert.deepEqual(bot.spec.strategy, { type: 'RollingUpdate' });
});

onEachDatabase('the scaler', (open) => {
  test('asks the database for as many workers as the photos need', async (t) => {
    const db = await open();
    const [queue, userId] = [await openTestQueue(t, db), await createUser(db)];
    const scaled = build(BASE).find(({ kind }) => kind === 'ScaledObject');
    /** As the autoscaler reckons: each trigger's value over its target, rounded up, and the largest of them. */
    const replicas = async (): Promise<number> => {
      const wanted = scaled.spec.triggers.map(async ({ metadata }: Manifest) => {
        const rows = await db.query<Record<string, unknown>>(metadata.query);
        const [value, ...others] = Object.values(rows[0] ?? {}).map(Number);
        assert.deepEqual([rows.length, others.length], [1, 0], 'KEDA reads one value');
        return Math.ceil((value as number) / Number(metadata.targetQueryValue));
      });
      const { minReplicaCount, maxReplicaCount } = scaled.spec;
      return Math.min(maxReplicaCount, Math.max(minReplicaCount, ...(await Promise.all(wanted))));
    };
    assert.equal(await replicas(), 1, 'nothing waits');
    for (let photo = 0; photo < 9; photo++) await queue.enqueue(newUpscale(userId));
    assert.ok(await queue.claim(1));
    assert.equal(await replicas(), 3, 'nine photos, one of them in work, at four a worker');
    await db.script(
      "update upscales set created_at = now() - interval '151 seconds' where status = 'queued'",
    );
    assert.equal(await replicas(), 6, 'the oldest has waited for 151 s: one more for every thirty');
    await db.script("update upscales set status = 'done', finished_at = now()");
    assert.equal(await replicas(), 1, 'all are done');
  });
});

const KUBECTL = spawnSync('kubectl', ['kustomize', '--help']).status === 0;

for (const { folder, documents } of ALL) {
  const skip = KUBECTL ? false : 'kubectl is not installed';
  test(`${folder}: kustomize builds what the other tests look at`, { skip }, () => {
    const text = execFileSync('kubectl', ['kustomize', join(ROOT, folder)], { encoding: 'utf8' });
    const built = parseAllDocuments(text).map((one) => one.toJS() as Manifest);
    const names = (list: Manifest[]) => list.map(({ kind, metadata }) => `${kind} ${metadata.name}`).sort();
    assert.deepEqual(names(built), names(documents));
    for (const document of workloads(documents)) {
      const twin = built.find(
        ({ kind, metadata }) => kind === document.kind && metadata.name === document.metadata.name,
      );
      const images = (one: Manifest) => podOf(one).containers.map(({ image }: Container) => image);
      // The one thing that is not read here: kustomize puts the image's full name in.
      for (const image of images(twin)) assert.match(image, /^registry\.example\.org\/boardsharp(-cuda)?:/);
      const rest = (one: Manifest) =>
        podOf(one).containers.map(({ image: _, ...container }: Container) => container);
      assert.deepEqual(inOrder(rest(twin)), inOrder(rest(document)), `${folder}: ${document.metadata.name}`);
      assert.deepEqual(inOrder(podOf(twin).volumes), inOrder(podOf(document).volumes));
    }
    for (const document of built)
      assert.equal(document.metadata.namespace, document.kind === 'Namespace' ? undefined : 'boardsharp');
  });
}

/** Lists of named things by their names: kustomize puts what a patch adds first. */
function inOrder(value: Manifest): Manifest {
  if (Array.isArray(value)) {
    const list = value.map(inOrder);
    return list.every((one) => one?.name) ? list.sort((a, b) => a.name.localeCompare(b.name)) : list;
  }
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, inOrder(one)]));
}

function environmentOf(container: Container, documents: readonly Manifest[]): Record<string, string> {
  const maps = (container.envFrom ?? []).map(({ configMapRef: { name } }) => {
    const map = documents.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === name);
    assert.ok(map, `${name} is not there`);
    return map.data as Record<string, string>;
  });
  return Object.assign(
    {},
    ...maps,
    Object.fromEntries((container.env ?? []).map(({ name, value = '' }) => [name, value])),
  );
}

function itemsOf(document: Manifest): { key: string; path: string }[] {
  return podOf(document).volumes.find(({ name }: { name: string }) => name === 'secrets').secret.items;
}

/** Something of the shape of a secret. */
function exampleOf(name: string): string {
  if (name.startsWith('DATABASE_URL')) return 'postgres://boardsharp:password@database/boardsharp';
  if (name.startsWith('BOT_TOKEN')) return ['4242424242', 'AAFakeFakeFakeFakeFakeFakeFakeFakeFak'].join(':');
  return 'a-secret-of-more-than-32-letters-and-digits-0123456789';
}
