import type { ErrorCode } from '@latent/protocol';

/** The HTTP status under which an error travels; its code says more. */
export function errorStatus(code: ErrorCode): 400 | 403 | 404 | 413 | 422 | 429 | 500 | 503 {
  switch (code) {
    case 'MESSAGE_INVALID':
      return 400;
    case 'NOT_ALLOWED':
      return 403;
    case 'METHOD_UNKNOWN':
      return 404;
    case 'MESSAGE_TOO_LARGE':
      return 413;
    case 'BOOK_RATE_LIMITED':
      return 429;
    case 'CHAIN_UNREACHABLE':
    case 'CHAIN_WRONG':
    case 'STORE_FAILED':
    case 'CANCELLED':
      return 503;
    default:
      return code.startsWith('ASK_') ? 422 : 500;
  }
}
