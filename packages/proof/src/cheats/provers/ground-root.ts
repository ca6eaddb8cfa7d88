import { LatentError } from '@latent/protocol';
import { acceptanceOf } from '../../challenge/rates.ts';
import type { FillCall, PhaseDeclaration, Prover } from '../../provers/prover.ts';
import { parameterSets } from '../../spec/parameters.ts';
import type { PhaseName } from '../../spec/phase.ts';
import type { ProofHeader } from '../../wire/proof-header.ts';
import type { Cheat } from '../cheat.ts';
import { declareAgain, grindRoot } from '../stage/grind-root.ts';
import type { ManualClock } from '../stage/manual-clock.ts';
import { modelOf, proverWith, rehearse, type Stage } from '../stage/stage.ts';
import { collapse, collapsedRows } from './collapsed-rows.ts';

/** Enough to be kind to the guess about twice; as many as are tried without a guess gain nothing either. */
const TRIES = 2000;

/**
 * Collapses rows, and tries roots until the samples of a guessed beacon hit nothing of it; then commits.
 *
 * Gains: nothing, as the true beacon is drawn afterwards. Where the samples follow from the root alone about a thousand tries
 * are enough: `variants/grind-fiat-shamir.ts`.
 */
export const groundRoot: Cheat = {
  name: 'ground-root',
  summary: 'forges as collapsed-rows does, and tries up to 2,000 roots against a guessed beacon before it commits',
  claims: collapsedRows.claims,
  forged: 1 / 22,
  predicted: acceptanceOf(parameterSets.development, 1 / 22),
  stoppedBy: 'samples',
  explanation:
    'The sample beacon is published after the commitment, so that a root that is kind to a guess is no kinder to it.',
  begin: (stage) => {
    const beaconOf = (root: Uint8Array) => stage.kernel.hash(root);
    return rehearse(stage, { prover: (clock) => grindingProver(stage, clock, beaconOf, TRIES).prover });
  },
};

/** A prover that grinds the root of its proof before it declares the bandwidth phase. */
export function grindingProver(
  stage: Stage,
  clock: ManualClock,
  beaconOf: (root: Uint8Array) => Uint8Array,
  mostTries: number,
): { readonly prover: Prover; readonly tries: () => number } {
  const { prover, engine } = proverWith(stage, clock, { make: { compute: collapse } }, modelOf(stage));
  let filled: FillCall | undefined;
  let compute: (PhaseDeclaration & { readonly beacon: Uint8Array }) | undefined;
  let tries = 0;
  const grinding: Prover = {
    ...prover,
    fill: (call) => {
      filled = call;
      return prover.fill(call);
    },
    runPhase: async (call) => {
      const declared = await prover.runPhase(call);
      if (call.name === 'compute') {
        compute = { ...declared, beacon: call.beacon };
        return declared;
      }
      if (filled === undefined || compute === undefined) throw new LatentError('INTERNAL', 'Called out of turn.');
      const header = headerOf(filled, compute, { ...declared, beacon: call.beacon });
      tries = grindRoot({ hash: stage.kernel.hash, engine, header, beaconOf, mostTries });
      return declareAgain(prover, call, declared.passes);
    },
  };
  return { prover: grinding, tries: () => tries };
}

type Declared = PhaseDeclaration & { readonly beacon: Uint8Array };

function headerOf(
  { parameters, context, beacon, layers = 0 }: FillCall,
  compute: Declared,
  bandwidth: Declared,
): ProofHeader {
  const of = <T>(pick: (one: Declared) => T): Readonly<Record<PhaseName, T>> => ({
    compute: pick(compute),
    bandwidth: pick(bandwidth),
  });
  const beacons = of((one) => one.beacon);
  return {
    ...{ parameters, context, layers, beacons: { ...beacons, fill: beacon, sample: beacon } },
    passes: of((one) => one.passes),
    phaseRoots: of((one) => one.phaseRoot),
  };
}
