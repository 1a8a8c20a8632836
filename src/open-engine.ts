/** The composition root of the engine, apart from the service's: a command for one photo loads no server and no database. */
import type { Engine } from './cli/command.ts';
import type { Config } from './config.ts';
import { openInference } from './engine/inference.ts';
import { loadCatalogue } from './engine/models.ts';
import { openPixelWork } from './engine/pixel-work.ts';
import { createUpscaler } from './engine/upscale.ts';
import { type Log, openLog } from './log.ts';

/** Opens the engine. @throws AppError CATALOGUE */
export async function openEngine(config: Config, log = openConfiguredLog(config)): Promise<Engine> {
  const catalogue = await loadCatalogue(config);
  const pixelWork = openPixelWork();
  const { executionProvider, batchSize } = config;
  const inference = openInference({ executionProvider, batchSize, pixelWork, log });
  return {
    catalogue,
    inference,
    upscaler: createUpscaler({ config, catalogue, inference, pixelWork }),
    async close() {
      await Promise.all([inference.close(), pixelWork.close()]);
    },
  };
}

export function openConfiguredLog({ logLevel, logFormat }: Config): Log {
  return openLog({ level: logLevel, format: logFormat });
}
