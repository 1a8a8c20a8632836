/** The real engine for tests: settings of its own, closed when the test ends. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Engine } from '../../src/cli/command.ts';
import { readConfig } from '../../src/config.ts';
import { encode } from '../../src/engine/image-codec.ts';
import type { Raster } from '../../src/engine/pixels.ts';
import { openEngine } from '../../src/open-engine.ts';

/** Opens the engine on the CPU, silent, with an empty data folder; `settings` are environment variables. */
export async function openTestEngine(t: TestContext, settings: Record<string, string> = {}): Promise<Engine> {
  const preset = { DATA_DIR: temporaryFolder(t), EXECUTION_PROVIDER: 'cpu', LOG_LEVEL: 'silent' };
  const engine = await openEngine(readConfig({ ...preset, ...settings }));
  t.after(() => engine.close());
  return engine;
}

/** A new folder that is removed when the test ends. */
export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'boardsharp-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A raster as the bytes of a lossless file. */
export function png(raster: Raster): Promise<Uint8Array> {
  return encode(raster, 'png');
}
