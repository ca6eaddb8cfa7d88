import { parseDollars } from '@latent/protocol';
import { giveEther } from './chain/give-ether.ts';
import { grantsDue, mintDollars } from './chain/mint-dollars.ts';
import type { PreparedContracts } from './chain/prepare-contracts.ts';
import type { StartedChain } from './chain/start-anvil.ts';
import type { DevnetContext } from './devnet-context.ts';
import { loadAccount } from './keys/load-account.ts';
import { prepareOperatorKey } from './operators/prepare-operator.ts';

/** What a renter begins with, in base units of the test dollar. */
export const RENTER_DOLLARS = parseDollars('1000');
/** How often an operator could stake for one agent. */
const STAKES = 5n;

/** Makes the keys of the renter and of all operators, and gives each ether and, once, dollars. */
export async function fundNetwork(
  context: DevnetContext,
  { client }: StartedChain,
  { deployment: { token }, deployer }: PreparedContracts,
): Promise<void> {
  const { paths, plan, settings, randomBytes } = context;
  const [renter, ...operators] = await Promise.all([
    loadAccount(paths.renterKey, randomBytes).then(({ address }) => address),
    ...plan.operators.map(({ name }) => prepareOperatorKey(context, name)),
  ]);
  const grants = [
    { to: renter, amount: RENTER_DOLLARS },
    ...operators.map((to) => ({ to, amount: settings.stakePerAgent * STAKES })),
  ];
  await giveEther(
    client,
    grants.map(({ to }) => to),
  );
  await mintDollars(client, { token, minter: deployer, grants: await grantsDue(client, token, grants) });
}
