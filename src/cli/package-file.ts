/** What package.json says of Boardsharp itself. */
import { readFileSync } from 'node:fs';

export interface PackageFile {
  readonly version: string;
  /** `node`: the versions it runs on, `>=` and the first number of the oldest. */
  readonly engines: { readonly node: string };
}

/** Reads it: two folders up both in the source and in the compiled package. */
export function readPackageFile(): PackageFile {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
}
