import { randomBytes } from 'node:crypto';
import { HEADER_BYTES, type PhaseName, parameterSets, phaseNames } from '@latent/proof';
import { drawSamples, nobleHash, phaseOf, planOpening } from '@latent/proof/spec';

/** Length of a production proof of that shape, for one draw of samples. */
export function proofBytes(layers: number, passes: Readonly<Record<PhaseName, number>>): number {
  const { production } = parameterSets;
  const [root, beacon] = [randomBytes(32), randomBytes(32)];
  const openings = phaseNames.map((name) => {
    const phase = phaseOf(production, name, layers);
    return planOpening(
      production,
      phase,
      passes[name],
      drawSamples(nobleHash, production, phase, passes[name], root, beacon),
    ).bytes;
  });
  return openings.reduce((sum, bytes) => sum + bytes, HEADER_BYTES);
}
