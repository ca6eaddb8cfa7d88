// An agent as far as its private network goes, as a program for tests to kill: rank 1, which dials rank 0. Says where its namespace is,
// then `linked` when it has a stream. Ends what it made, and itself, when its input ends.

import { once } from 'node:events';
import { silentLogger, systemClock } from '@latent/kit';
import { leaseIdSchema, peerKeySchema } from '@latent/protocol';
import { createKeyPair, createPeerTransport } from '@latent/transport';
import { z } from 'zod';
import { openMemberNetwork } from './member-network.ts';

const setupSchema = z.object({
  seed: z.string(),
  stateDir: z.string(),
  leaseId: leaseIdSchema,
  peer: z.object({ key: peerKeySchema, hints: z.array(z.string()) }),
});
const { seed, stateDir, leaseId, peer } = setupSchema.parse(JSON.parse(process.argv[2] ?? ''));

const transport = createPeerTransport({ keyPair: createKeyPair(Buffer.from(seed, 'hex')) });
const plan = {
  leaseId,
  rank: 1,
  address: '100.84.0.2',
  prefixLength: 16,
  others: [{ rank: 0, address: '100.84.0.1' }],
};
const network = await openMemberNetwork(plan, {
  stateDir,
  logger: silentLogger,
  clock: systemClock,
  signal: new AbortController().signal,
  openStream: async () => {
    const stream = await transport.connect(peer, { signal: AbortSignal.timeout(10_000) });
    process.stdout.write('linked\n');
    return stream;
  },
});
process.stdout.write(`${network.namespacePath}\n`);
process.stdin.resume();
await once(process.stdin, 'end');
await network.close();
await transport.close();
