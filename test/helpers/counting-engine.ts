/** The real engine with small tiles, telling of every tile that the network was run on. */

import type { Config } from '../../src/config.ts';
import { type Inference, openInference } from '../../src/engine/inference.ts';
import { type Catalogue, loadCatalogue, type Model } from '../../src/engine/models.ts';
import { openPixelWork } from '../../src/engine/pixel-work.ts';
import { createUpscaler, type Upscaler } from '../../src/engine/upscale.ts';
import { SILENT } from './service.ts';

export interface CountingEngine {
  readonly upscaler: Upscaler;
  close(): Promise<void>;
}

/** @param onTile called with a name that is the same for the same tile of equally large photos, before and after */
export async function openCountingEngine(
  config: Config,
  onTile: (name: string, when: 'begins' | 'ended') => void | Promise<void>,
  tilePixels = 96 * 96,
): Promise<CountingEngine> {
  const catalogue = withTiles(await loadCatalogue(config), tilePixels);
  const pixelWork = openPixelWork(1);
  const real = openInference({ executionProvider: 'cpu', pixelWork, log: SILENT, threads: 1 });
  const inference: Inference = {
    ...real,
    async enlargeTile(network, photo, tile, options) {
      const { left, top } = tile.keep;
      const name = `${photo.width}x${photo.height} ${left},${top}`;
      await onTile(name, 'begins');
      const piece = await real.enlargeTile(network, photo, tile, options);
      await onTile(name, 'ended');
      return piece;
    },
  };
  return {
    upscaler: createUpscaler({ config, catalogue, inference, pixelWork }),
    async close() {
      await Promise.all([real.close(), pixelWork.close()]);
    },
  };
}

function withTiles(catalogue: Catalogue, tilePixels: number): Catalogue {
  const small = (model: Model): Model => ({ ...model, tilePixels });
  return {
    models: catalogue.models,
    get: (name) => small(catalogue.get(name)),
    defaultFor(scale, pixels) {
      const { model, why } = catalogue.defaultFor(scale, pixels);
      return { model: small(model), why };
    },
    smallDefaultFor: catalogue.smallDefaultFor,
  };
}
