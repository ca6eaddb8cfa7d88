import type { Command } from '@commander-js/extra-typings';
import { openReader } from '../../chain/open-reader.ts';
import { exitCodes } from '../../exit-codes.ts';
import { loadDeployment } from '../../home/deployment-file.ts';
import { type CommandContext, runCommand } from '../../run-command.ts';
import { showAudit } from '../../screen/show-audit.ts';
import { JSON_OPTION } from '../cluster/common-options.ts';

/** `latent network verify` */
export function addNetworkVerify(network: Command): void {
  network
    .command('verify')
    .summary('hold the contracts on a chain to a deployment file, and their code to what is compiled here')
    .requiredOption('--deployment <file>', 'what `latent network deploy` wrote')
    .option('--rpc <url>', 'RPC endpoint instead of that of the file; several have to state the same', addUrl, [])
    .option(...JSON_OPTION)
    .addHelpText(
      'after',
      '\nExample:\n  $ latent network verify --deployment deployment.json --rpc https://rpc.example',
    )
    .action((flags) => runCommand(flags, (context) => verify(context, flags)));
}

function addUrl(url: string, before: readonly string[]): readonly string[] {
  return [...before, url];
}

async function verify(
  { output }: CommandContext,
  flags: { readonly deployment: string; readonly rpc: readonly string[] },
): Promise<number> {
  const { verifyDeployment } = await import('@latent/chain/deploy');
  const deployment = await loadDeployment(flags.deployment);
  const reader = await openReader(deployment.chainId, flags.rpc.length === 0 ? [deployment.rpcUrl] : flags.rpc);
  const { checks, isRight, found } = await verifyDeployment(reader, deployment);
  output.line(showAudit({ checks, isRight }));
  output.result({ verdict: isRight ? 'verified' : 'wrong', checks, found });
  return isRight ? exitCodes.ok : exitCodes.failed;
}
