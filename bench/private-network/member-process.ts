import { randomBytes } from 'node:crypto';
import { type MemberNetwork, openMemberNetwork } from '@latent/agent';
import { silentLogger, systemClock } from '@latent/kit';
import { LatentError, leaseIdSchema } from '@latent/protocol';
import { createKeyPair, createPeerTransport, createTcpTransport } from '@latent/transport';
import { answerAsked, readSetup } from '../harness/start-process.ts';
import { addressOf } from './addresses.ts';
import { type MemberAsked, type MemberTold, memberAskedSchema, memberSetupSchema } from './notes.ts';

// A member's agent, as far as its private network goes, in a process of its own.

const setup = readSetup(memberSetupSchema);
const keyPair = createKeyPair(Buffer.from(setup.seed, 'hex'));
const transport = setup.way === 'tcp' ? createTcpTransport({ keyPair }) : createPeerTransport({ keyPair });
let other: Extract<MemberAsked, { kind: 'join' }> | undefined;
let network: MemberNetwork | undefined;
const { hints } = await transport.listen(
  (stream) => {
    if (network === undefined || other === undefined) stream.destroy();
    else network.accept(other.rank, stream);
  },
  { address: '127.0.0.1', port: 0 },
);
const hint = hints.find((one) => one.startsWith(setup.way === 'tcp' ? 'tcp:' : 'udp:'));
if (hint === undefined) throw new LatentError('INTERNAL', `No hint of ${setup.way} among ${hints.join(' ')}.`);
answerAsked<MemberAsked, MemberTold>(memberAskedSchema, { kind: 'ready', hint }, answer);

async function answer(asked: MemberAsked): Promise<MemberTold> {
  switch (asked.kind) {
    case 'join':
      return await join(asked);
    case 'count': {
      const [way] = network?.ways() ?? [];
      return { kind: 'counted', sentBytes: way?.sentBytes ?? 0, droppedPackets: way?.droppedPackets ?? 0 };
    }
    case 'leave':
      await network?.close();
      await transport.close();
      return { kind: 'left' };
    default:
      return asked satisfies never;
  }
}

async function join(asked: Extract<MemberAsked, { kind: 'join' }>): Promise<MemberTold> {
  other = asked;
  const peer = { key: createKeyPair(Buffer.from(asked.seed, 'hex')).key, hints: [asked.hint ?? ''] };
  const plan = {
    leaseId: leaseIdSchema.parse(`0x${randomBytes(32).toString('hex')}`),
    rank: setup.rank,
    address: addressOf(setup.rank),
    prefixLength: 16,
    others: [{ rank: asked.rank, address: addressOf(asked.rank) }],
  };
  network = await openMemberNetwork(plan, {
    stateDir: setup.stateDir,
    logger: silentLogger,
    clock: systemClock,
    signal: new AbortController().signal,
    openStream: async () => {
      if (asked.hint === undefined) throw new LatentError('PEER_UNREACHABLE', 'The other member dials.');
      return await transport.connect(peer, { signal: AbortSignal.timeout(10_000) });
    },
  });
  return { kind: 'joined', namespacePath: network.namespacePath };
}
