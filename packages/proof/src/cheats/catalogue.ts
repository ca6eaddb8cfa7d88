import type { Cheat } from './cheat.ts';
import { approximateSums, omittedGates } from './provers/approximate-sums.ts';
import { changedLayers, changedPasses, lateCommitment, smallerSet } from './provers/changed-declarations.ts';
import { collapsedRows } from './provers/collapsed-rows.ts';
import { forgedEntries } from './provers/forged-entries.ts';
import { forgedInputs } from './provers/forged-inputs.ts';
import { groundRoot } from './provers/ground-root.ts';
import { batchedPasses, precomputedPasses } from './provers/guessed-seeds.ts';
import { heldBackFirstPass } from './provers/held-back-first-pass.ts';
import { lessMemoryFromDisk, lessMemoryFromHost, lessMemoryRecomputed } from './provers/less-memory.ts';
import { malformedProofs, oversizedProofs } from './provers/malformed-proofs.ts';
import { oneForgedLayer } from './provers/one-forged-layer.ts';
import { openingsOfAnotherBeacon, openingsOfAnotherRow, swappedOpenings } from './provers/other-openings.ts';
import { relayedAnswers, twoDevicesAsOne } from './provers/relayed-answers.ts';
import { replayedProof } from './provers/replayed-proof.ts';
import { reusedWeights } from './provers/reused-weights.ts';
import { deviceInTurns, sharedDevice } from './provers/shared-device.ts';
import { skippedLayers, skippedReads } from './provers/skipped-layers.ts';
import { slowClaimsFast } from './provers/slow-claims-fast.ts';
import { lateOpenings, withheldOpenings } from './provers/withheld-openings.ts';

/** Every dishonest prover of the catalogue, in the order in which it is shown. */
export const cheats: readonly Cheat[] = [
  forgedEntries(100),
  forgedEntries(22),
  forgedEntries(11),
  oneForgedLayer,
  collapsedRows,
  skippedLayers,
  skippedReads,
  forgedInputs,
  omittedGates,
  approximateSums,
  reusedWeights,
  precomputedPasses,
  batchedPasses,
  withheldOpenings,
  groundRoot,
  lessMemoryRecomputed,
  lessMemoryFromHost,
  lessMemoryFromDisk,
  sharedDevice(2, 'two'),
  sharedDevice(8, 'eight'),
  slowClaimsFast,
  heldBackFirstPass,
  lateOpenings,
  openingsOfAnotherBeacon,
  swappedOpenings,
  openingsOfAnotherRow,
  malformedProofs,
  oversizedProofs,
  replayedProof,
  lateCommitment,
  changedLayers,
  changedPasses,
  smallerSet,
  deviceInTurns,
  relayedAnswers,
  twoDevicesAsOne,
];
