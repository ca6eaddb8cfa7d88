import type { ErrorCode } from '@latent/protocol';

/** Exit codes of `latent`, for scripts. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  noMatch: 3,
  jobFailed: 4,
  unreachable: 5,
  interrupted: 130,
} as const;

/** What each exit code means, for `--help` and the docs. */
export const exitCodeMeanings: Readonly<Record<keyof typeof exitCodes, string>> = {
  ok: 'done',
  failed: 'something failed; the message says what, and what to do',
  usage: 'wrong arguments, settings or job file',
  noMatch: 'no or too few machines match the order',
  jobFailed: 'the job failed, or a machine was lost',
  unreachable: 'chain, book or agent does not answer',
  interrupted: 'stopped by Ctrl-C',
};

export function exitCodeOf(code: ErrorCode): number {
  switch (code) {
    case 'CANCELLED':
      return exitCodes.interrupted;
    case 'CONFIG_INVALID':
    case 'JOB_FILE_INVALID':
    case 'JOB_FIELD_UNSUPPORTED':
    case 'JOB_FILES_TOO_LARGE':
    case 'CLUSTER_UNKNOWN':
    case 'CLUSTER_EXISTS':
    case 'SESSION_UNKNOWN':
    case 'DEVICE_UNKNOWN':
    case 'DEVNET_NOT_RUNNING':
    case 'DEVNET_RUNNING':
    case 'WATCH_NOT_RUNNING':
    case 'WATCH_RUNNING':
      return exitCodes.usage;
    case 'ORDER_NO_MATCH':
    case 'ORDER_TOO_FEW_HOLDS':
      return exitCodes.noMatch;
    case 'MEMBER_FAILED':
    case 'MEMBER_LOST':
    case 'RESULT_WRONG':
      return exitCodes.jobFailed;
    case 'CHAIN_UNREACHABLE':
    case 'BOOK_UNREACHABLE':
    case 'PEER_UNREACHABLE':
    case 'PEER_ABSENT':
    case 'WATCH_UNREACHABLE':
    case 'TIMED_OUT':
      return exitCodes.unreachable;
    default:
      return exitCodes.failed;
  }
}
