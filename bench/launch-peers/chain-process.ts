import { connectDeployer, deployContracts, planDeployment } from '@latent/chain/deploy';
import { testDollarAbi } from '@latent/protocol';
import { createChainClient, encodeCall } from '@latent/sdk';
import { createTestClient, createWalletClient, http, type LocalAccount, parseEther } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { chainSetupSchema } from './messages.ts';

// Puts the contracts on a chain that has just begun, and gives accounts ether and dollars: `chain-process.ts SETUP`.

const DOLLARS = 1_000_000_000_000n;
const STAKE_PER_AGENT = 100_000_000n;
const FEE_BPS = 30;

const { localUrl, publicUrl, chainId, accounts } = chainSetupSchema.parse(JSON.parse(process.argv[2] ?? ''));
const [deployer, treasury] = [generatePrivateKey(), generatePrivateKey()].map((key) => privateKeyToAccount(key));
if (deployer === undefined || treasury === undefined) throw new Error('no keys');

const chain = connectDeployer(localUrl, chainId);
const control = createTestClient({ mode: 'anvil', chain: chain.chain, transport: http(localUrl) });
for (const address of [deployer.address, ...accounts]) {
  await control.setBalance({ address, value: parseEther('1000') });
}
const terms = { token: undefined, treasury: treasury.address, feeBps: FEE_BPS, stakePerAgent: STAKE_PER_AGENT };
const plan = await planDeployment(chain, {
  ...{ chainId, deployer: deployer.address },
  terms: { ...terms, permit2: undefined },
});
const deployment = await deployContracts(chain, deployer, plan, { deployedAtBlock: undefined });
await mint(deployer);
const ready = { kind: 'ready', deployment: { ...deployment, rpcUrl: publicUrl } };
process.stdout.write(`${JSON.stringify(ready)}\n`);

/** All in one block. */
async function mint(account: LocalAccount): Promise<void> {
  const client = createChainClient({ ...deployment, rpcUrl: localUrl });
  const wallet = createWalletClient({ chain: client.chain, transport: http(localUrl) });
  const first = await client.public.getTransactionCount({ address: account.address, blockTag: 'pending' });
  const hashes = await Promise.all(
    accounts.map((to, index) =>
      wallet.sendTransaction({
        account,
        to: deployment.token,
        data: encodeCall({ abi: testDollarAbi, functionName: 'mint', args: [to, DOLLARS] }),
        gas: 120_000n,
        nonce: first + index,
      }),
    ),
  );
  for (const hash of hashes) await client.public.waitForTransactionReceipt({ hash });
}
