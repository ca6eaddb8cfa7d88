// An agent as far as the way out of its private network goes, as a program for tests to run in a namespace that stands for a machine, and to
// kill. Says where its network's namespace is, and where names are resolved. Ends what it made, and itself, when its input ends.

import { once } from 'node:events';
import { silentLogger, systemClock } from '@latent/kit';
import { LatentError, leaseIdSchema } from '@latent/protocol';
import { z } from 'zod';
import { openMemberNetwork, removeMemberNetwork } from '../member-network.ts';
import { withEgress } from './with-egress.ts';

const setupSchema = z.object({ stateDir: z.string(), refused: z.array(z.string()) });
const { stateDir, refused } = setupSchema.parse(JSON.parse(process.argv[2] ?? ''));

const carrier = withEgress({ openNetwork: openMemberNetwork, removeNetwork: removeMemberNetwork }, refused);
const leaseId = leaseIdSchema.parse(`0x${'7'.repeat(64)}`);
const network = await carrier.openNetwork(
  { leaseId, rank: 0, address: '100.84.0.1', prefixLength: 16, others: [] },
  {
    stateDir,
    logger: silentLogger,
    clock: systemClock,
    signal: new AbortController().signal,
    openStream: () => Promise.reject(new LatentError('PEER_UNREACHABLE', 'There is nobody else.')),
  },
);
process.stdout.write(`${network.namespacePath} ${network.nameserver}\n`);
process.stdin.resume();
await once(process.stdin, 'end');
await network.close();
