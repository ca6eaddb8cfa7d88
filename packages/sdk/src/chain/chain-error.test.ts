import { contractErrors, isContractError, leaseEscrowAbi, operatorsAbi, testDollarAbi } from '@latent/protocol';
import {
  type Abi,
  type AbiParameter,
  BaseError,
  encodeErrorResult,
  HttpRequestError,
  stringToHex,
  WaitForTransactionReceiptTimeoutError,
  zeroAddress,
  zeroHash,
} from 'viem';
import { describe, expect, it } from 'vitest';
import { toChainError } from './chain-error.ts';

const knownErrors = [...leaseEscrowAbi, ...operatorsAbi, ...testDollarAbi].filter((item) => item.type === 'error');

function sampleOf(type: AbiParameter['type']): unknown {
  if (type === 'address') return zeroAddress;
  if (type === 'bytes32') return zeroHash;
  if (type === 'string') return 'text';
  return /^uint(8|16|32|40)$/.test(type) ? 1 : 1n;
}

describe('toChainError', () => {
  it('names the error of our contracts, with its values', () => {
    const data = encodeErrorResult({ abi: leaseEscrowAbi, errorName: 'AskOversold', args: [2n, 1n, 1n, 1n] });
    const reverted = new BaseError('reverted', { cause: Object.assign(new Error('execution reverted'), { data }) });
    expect(toChainError(reverted)).toMatchObject({
      code: 'CHAIN_REVERTED',
      details: { error: 'AskOversold', values: ['2', '1', '1', '1'] },
    });
  });

  it.each(Object.keys(contractErrors))('says of %s why it came and what to do', (name) => {
    const item = knownErrors.find((error) => error.name === name);
    if (item === undefined) throw new Error(`no ABI has ${name}`);
    const args = item.inputs.map(({ type }) => sampleOf(type));
    const abi: Abi = [item];
    const data = encodeErrorResult({ abi, errorName: name, args });
    const error = toChainError(new BaseError('x', { cause: Object.assign(new Error('reverted'), { data }) }));
    expect(error).toMatchObject({ code: 'CHAIN_REVERTED', details: { error: name } });
    expect(error.hint).toBe(isContractError(name) ? contractErrors[name].remedy : '');
  });

  it('writes the name of a field as a name', () => {
    const args = ['rate', 5n, 4n] as const;
    const data = encodeErrorResult({
      abi: leaseEscrowAbi,
      errorName: 'SessionLimit',
      args: [stringToHex(args[0], { size: 32 }), args[1], args[2]],
    });
    const reverted = new BaseError('x', { cause: Object.assign(new Error('reverted'), { data }) });
    expect(toChainError(reverted).message).toContain('SessionLimit(rate, 5, 4)');
  });

  it('tells a transaction that is not mined yet apart from one that was refused', () => {
    const waiting = new WaitForTransactionReceiptTimeoutError({ hash: zeroHash });
    expect(toChainError(waiting)).toMatchObject({ code: 'TIMED_OUT', retry: 'later' });
  });

  it('says that a chain which cannot be reached may come back', () => {
    const silent = new BaseError('x', { cause: new HttpRequestError({ url: 'http://127.0.0.1:1' }) });
    expect(toChainError(silent)).toMatchObject({ code: 'CHAIN_UNREACHABLE', retry: 'later' });
  });
});
