import { leaseEscrowAbi } from '@latent/protocol';
import { BaseError, encodeErrorResult, HttpRequestError, WaitForTransactionReceiptTimeoutError, zeroHash } from 'viem';
import { describe, expect, it } from 'vitest';
import { toChainError } from './chain-error.ts';

describe('toChainError', () => {
  it('names the error of our contracts, with its values', () => {
    const data = encodeErrorResult({ abi: leaseEscrowAbi, errorName: 'AskOversold', args: [2n, 1n, 1n, 1n] });
    const reverted = new BaseError('reverted', { cause: Object.assign(new Error('execution reverted'), { data }) });
    expect(toChainError(reverted)).toMatchObject({
      code: 'CHAIN_REVERTED',
      details: { error: 'AskOversold', values: ['2', '1', '1', '1'] },
    });
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
