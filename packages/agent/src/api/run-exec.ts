import { EXEC_STDERR, EXEC_STDOUT } from '@latent/sdk';
import type { StreamReply } from '@latent/transport';
import { findSurroundings } from '../leases/find-surroundings.ts';
import type { LeaseDesk } from '../leases/lease-desk.ts';
import type { MemberRecord } from '../leases/member-record.ts';
import { bytesOf } from './bytes-of.ts';

const PIECE_BYTES = 64 * 1024;

/** Runs a renter's command beside its job, or where that was. @throws LatentError MEMBER_NOT_STARTED */
export async function runExec(
  desk: LeaseDesk,
  record: MemberRecord,
  command: { readonly argv: readonly string[]; readonly env: Readonly<Record<string, string>> },
  signal: AbortSignal,
): Promise<StreamReply<Record<string, never>>> {
  const handle = await findSurroundings(desk, record.leaseId);
  return {
    result: {},
    run: async (channel) => {
      const { code, reason } = await desk.context.driver.exec(handle, command, {
        signal,
        stdin: bytesOf(channel),
        onOutput: async ({ stream, bytes }) => {
          const tag = stream === 'stderr' ? EXEC_STDERR : EXEC_STDOUT;
          for (let offset = 0; offset < bytes.byteLength; offset += PIECE_BYTES) {
            await channel.sendBytes(Buffer.concat([Buffer.from([tag]), bytes.subarray(offset, offset + PIECE_BYTES)]));
          }
        },
      });
      await channel.sendJson({ code, ...(reason === undefined ? {} : { reason }) });
    },
  };
}
