import type { DeploymentPlan } from '@latent/chain/deploy';
import { type Deployment, formatDollars } from '@latent/protocol';
import { formatEther, formatGwei, zeroAddress } from 'viem';
import { textTable } from './text-table.ts';

/** What a deployment will do and cost, before anything is sent. */
export function showPlan(plan: DeploymentPlan): string {
  const { addresses, terms, there } = plan;
  const gasOf = new Map(plan.creations.map(({ name, gas }) => [name, gas]));
  const state = (name: 'token' | 'operators' | 'extension' | 'escrow') => {
    const gas = gasOf.get(name);
    if (gas !== undefined) return ['to be created', String(gas)];
    return [there.includes(name) ? 'is there already' : 'given', ''];
  };
  const contracts = textTable(
    ['contract', 'address', '', 'gas at most'],
    [
      [terms.token === undefined ? 'test dollar' : 'stablecoin', addresses.token, ...state('token')],
      ['Operators', addresses.operators, ...state('operators')],
      ['LeaseExtension', addresses.extension, ...state('extension')],
      ['LeaseEscrow', addresses.escrow, ...state('escrow')],
    ],
    ['gas at most'],
  );
  const lines = textTable(
    ['', ''],
    [
      ['chain', String(plan.chainId)],
      ['treasury', terms.treasury],
      ['fee', `${terms.feeBps / 100} % of what operators are paid, for ever`],
      ['stake for each agent', formatDollars(terms.stakePerAgent)],
      ['Permit2', terms.permit2 === zeroAddress ? 'none' : terms.permit2],
      ['deployer', `${plan.deployer}, has ${formatEther(plan.balanceWei)} ether`],
      [
        'cost at most',
        `${formatEther(plan.weiUp)} ether: ${plan.gasUp} gas at ${formatGwei(plan.weiPerGas)} gwei, as the chain asks now`,
      ],
    ],
  ).trim();
  return `${contracts}\n\n${lines}`;
}

export function showDeployed({ escrow }: Deployment, file: string): string {
  return `LeaseEscrow at ${escrow}: deployed, and verified to be what was compiled here, with these terms. Written to ${file}.\nAnybody checks it with: latent network verify --deployment ${file}`;
}
