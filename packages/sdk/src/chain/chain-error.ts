import {
  contractErrors,
  isContractError,
  LatentError,
  leaseEscrowAbi,
  operatorsAbi,
  testDollarAbi,
} from '@latent/protocol';
import {
  BaseError,
  decodeErrorResult,
  type Hex,
  HttpRequestError,
  hexToString,
  InsufficientFundsError,
  isHex,
  TimeoutError,
  WaitForTransactionReceiptTimeoutError,
  WebSocketRequestError,
} from 'viem';

const knownErrors = [...leaseEscrowAbi, ...operatorsAbi, ...testDollarAbi].filter((item) => item.type === 'error');

/** Whatever a chain call threw, as a LatentError: CHAIN_UNREACHABLE, CHAIN_REVERTED (with the contract's own error), FUNDS_TOO_LOW, or TIMED_OUT (sent, not mined yet). */
export function toChainError(thrown: unknown): LatentError {
  if (thrown instanceof LatentError) return thrown;
  if (!(thrown instanceof BaseError)) {
    return new LatentError('INTERNAL', thrown instanceof Error ? thrown.message : String(thrown), { cause: thrown });
  }
  const data = revertData(thrown);
  if (data !== undefined) return revertedError(thrown, data);
  if (thrown.walk((cause) => cause instanceof WaitForTransactionReceiptTimeoutError) !== null) {
    // Not a refusal: it may still be mined.
    return new LatentError('TIMED_OUT', `The chain has not mined the transaction yet: ${thrown.shortMessage}`, {
      hint: 'It may still be. Look before it is sent again.',
      cause: thrown,
    });
  }
  if (thrown.walk((cause) => cause instanceof InsufficientFundsError) !== null) {
    return new LatentError('FUNDS_TOO_LOW', 'The account has too little ether to pay for gas.', {
      hint: 'Send some ether of this chain to the account.',
      cause: thrown,
    });
  }
  const network = thrown.walk(
    (cause) =>
      cause instanceof HttpRequestError || cause instanceof TimeoutError || cause instanceof WebSocketRequestError,
  );
  if (network !== null) {
    return new LatentError('CHAIN_UNREACHABLE', `The chain does not answer: ${thrown.shortMessage}`, {
      hint: 'Waiting for it is safe: nothing is lost.',
      cause: thrown,
    });
  }
  return new LatentError('CHAIN_REVERTED', thrown.shortMessage, { cause: thrown });
}

function revertedError(thrown: BaseError, data: Hex): LatentError {
  try {
    const { errorName, args } = decodeErrorResult({ abi: knownErrors, data });
    const values = (args ?? []).map(readable);
    const info = isContractError(errorName) ? contractErrors[errorName] : undefined;
    const why = info === undefined ? '' : ` ${info.cause}`;
    return new LatentError('CHAIN_REVERTED', `The contract refused: ${errorName}(${values.join(', ')}).${why}`, {
      details: { error: errorName, values },
      ...(info === undefined ? {} : { hint: info.remedy }),
      cause: thrown,
    });
  } catch {
    // Neither ours nor one of OpenZeppelin's token. What viem made of it is all there is.
    return new LatentError('CHAIN_REVERTED', `The contract refused: ${thrown.shortMessage}`, {
      details: { data: data.slice(0, 74) },
      cause: thrown,
    });
  }
}

/** Names of fields come as 32 bytes of text. */
function readable(value: unknown): string {
  if (!isHex(value) || value.length !== 66 || !/^0x(?:[2-7][0-9a-f]){1,31}(?:00)+$/.test(value)) return String(value);
  return hexToString(value, { size: 32 });
}

function revertData(thrown: BaseError): Hex | undefined {
  const withData = thrown.walk(
    (cause) => cause instanceof Error && 'data' in cause && isHex(cause.data) && cause.data.length >= 10,
  );
  return withData !== null && 'data' in withData && isHex(withData.data) ? withData.data : undefined;
}
