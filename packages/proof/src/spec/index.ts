/** The specification, docs/proof.md, piece by piece and in plain TypeScript. Runs in browser and Node. */

export { planOpening } from '../wire/opening-plan.ts';
export { deriveFromHeader } from '../wire/proof-header.ts';
export { ABSENT, at, fromHex, HASH_BYTES, type Hash, join, sameBytes, toHex, word } from './bytes.ts';
export { chunkDigests, stateDigest } from './digests.ts';
export { nobleHash } from './noble.ts';
export { layerBytes, type Parameters, parameterSets, rowBytes } from './parameters.ts';
export { type Phase, type PhaseName, phaseNames, phaseOf } from './phase.ts';
export { referenceKernel } from './reference-kernel.ts';
export {
  drawSamples,
  firstSeed,
  nextSeed,
  phaseCommitment,
  proofRoot,
  type Sample,
  type Session,
  sessionId,
} from './session.ts';
export { accumulate, requantise, weights } from './step.ts';
export { siblingPlaces, treeRoot } from './tree.ts';
export { inputRow, packRow, rowKey, unpackRow } from './values.ts';
