import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { useCounters } from './counters.ts';
import { shareOf } from './layout.ts';
import { runBoard } from './run-board.ts';
import { fillLayer, takeMemory, type Weights } from './weights.ts';
import type { WorkerAnswer, WorkerPlace, WorkerRequest } from './worker-messages.ts';

// The thread of one worker. What it is given comes from `crew.ts` in the same process. Anything that is thrown here ends the
// thread, which the crew tells as a device that was lost.

function serve(port: MessagePort, place: WorkerPlace): void {
  let weights: Weights | undefined;

  async function take(request: WorkerRequest): Promise<WorkerAnswer> {
    switch (request.kind) {
      case 'fill':
        try {
          weights = await fill(place, request);
        } catch (error) {
          if (error instanceof RangeError) return { kind: 'outOfMemory', reason: error.message };
          throw error;
        }
        break;
      case 'run':
        if (weights === undefined) throw new Error('asked to run rows without weights');
        runBoard(weights, place, request.board, request.seeds, request.rows);
    }
    return { kind: 'done' };
  }

  // A rejection that nobody handles ends the thread.
  port.on('message', (request: WorkerRequest) => void take(request).then((answer) => port.postMessage(answer)));
}

async function fill(
  { module, worker, workers }: WorkerPlace,
  { parameters, sessionId, layers, progress }: Extract<WorkerRequest, { readonly kind: 'fill' }>,
): Promise<Weights> {
  const weights = await takeMemory(module, parameters, layers, shareOf(parameters, worker, workers));
  const { add } = useCounters(progress, workers);
  for (let layer = 0; layer < layers; layer++) {
    fillLayer(weights, sessionId, layer);
    add(0);
  }
  return weights;
}

if (parentPort !== null) serve(parentPort, workerData);
