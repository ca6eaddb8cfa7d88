import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { loadNativeSecp256k1 } from '@latent/kit';
import { loadKernel } from '@latent/proof';
import { requirementsSchema, toLatentError, useSigning } from '@latent/protocol';
import { connectChain, placeOrder } from '@latent/sdk';
import { isHex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { launchRound, type Renter } from './launch-round.ts';
import { type RenterTold, renterSetupSchema } from './messages.ts';

// A renter at home: `renter-process.ts SETUP`. Each line on standard input has it launch once.

const ROUND_TRIPS = 20;
const LOOK_MS = 250;
const LIMIT_MS = 60_000;

const setup = renterSetupSchema.parse(JSON.parse(process.argv[2] ?? ''));
if (!isHex(setup.secret)) throw new Error('no secret');
const { hash } = await loadKernel();
await useSigning({ secp256k1: loadNativeSecp256k1(randomBytes), keccak256: hash });
const { machines, spares } = setup;
const renter: Renter = {
  chain: await connectChain(setup.deployment),
  account: privateKeyToAccount(setup.secret),
  book: setup.book,
  requirements: requirementsSchema.parse({
    ...{ machines, spares, maxPricePerDeviceHour: '1000000', seconds: 3_600, isolation: 'none' },
  }),
};
let launches = 0;

await untilFree();
tell({ kind: 'ready', roundTripsMs: await measureRoundTrips() });
createInterface({ input: process.stdin }).on('line', () => {
  launch().then(tell, (thrown: unknown) => {
    const { code, message, details } = toLatentError(thrown);
    tell({ kind: 'failed', message: `${code}: ${message} ${JSON.stringify(details)}` });
  });
});

async function launch(): Promise<RenterTold> {
  await untilFree();
  launches += 1;
  const times = await launchRound(renter, AbortSignal.timeout(LIMIT_MS));
  return { kind: 'launched', times: { ...times, isFirst: launches === 1 } };
}

/** Agents free their devices when they see that the lease is closed, or a hold lapsed, and the book hears of it then. */
async function untilFree(): Promise<void> {
  const signal = AbortSignal.timeout(LIMIT_MS);
  const { chain, book, requirements } = renter;
  for (;;) {
    const nowSeconds = Math.floor(Date.now() / 1_000);
    const order = await placeOrder(chain, { books: [book], requirements, nowSeconds, signal });
    if (order.spares.length === spares) return;
    await pause(LOOK_MS, undefined, { signal });
  }
}

async function measureRoundTrips(): Promise<number[]> {
  const { hostname, port } = new URL(setup.book);
  const times: number[] = [];
  for (let made = 0; made < ROUND_TRIPS; made += 1) {
    const startedMs = performance.now();
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    times.push(performance.now() - startedMs);
    socket.destroy();
  }
  return times;
}

function tell(told: RenterTold): void {
  process.stdout.write(`${JSON.stringify(told)}\n`);
}
