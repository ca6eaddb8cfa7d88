import { MAX_FILES_BYTES } from '@latent/protocol';
import { agentMethods } from '@latent/sdk';
import { handleCall, handleStream, type MethodServer, serveMethods } from '@latent/transport';
import { placeHold } from '../holds/place-hold.ts';
import { acceptNetwork } from '../leases/accept-network.ts';
import { attachLease } from '../leases/attach-lease.ts';
import { claimMember } from '../leases/claim-member.ts';
import { findForCaller, type LeaseDesk } from '../leases/lease-desk.ts';
import { memberOutput } from '../leases/member-output.ts';
import { memberStatus } from '../leases/member-status.ts';
import { planNetwork } from '../leases/plan-network.ts';
import { receiveFiles } from '../leases/receive-files.ts';
import { startJob } from '../leases/start-job.ts';
import { stopMember } from '../leases/stop-member.ts';
import { takeVoucher } from '../leases/take-voucher.ts';
import { bytesOf } from './bytes-of.ts';
import { runExec } from './run-exec.ts';
import { sendFiles } from './send-files.ts';

/** Room for tar headers beside the files themselves. */
const MAX_UPLOAD_BYTES = MAX_FILES_BYTES + 64 * 1024 * 1024;
/** What a command may read from its standard input. */
const MAX_EXEC_INPUT_BYTES = 1024 * 1024 * 1024;

/** Everything that a renter, or the agent of another member, can ask of this agent. Whoever calls proved a key; a lease decides what that key may do. */
export function serveAgent(desk: LeaseDesk): MethodServer {
  const { context } = desk;
  return serveMethods({
    handlers: [
      handleCall(agentMethods.hold, (params) => placeHold(desk, params)),
      handleCall(agentMethods.attach, (params, { remoteKey }) => attachLease(desk, remoteKey, params)),
      handleCall(agentMethods.plan, async (params, { remoteKey }) => {
        await planNetwork(desk, remoteKey, params);
        return {};
      }),
      handleCall(agentMethods.start, async (params, { remoteKey }) =>
        memberStatus(desk, await startJob(desk, remoteKey, params)),
      ),
      handleCall(agentMethods.status, async ({ leaseId }, { remoteKey }) =>
        memberStatus(desk, findForCaller(desk, leaseId, remoteKey)),
      ),
      handleCall(agentMethods.voucher, (voucher, { remoteKey }) => takeVoucher(desk, remoteKey, voucher)),
      handleCall(agentMethods.held, async ({ leaseId }, { remoteKey }) => ({
        voucher: findForCaller(desk, leaseId, remoteKey).voucher,
      })),
      handleCall(agentMethods.stop, async ({ leaseId, reason }, { remoteKey }) => {
        const record = findForCaller(desk, leaseId, remoteKey);
        return memberStatus(desk, (await stopMember(desk, leaseId, `the renter stopped it: ${reason}`)) ?? record);
      }),
      handleCall(agentMethods.close, async ({ leaseId }, { remoteKey }) => {
        findForCaller(desk, leaseId, remoteKey);
        return claimMember(desk, leaseId, 'the renter closed the lease');
      }),
      handleStream(agentMethods.network, async (params, { remoteKey }) => ({
        result: {},
        run: await acceptNetwork(desk, remoteKey, params),
      })),
      handleStream(
        agentMethods.upload,
        async ({ leaseId }, { remoteKey, signal }) => {
          findForCaller(desk, leaseId, remoteKey);
          return {
            result: {},
            run: async (channel) =>
              channel.sendJson(await receiveFiles(desk, remoteKey, leaseId, bytesOf(channel), signal)),
          };
        },
        { maxReceivedBytes: MAX_UPLOAD_BYTES },
      ),
      handleStream(agentMethods.logs, async ({ leaseId, offset, follow }, { remoteKey, signal }) => {
        findForCaller(desk, leaseId, remoteKey);
        return {
          result: {},
          run: async (channel) => {
            for await (const bytes of memberOutput(desk, leaseId, { offset, follow, signal }))
              await channel.sendBytes(bytes);
          },
        };
      }),
      handleStream(
        agentMethods.exec,
        async ({ leaseId, argv, env }, { remoteKey, signal }) =>
          runExec(desk, findForCaller(desk, leaseId, remoteKey), { argv, env }, signal),
        { maxReceivedBytes: MAX_EXEC_INPUT_BYTES },
      ),
      handleStream(agentMethods.fetch, async ({ leaseId, paths }, { remoteKey, signal }) =>
        sendFiles(desk, findForCaller(desk, leaseId, remoteKey), paths, signal),
      ),
    ],
    onDefect: ({ method, error }) => context.logger.error({ method, error: String(error) }, 'call failed by a defect'),
  });
}
