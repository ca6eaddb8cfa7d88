import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import { execPath } from 'node:process';
import type { AgentOptionsInput } from '@latent/agent';
import type { Deployment } from '@latent/protocol';
import type { Address } from 'viem';
import type { DevnetContext } from '../devnet-context.ts';
import { writeFileAtomically } from '../files/write-file-atomically.ts';
import { loadAccount } from '../keys/load-account.ts';
import type { OperatorPlan } from '../network-plan.ts';

/** Makes an operator's folder and key, and gives the address of the key. The agent makes its other keys by itself. */
export async function prepareOperatorKey({ paths, randomBytes }: DevnetContext, name: string): Promise<Address> {
  const { address } = await loadAccount(paths.operator(name).key, randomBytes);
  return address;
}

/** Writes the settings of an operator's agent. */
export function writeAgentConfig(
  { paths, isolation }: DevnetContext,
  plan: OperatorPlan,
  { deployment, books }: { readonly deployment: Deployment; readonly books: readonly string[] },
): void {
  const { dataDir, config } = paths.operator(plan.name);
  const options: Omit<AgentOptionsInput, 'pricePerDeviceHour'> & { readonly pricePerDeviceHour: string } = {
    deployment,
    books: [...books],
    dataDir,
    pricePerDeviceHour: String(plan.pricePerDeviceHour),
    region: plan.region,
    site: plan.site,
    address: plan.address,
    listenAddress: plan.address,
    cpuCores: Math.min(plan.cpuCores, availableParallelism()),
    memoryMiB: plan.memoryMiB,
    ...(isolation === 'namespaces' ? { driver: 'auto' } : { driver: 'process', allowWithoutIsolation: true }),
    localRegistries: true,
    // So that a job finds `node`, whatever Node the machine has.
    toolchains: [dirname(dirname(execPath))],
  };
  writeFileAtomically(config, `${JSON.stringify(options, undefined, 2)}\n`, 0o600);
}
