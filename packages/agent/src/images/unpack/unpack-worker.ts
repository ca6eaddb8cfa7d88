import { parentPort, workerData } from 'node:worker_threads';
import { LayerRefused } from './layer-refused.ts';
import { LayerTree } from './layer-tree.ts';
import type { UnpackAnswer, UnpackRequest, UnpackTask } from './unpack-image.ts';
import { unpackLayer } from './unpack-layer.ts';

const { root, access, budget }: UnpackTask = workerData;
const tree = new LayerTree(root, access);
const left = { ...budget };

/** Layers come one at a time, the lowest first. */
parentPort?.on('message', (layer: UnpackRequest) => {
  unpackLayer(layer, tree, left).then(
    () => answer({ kind: 'done', bytes: budget.bytes - left.bytes }),
    (thrown: unknown) => answer(refused(thrown)),
  );
});

function answer(message: UnpackAnswer): void {
  parentPort?.postMessage(message);
}

function refused(thrown: unknown): UnpackAnswer {
  if (thrown instanceof LayerRefused) return { kind: 'refused', code: thrown.code, text: thrown.message };
  return { kind: 'failed', text: thrown instanceof Error ? thrown.message : String(thrown) };
}
