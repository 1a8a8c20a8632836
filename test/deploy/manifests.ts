/** The files of deploy/ as tests read them: Kubernetes documents, overlays put onto their base, containers and what they are told. */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';

export const ROOT = resolve(import.meta.dirname, '../..');

export interface Variable {
  readonly name: string;
  readonly value?: string;
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly args?: readonly string[];
  readonly ports?: readonly { name: string; containerPort: number }[];
  readonly env?: readonly Variable[];
  readonly envFrom?: readonly { configMapRef: { name: string } }[];
  readonly volumeMounts?: readonly { name: string; mountPath: string; readOnly?: boolean }[];
  readonly securityContext?: Record<string, unknown>;
  readonly resources?: { requests?: Record<string, string>; limits?: Record<string, string> };
  readonly [probe: string]: unknown;
}

/** A Kubernetes document, as far as tests look into it. */
// biome-ignore lint/suspicious/noExplicitAny: every kind has another shape, which the schemas check.
export type Manifest = any;

export function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

export function readYaml(path: string): Manifest {
  return parse(read(path), { merge: true });
}

/** What a kustomization puts together: its resources, with its patches applied. */
export function build(folder: string): Manifest[] {
  const kustomization = readYaml(`${folder}/kustomization.yaml`);
  const documents: Manifest[] = (kustomization.resources as string[]).flatMap((resource) => {
    const path = relative(ROOT, resolve(ROOT, folder, resource));
    if (path.endsWith('.yaml')) return parseAllDocuments(read(path)).map((one) => one.toJS() as Manifest);
    return build(path);
  });
  for (const { path } of (kustomization.patches ?? []) as { path: string }[]) {
    const patch = readYaml(`${folder}/${path}`);
    const target = documents.find(
      ({ kind, metadata }) => kind === patch.kind && metadata.name === patch.metadata.name,
    );
    if (target === undefined) throw new Error(`${folder}/${path} patches nothing`);
    merge(target, patch);
  }
  return documents;
}

/** Strategic merge, as far as it is used here: lists of named things by their names, other lists replaced. */
function merge(target: Manifest, patch: Manifest): void {
  if (patch.$patch === 'replace') for (const key of Object.keys(target)) delete target[key];
  for (const [key, value] of Object.entries(patch)) {
    if (key === '$patch') continue;
    const known = target[key];
    if (Array.isArray(value) && Array.isArray(known) && value.every((item) => item?.name)) {
      for (const item of value) {
        const same = known.find(({ name }: { name: string }) => name === item.name);
        if (same === undefined) known.push(item);
        else merge(same, item);
      }
    } else if (
      known !== null &&
      typeof known === 'object' &&
      !Array.isArray(value) &&
      typeof value === 'object'
    ) {
      merge(known, value);
    } else target[key] = value;
  }
}

export function podOf(document: Manifest): Manifest {
  return document.spec.template.spec;
}

/** Documents that run containers. */
export function workloads(documents: readonly Manifest[]): Manifest[] {
  return documents.filter(({ kind }) => kind === 'Deployment' || kind === 'Job');
}

export const OVERLAYS = globSync('deploy/kubernetes/overlays/*/kustomization.yaml', { cwd: ROOT }).map(
  (path) => dirname(path),
);
