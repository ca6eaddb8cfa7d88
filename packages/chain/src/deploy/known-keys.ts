import type { Address } from 'viem';
import { mnemonicToAccount } from 'viem/accounts';

/** What anvil, hardhat and ganache start with: their keys are known to the whole world. */
const MNEMONICS: readonly string[] = [
  'test test test test test test test test test test test junk',
  'myth like bonus scare over problem client lizard pioneer submit female collect',
];
const ACCOUNTS_EACH = 20;

/** The chain id that anvil and hardhat serve: nothing on it has value. */
export const LOCAL_CHAIN_ID = 31_337;

let known: ReadonlySet<Address> | undefined;

/** Whether anybody can sign for this account. */
export function isKnownToAll(address: Address): boolean {
  known ??= new Set(
    MNEMONICS.flatMap((mnemonic) =>
      Array.from({ length: ACCOUNTS_EACH }, (_, addressIndex) => mnemonicToAccount(mnemonic, { addressIndex }).address),
    ),
  );
  return known.has(address);
}
