/** The composition root: builds the engine from the settings, and closes what it built. */
import type { Engine } from './cli/command.ts';
import type { Config } from './config.ts';
import { openGate } from './engine/gate.ts';
import { openInference } from './engine/inference.ts';
import { loadCatalogue } from './engine/models.ts';

import { createUpscaler } from './engine/upscale.ts';
import { openLog } from './log.ts';

/** Opens the engine. @throws AppError CATALOGUE */
export async function openEngine(config: Config): Promise<Engine> {
  const log = openLog({ level: config.logLevel, format: config.logFormat });
  const catalogue = await loadCatalogue(config);
  const inference = openInference({ executionProvider: config.executionProvider, log });
  const gate = openGate();
  return {
    catalogue,
    inference,
    upscaler: createUpscaler({ config, catalogue, inference, gate }),
    async close() {
      await Promise.all([inference.close(), gate.close()]);
    },
  };
}
