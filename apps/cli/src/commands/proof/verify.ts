import { open } from 'node:fs/promises';
import type { Command } from '@commander-js/extra-typings';
import type { ProofHeader, Verdict } from '@latent/proof';
import { LatentError, toLatentError } from '@latent/protocol';
import { exitCodes } from '../../exit-codes.ts';
import { type CommandContext, runCommand } from '../../run-command.ts';
import { showProof } from '../../screen/show-proof.ts';
import { JSON_OPTION } from '../cluster/common-options.ts';

/** `latent proof verify FILE` */
export function addProofVerify(proof: Command): void {
  proof
    .command('verify')
    .summary('check a proof of hardware on this CPU, without a network')
    .argument('<file>', 'what `latent device prove` wrote')
    .option(...JSON_OPTION)
    .addHelpText('after', '\nExample:\n  $ latent proof verify proof.json')
    .action((file, flags) => runCommand(flags, (context) => verify(context, file)));
}

async function verify({ output, signal }: CommandContext, file: string): Promise<number> {
  const { loadKernel, MOST_RECORD_CHARACTERS, parseRecord, scoreProof, verifyProof } = await import('@latent/proof');
  const record = parseRecord(await readBounded(file, MOST_RECORD_CHARACTERS));
  const startedMs = performance.now();
  let header: ProofHeader | undefined;
  let verdict: Verdict;
  try {
    ({ header } = await verifyProof(await loadKernel(), record.proof, { signal }));
    verdict = scoreProof(header, record.timesMs);
  } catch (thrown) {
    const error = toLatentError(thrown);
    if (!error.code.startsWith('PROOF_')) throw error;
    verdict = { outcome: 'failed', code: error.code, reason: error.message };
  }
  const verifiedMs = Math.ceil(performance.now() - startedMs);
  output.line(showProof(record, header, verdict));
  output.line(`\nChecked ${record.proof.length} bytes in ${verifiedMs} ms.`);
  const { device, observer, timesMs } = record;
  output.result({ verdict, device, observer, timesMs, set: header?.parameters.name, verifiedMs });
  return verdict.outcome === 'proven' ? exitCodes.ok : exitCodes.failed;
}

/** A file's text, never more than one byte beyond what is allowed. */
async function readBounded(path: string, mostBytes: number): Promise<string> {
  try {
    const file = await open(path);
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(mostBytes + 1), 0, mostBytes + 1, 0);
      return buffer.toString('utf8', 0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw new LatentError('CONFIG_INVALID', `${path} cannot be read.`, { hint: 'Give the path of a proof.', cause });
  }
}
