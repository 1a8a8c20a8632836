#!/usr/bin/env node
// Starts Boardsharp: compiled in the published package, the source as it is in a checkout.
import { existsSync, readFileSync } from 'node:fs';

const { engines } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const oldest = Number(engines.node.replace('>=', ''));
const major = Number(process.versions.node.split('.', 1)[0]);

if (major < oldest) {
  process.stderr.write(
    `boardsharp: Node ${process.versions.node} is too old: ${oldest} or later is needed. Install it from your system or https://nodejs.org.\n`,
  );
  process.exitCode = 2;
} else {
  const source = new URL('../src/main.ts', import.meta.url);
  await import((existsSync(source) ? source : new URL('../dist/main.js', import.meta.url)).href);
}
