import { createInterface } from 'node:readline/promises';
import { LatentError } from '@latent/protocol';
import type { CommandContext } from '../run-command.ts';

/**
 * Asks a person for leave before money moves or something is signed. Scripts, which nobody watches, and `--yes` are not
 * asked.
 * @param refused what is true if they say no
 * @throws LatentError CANCELLED
 */
export async function askLeave(
  { output, signal }: Pick<CommandContext, 'output' | 'signal'>,
  question: string,
  { yes, refused }: { readonly yes: boolean; readonly refused: string },
): Promise<void> {
  if (yes || !output.isLive || !process.stdin.isTTY) return;
  const prompt = createInterface({ input: process.stdin, output: process.stdout });
  try {
    const answer = await prompt.question(`${question} [Y/n] `, { signal });
    if (/^n/i.test(answer.trim())) throw new LatentError('CANCELLED', refused);
  } finally {
    prompt.close();
  }
}
