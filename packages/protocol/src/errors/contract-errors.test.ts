import { describe, expect, it } from 'vitest';
import { leaseEscrowAbi, leaseExtensionAbi, operatorsAbi, testDollarAbi } from '../chain/abi.ts';
import { contractErrors, isContractError } from './contract-errors.ts';

const inAbis = new Set(
  [...leaseEscrowAbi, ...leaseExtensionAbi, ...operatorsAbi, ...testDollarAbi].flatMap((item) =>
    item.type === 'error' ? [item.name] : [],
  ),
);

describe('the errors of the contracts', () => {
  it('are all explained, and nothing is explained that no contract says', () => {
    expect(Object.keys(contractErrors).sort()).toEqual([...inAbis].sort());
  });

  it.each(Object.entries(contractErrors))('%s has a cause and a remedy, each a sentence', (_, { cause, remedy }) => {
    for (const text of [cause, remedy]) expect(text).toMatch(/^[A-Z].{10,}\.$/);
  });

  it('takes no property of every object for one', () => {
    expect(isContractError('toString')).toBe(false);
    expect(isContractError('NotRenter')).toBe(true);
  });
});
