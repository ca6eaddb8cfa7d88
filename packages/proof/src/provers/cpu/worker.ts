import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { useCounters } from './counters.ts';
import { shareOf } from './layout.ts';
import { runBoard } from './run-board.ts';
import { fillLayer, takeMemory, type Weights } from './weights.ts';
import type { FillWork, WorkerAnswer, WorkerPlace, WorkerRequest } from './worker-messages.ts';

// The thread of one worker. What it is given comes from `crew.ts` in the same process. Anything that is thrown here ends the
// thread, which the crew tells as a device that was lost.

function serve(port: MessagePort, place: WorkerPlace): void {
  let weights: Weights | undefined;

  async function take(request: WorkerRequest): Promise<WorkerAnswer> {
    switch (request.kind) {
      case 'fill': {
        const taken = await takeShare(place, request);
        if ('kind' in taken) return taken;
        weights = taken;
        const { add } = useCounters(request.progress, place.workers);
        for (let layer = 0; layer < request.layers; layer++) {
          fillLayer(weights, request.sessionId, layer);
          add(0);
        }
        break;
      }
      case 'run':
        if (weights === undefined) throw new Error('asked to run rows without weights');
        runBoard(weights, place, request.board, request.seeds, request.rows);
    }
    return { kind: 'done' };
  }

  // A rejection that nobody handles ends the thread.
  port.on('message', (request: WorkerRequest) => void take(request).then((answer) => port.postMessage(answer)));
}

async function takeShare(
  { module, worker, workers }: WorkerPlace,
  { parameters, layers }: FillWork,
): Promise<Weights | WorkerAnswer> {
  try {
    return await takeMemory(module, parameters, layers, shareOf(parameters, worker, workers));
  } catch (error) {
    if (error instanceof RangeError) return { kind: 'outOfMemory', reason: error.message };
    throw error;
  }
}

if (parentPort !== null) serve(parentPort, workerData);
