import { LatentError } from '@latent/protocol';
import { RpcRequestError } from 'viem';
import { RangeRefused } from './range-refused.ts';

/** What an endpoint says for itself and not for the chain. EIP-1474 and what is in use: limit, internal, unknown method, not there, not available. */
const OWN_CODES: ReadonlySet<number> = new Set([-32005, -32603, -32601, -32004, -32001, -32002, 429]);
const OWN_WORDS =
  /header not found|block not found|unknown block|missing trie node|rate limit|too many requests|capacity|timed? ?out|unavailable|state .*not available/i;

/** Whether another endpoint may answer what this one did not; else it is the chain's own answer, a revert for one. */
export function isEndpointFault(thrown: unknown): thrown is LatentError | RpcRequestError {
  if (thrown instanceof RpcRequestError) return OWN_CODES.has(thrown.code) || OWN_WORDS.test(thrown.details);
  if (!(thrown instanceof LatentError) || thrown instanceof RangeRefused) return false;
  switch (thrown.code) {
    case 'CHAIN_UNREACHABLE':
    case 'CHAIN_WRONG':
    case 'TIMED_OUT':
    case 'MESSAGE_TOO_LARGE':
    case 'MESSAGE_INVALID':
      return true;
    default:
      return false;
  }
}

/** Whether a smaller range of logs may be answered: endpoints say so in a hundred ways. */
export function mayBeTooMuch(thrown: unknown): boolean {
  if (thrown instanceof RpcRequestError) return true;
  return thrown instanceof LatentError && (thrown.code === 'MESSAGE_TOO_LARGE' || thrown.code === 'TIMED_OUT');
}

/** In a few words, without bytes of the network that a terminal would act on. */
export function faultText(thrown: LatentError | RpcRequestError): string {
  if (thrown instanceof LatentError) return thrown.message;
  return `${thrown.url} answers with error ${thrown.code}: ${thrown.details.replace(/[^\x20-\x7e]/g, '?').slice(0, 200)}`;
}
