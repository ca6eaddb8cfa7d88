import type { Cheat } from './cheat.ts';
import { collapsedRows } from './provers/collapsed-rows.ts';
import { forgedEntries } from './provers/forged-entries.ts';
import { replayedProof } from './provers/replayed-proof.ts';

/** Every dishonest prover of the catalogue, in the order in which it is shown. */
export const cheats: readonly Cheat[] = [forgedEntries(22), forgedEntries(11), collapsedRows, replayedProof];
