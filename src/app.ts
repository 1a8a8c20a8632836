/** The composition root: builds the engine from the settings, and closes what it built. */
import type { Engine } from './cli/command.ts';
import type { Config } from './config.ts';
import { openInference } from './engine/inference.ts';
import { loadCatalogue } from './engine/models.ts';
import { openPixelWork } from './engine/pixel-work.ts';
import { createUpscaler } from './engine/upscale.ts';
import { openLog } from './log.ts';

/** Opens the engine. @throws AppError CATALOGUE */
export async function openEngine(config: Config): Promise<Engine> {
  const log = await openLog({ level: config.logLevel, format: config.logFormat });
  const catalogue = await loadCatalogue(config);
  const pixelWork = openPixelWork();
  const inference = openInference({ executionProvider: config.executionProvider, pixelWork, log });
  return {
    catalogue,
    inference,
    upscaler: createUpscaler({ config, catalogue, inference, pixelWork }),
    async close() {
      await Promise.all([inference.close(), pixelWork.close()]);
    },
  };
}
