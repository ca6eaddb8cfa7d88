import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Command } from '@commander-js/extra-typings';
import { LatentError } from '@latent/protocol';
import { billLease, type ClusterRecord, connectChain } from '@latent/sdk';
import { launchJob } from '../../launch/launch-job.ts';
import { watchCluster } from '../../launch/watch-cluster.ts';
import { type CommandContext, runCommand } from '../../run-command.ts';
import { showBill } from '../../screen/show-bill.ts';
import { JSON_OPTION } from '../cluster/common-options.ts';
import { endAndWait } from '../cluster/down.ts';
import { launchObserver } from '../cluster/launch.ts';
import { stopNetwork } from './down.ts';
import { endClusters } from './end-clusters.ts';
import { startNetwork } from './up.ts';

/** `latent devnet demo`: the whole road on one machine, which is what `npm start` runs. */
export function addDevnetDemo(devnet: Command): void {
  devnet
    .command('demo')
    .summary('start a local network, rent a cluster on it, run a job, check its result, print the bill')
    .argument('<file>', 'job file')
    .option(
      '--check <program>',
      'program that checks what the job wrote (run by Node with the path of rank 0’s first output)',
    )
    .option('--keep', 'leave the network up')
    .option(...JSON_OPTION)
    .addHelpText(
      'after',
      '\nExample:\n  $ latent devnet demo examples/digits/task.yaml --check examples/digits/evaluate.ts --keep',
    )
    .action((file, flags) => runCommand(flags, (context) => demo(context, file, flags)));
}

interface DemoFlags {
  readonly check?: string | undefined;
  readonly keep?: true | undefined;
}

async function demo(context: CommandContext, file: string, flags: DemoFlags): Promise<undefined> {
  const { output } = context;
  const network = await startNetwork(context, {});
  try {
    output.line('');
    const launched = await launchJob(
      {
        jobFile: file,
        name: undefined,
        network: 'devnet',
        books: [],
        envs: {},
        downWhenDone: false,
        relay: undefined,
        maxPricePerDeviceHour: undefined,
        seconds: undefined,
        isolation: network.isolation === 'none' ? 'none' : undefined,
      },
      { ...context, store: context.store, observer: launchObserver(context, true) },
    );
    const record = await watchCluster(context, launched.name);
    if (flags.check !== undefined) await checkResult(context, record, flags.check);
    await endAndWait(context, record);
    const chain = await connectChain(network.deployment);
    const bill = await billLease(chain, record.leaseId);
    output.line(`\n${showBill(bill)}`);
    output.result({ cluster: record.name, outputs: record.outputsFolder, bill });
    if (flags.keep)
      output.line(`\nThe network is up. Next: latent launch ${file} · latent status · latent devnet down`);
  } finally {
    // Nothing is left running, whatever went wrong.
    await endClusters(context);
    if (!flags.keep) await stopNetwork(context);
  }
}

/** @throws LatentError RESULT_WRONG when the checking program says no */
async function checkResult({ output, signal }: CommandContext, record: ClusterRecord, program: string): Promise<void> {
  const [first] = record.job.outputs;
  if (record.outputsFolder === null || record.outputsFolder === '' || first === undefined) {
    throw new LatentError('RESULT_WRONG', 'The job left no outputs to check.', {
      hint: 'Name them under config.latent.outputs.',
    });
  }
  output.line(`\nChecking the result with ${program}`);
  const path = join(record.outputsFolder, 'rank-0', first);
  const child = spawn(process.execPath, [program, path], {
    stdio: ['ignore', output.isJson ? process.stderr : 'inherit', 'inherit'],
    signal,
  });
  const [code] = await once(child, 'exit');
  if (code !== 0)
    throw new LatentError('RESULT_WRONG', `${program} does not accept ${path} (exit status ${String(code)}).`);
}
