import { LatentError, toLatentError } from '@latent/protocol';
import type { Parameters } from '../../../spec/parameters.ts';
import { type Phase, type PhaseName, phaseOf } from '../../../spec/phase.ts';
import type { Engine } from '../../engine.ts';
import { openDeviceEngine } from '../device/device-engine.ts';
import { listAdapters } from '../device/list-adapters.ts';
import type { News, Order, Request } from './messages.ts';

/** What the device's process does with its orders. */
export interface DeviceServer {
  readonly take: (order: Order) => Promise<void>;
  /** Gives the device back, unless a call is at work: then only the end of the process does so without a wait. */
  readonly close: () => Promise<void>;
}

/** @param tell sends news to whoever gave the orders */
export function createDeviceServer(tell: (news: News) => void): DeviceServer {
  const running = new Map<number, AbortController>();
  let engine: Engine | undefined;
  let filled: { readonly parameters: Parameters; readonly layers: number } | undefined;

  function needEngine(): Engine {
    if (engine === undefined) throw new LatentError('INTERNAL', 'A device was used before it was opened.');
    return engine;
  }
  function phaseNamed(name: PhaseName): Phase {
    if (filled === undefined) throw new LatentError('INTERNAL', 'A pass was asked for before the memory was filled.');
    return phaseOf(filled.parameters, name, filled.layers);
  }

  async function answer(request: Request, signal: AbortSignal, onProgress: (done: number) => void): Promise<unknown> {
    switch (request.call) {
      case 'list':
        return listAdapters();
      case 'open':
        engine = await openDeviceEngine(request.options);
        return engine.device;
      case 'fittingLayers':
        return needEngine().fittingLayers(request.parameters);
      case 'fill': {
        const { parameters, sessionId, layers } = request;
        filled = undefined;
        await needEngine().fill({ parameters, sessionId, layers, signal, onProgress });
        filled = { parameters, layers };
        return undefined;
      }
      case 'runPass':
        return needEngine().runPass({ phase: phaseNamed(request.phase), seed: request.seed, signal, onProgress });
      case 'reopenRows':
        return needEngine().reopenRows(
          request.rows.map((row) => ({ ...row, phase: phaseNamed(row.phase) })),
          signal,
        );
    }
  }

  return {
    take: async (order) => {
      if ('cancel' in order) return running.get(order.cancel)?.abort();
      const { id, request } = order;
      const controller = new AbortController();
      running.set(id, controller);
      try {
        const result = await answer(request, controller.signal, (progress) => tell({ id, progress }));
        tell({ id, result });
      } catch (thrown) {
        const error = toLatentError(thrown);
        tell({ id, error: error.toBody(), causes: causesOf(error) });
      } finally {
        running.delete(id);
      }
    },
    close: async () => {
      if (running.size === 0) await engine?.close();
    },
  };
}

/** Texts of what an error came from, the nearest first. */
function causesOf(error: Error): string[] {
  const texts: string[] = [];
  for (let cause = error.cause; cause instanceof Error && texts.length < 8; cause = cause.cause)
    texts.push(cause.message);
  return texts;
}
