import type { ChallengeProgress } from '@latent/proof';
import { createLogUpdate } from 'log-update';
import type { Output } from '../output.ts';

/** How far a challenge is: one line that is kept up to date on a terminal, a line for each part elsewhere. */
export interface ProofProgress {
  show(progress: ChallengeProgress): void;
  close(): void;
}

const BAR_WIDTH = 32;

export function openProofProgress(output: Output): ProofProgress {
  if (output.isLive) {
    const update = createLogUpdate(process.stdout);
    return { show: (progress) => update(progressLine(progress)), close: () => update.clear() };
  }
  let part: ChallengeProgress['part'] | undefined;
  return {
    show: (progress) => {
      if (progress.part === part) return;
      part = progress.part;
      output.line(`· ${describePart(part)}`);
    },
    close: () => undefined,
  };
}

/** `computes    ████████░░░░░░░░  50 %` */
function progressLine({ part, share }: ChallengeProgress): string {
  const filled = Math.round(Math.min(1, Math.max(0, share)) * BAR_WIDTH);
  const bar = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled);
  return `${describePart(part).padEnd(24)} ${bar} ${Math.floor(100 * share)
    .toString()
    .padStart(3)} %`;
}

function describePart(part: ChallengeProgress['part']): string {
  switch (part) {
    case 'fill':
      return 'filling the memory';
    case 'compute':
      return 'computing';
    case 'bandwidth':
      return 'reading the memory';
    case 'open':
      return 'opening the samples';
    case 'verify':
      return 'verifying';
  }
}
