import { zeroAddress } from 'viem';
import { expect, it } from 'vitest';
import { createChainClient } from './connect-chain.ts';
import { takeTurn } from './take-turn.ts';

const newClient = () =>
  createChainClient({
    ...{ chainId: 1, rpcUrl: 'http://127.0.0.1:1', deployedAtBlock: '0', escrow: zeroAddress, operators: zeroAddress },
    token: zeroAddress,
  });
const other = '0x00000000000000000000000000000000000000AA';

it('lets one account do one thing after the other, whether it fails or not, and holds up no other', async () => {
  const client = newClient();
  const done: string[] = [];
  const gate = Promise.withResolvers<void>();
  const work =
    (name: string, until: Promise<void> = Promise.resolve()) =>
    async () => {
      done.push(`${name} begins`);
      await until;
      done.push(`${name} ends`);
      if (name === 'first') throw new Error('first failed');
      return name;
    };
  const first = takeTurn(client, zeroAddress, work('first', gate.promise)).catch(String);
  const second = takeTurn(client, zeroAddress, work('second'));
  expect(await takeTurn(client, other, work('of another'))).toBe('of another');
  expect(await takeTurn(newClient(), zeroAddress, work('elsewhere'))).toBe('elsewhere');
  gate.resolve();
  expect(await Promise.all([first, second])).toEqual(['Error: first failed', 'second']);
  expect(done.slice(-3)).toEqual(['first ends', 'second begins', 'second ends']);
  expect(await takeTurn(client, zeroAddress, work('later'))).toBe('later');
});
