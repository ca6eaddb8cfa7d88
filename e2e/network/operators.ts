import type { ClusterRecord } from '@latent/sdk';
import { killAll, type OwnProcess, processesOf } from './own-processes.ts';
import type { TestNetwork } from './test-network.ts';
import { waitUntil } from './wait-until.ts';

/** The index of a rank's operator in the network, as the faults count. */
export function operatorOf({ devnet }: TestNetwork, record: ClusterRecord, rank: number): number {
  const agentKey = record.terms.members[rank]?.agentKey;
  const index = devnet.operators.findIndex((operator) => operator.agentKey === agentKey);
  if (index < 0) throw new Error(`no operator of the network has agent ${agentKey}`);
  return index;
}

/** What runs on an operator's machine beside its agent: jobs, with what surrounds them. */
export function jobProcesses({ devnet }: TestNetwork, operator: number): readonly OwnProcess[] {
  const { dataDir, configFile } = devnet.operators[operator] ?? {};
  if (dataDir === undefined || configFile === undefined) throw new Error(`no operator ${operator}`);
  return processesOf(dataDir).filter(({ command }) => !command.includes(configFile));
}

/** The machine is gone from one moment to the next: SIGKILL to the agent and to its jobs. */
export async function killMachine(network: TestNetwork, operator: number): Promise<void> {
  await network.faults.killOperator(operator, 'SIGKILL');
  await waitUntil(`the jobs of operator ${operator} have ended`, () => {
    const jobs = jobProcesses(network, operator);
    killAll(jobs);
    return jobs.length === 0;
  });
}
