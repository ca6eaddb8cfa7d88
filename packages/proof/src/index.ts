export { formatRecord, MOST_RECORD_CHARACTERS, type ProofRecord, parseRecord } from './challenge/proof-record.ts';
export {
  acceptanceOf,
  bytesReadOf,
  measuredRatesDown,
  operationsOf,
  type PhaseTimesMs,
  provenPerMyriadDown,
  provenRatesDown,
  type Rates,
  UNSEEN_CHANCE,
} from './challenge/rates.ts';
export {
  type ChallengeProgress,
  type ChallengeRequest,
  type ChallengeResult,
  type DrawBeacon,
  runChallenge,
} from './challenge/run-challenge.ts';
export { leastMs, scoreProof, type Verdict } from './challenge/verdict.ts';
export type { Kernel } from './kernel.ts';
export type { FillCall, PhaseCall, PhaseDeclaration, Prover } from './provers/prover.ts';
export { fromHex, type Hash, toHex } from './spec/bytes.ts';
export {
  layerBytes,
  MOST_LAYERS,
  MOST_PASSES,
  type ParameterSetName,
  type Parameters,
  parameterSets,
  rowBytes,
} from './spec/parameters.ts';
export { type PhaseName, phaseNames } from './spec/phase.ts';
export { referenceKernel } from './spec/reference-kernel.ts';
export type { Beacons } from './spec/session.ts';
export { type Challenge, type VerifiedProof, type VerifyOptions, verifyProof } from './verify/verify-proof.ts';
export { loadKernel } from './wasm/load-kernel.ts';
export { decodeHeader, HEADER_BYTES, MOST_PROOF_BYTES, type ProofHeader } from './wire/proof-header.ts';
