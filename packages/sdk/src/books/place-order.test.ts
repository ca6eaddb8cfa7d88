import { once } from 'node:events';
import { createServer } from 'node:http';
import {
  hashAsk,
  hourlyFromRateUp,
  matchOrder,
  operatorsAbi,
  peerKeySchema,
  rateFromHourlyDown,
  requirementsSchema,
  type SignedAsk,
  signAsk,
} from '@latent/protocol';
import { createKeyPair, createTransport, type Transport } from '@latent/transport';
import { createPublicClient, custom, encodeFunctionResult, zeroAddress } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { expect, it } from 'vitest';
import { createChainClient } from '../chain/connect-chain.ts';
import { placeOrder } from './place-order.ts';

const NOW = 1_800_000_000;
const { signal } = new AbortController();
const requirements = requirementsSchema.parse({
  ...{ machines: 2, spares: 1, maxPricePerDeviceHour: 600_000n, seconds: 3_600 },
});
const client = createChainClient({
  ...{ chainId: 31_337, rpcUrl: 'http://127.0.0.1:1', deployedAtBlock: '0', token: zeroAddress },
  ...{ escrow: '0x00000000000000000000000000000000000000E5', operators: '0x0000000000000000000000000000000000000A75' },
});

type Prepared = Parameters<Transport['prepare']>[0];

/** A real one, that also notes what it is told to prepare. */
function openNoted() {
  const told: Prepared[] = [];
  const transport = createTransport({ keyPair: createKeyPair(new Uint8Array(32).fill(7)) });
  return { told, transport: { ...transport, prepare: (wanted: Prepared) => void told.push(wanted) } };
}

function makeAsk(place: number, hints: readonly string[]): Promise<SignedAsk> {
  const agent = privateKeyToAccount(generatePrivateKey());
  return signAsk(
    agent,
    client.domain,
    {
      ...{ operator: agent.address, agentKey: agent.address, devices: 1, maxSeconds: 86_400, closeWindow: 900 },
      ...{ prepay: 10, maxFeeBps: 50, validUntil: NOW + 3_600, epoch: 0, salt: 1n },
      rate: rateFromHourlyDown(100_000n * BigInt(place)),
    },
    {
      ...{ kind: 'cpu', model: 'test', deviceMemoryMiB: 4_096, cpuCores: 2, memoryMiB: 4_096, region: 'eu-west' },
      ...{ site: 'home', isolation: 'namespaces', hints: [...hints], peerKey: peerOf(place) },
    },
  );
}

const peerOf = (place: number) => peerKeySchema.parse(`0x${String(place).padStart(64, '0')}`);

/** A book that lists these asks. */
async function openBook(asks: (url: string) => Promise<readonly SignedAsk[]>) {
  const server = createServer((_, response) => void answer(response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  const url = typeof bound === 'object' && bound !== null ? `http://127.0.0.1:${bound.port}` : '';
  const signed = await asks(url);
  const answer = async (response: { end(text: string): unknown }) => {
    const listed = signed.map((one) => ({
      ...{ id: hashAsk(client.domain, one.ask), signed: one, present: true, freeDevices: 1 },
      pricePerDeviceHour: hourlyFromRateUp(one.ask.rate).toString(),
    }));
    const { chosen, spares, refusals, relaxations } = matchOrder(
      requirements,
      listed.map(({ id, signed: { ask, resource, signature } }) => {
        return { ...{ id, ask, resource, signature }, freeDevices: 1, present: true };
      }),
    );
    const ids = (candidates: readonly { readonly id: string }[]) => candidates.map(({ id }) => id);
    const matched = { asks: listed, chosen: ids(chosen), spares: ids(spares), refusals, relaxations };
    response.end(JSON.stringify(matched, (_, value) => (typeof value === 'bigint' ? value.toString() : value)));
  };
  return {
    url,
    signed,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** A chain on which every agent belongs to its operator, or none does; hears what was prepared until it was asked. */
function chainWith(asks: readonly SignedAsk[], knowsThem: boolean, onAsked: () => void = () => {}) {
  const request = async () => {
    onAsked();
    const agents = asks.map(({ ask: { operator } }) => ({
      operator: knowsThem ? operator : zeroAddress,
      epoch: 0,
      joinedAt: 1,
    }));
    return encodeFunctionResult({ abi: operatorsAbi, functionName: 'agents', result: agents });
  };
  return { ...client, public: createPublicClient({ chain: client.chain, transport: custom({ request }) }) };
}

it('has books and agents got ready while it asks: the chosen and the spares, before the chain has spoken', async () => {
  await using book = await openBook((url) => Promise.all([1, 2, 3, 4].map((place) => makeAsk(place, [`book+${url}`]))));
  const { told, transport } = openNoted();
  let before: readonly Prepared[] = [];
  const chain = chainWith(book.signed, true, () => {
    before = [...told];
  });
  const order = await placeOrder(chain, { books: [book.url], requirements, nowSeconds: NOW, transport, signal });
  await transport.close();
  const peers = [1, 2, 3].map((place) => ({ key: peerOf(place), hints: [`book+${book.url}`] }));
  expect(before).toEqual([{ books: [book.url] }, { peers }]);
  expect([...order.chosen, ...order.spares].map(({ resource }) => resource.peerKey)).toEqual(
    peers.map(({ key }) => key),
  );
});

it('is led by nobody’s hints to anywhere but the books that it asks, before the chain knows the agent', async () => {
  await using book = await openBook((url) =>
    Promise.all([
      makeAsk(1, ['udp://192.0.2.1:9', 'book+http://192.0.2.1:80', `book+${url}.example`]),
      makeAsk(2, ['book+http://127.0.0.1:1', `book+${url}`, 'udp://192.0.2.1:9']),
    ]),
  );
  const { told, transport } = openNoted();
  const chain = chainWith(book.signed, false);
  const order = await placeOrder(chain, { books: [book.url], requirements, nowSeconds: NOW, transport, signal });
  await transport.close();
  expect(told).toEqual([{ books: [book.url] }, { peers: [{ key: peerOf(2), hints: [`book+${book.url}`] }] }]);
  expect(order.chosen).toEqual([]);
  expect(order.faults.map(({ code }) => code)).toEqual(['ASK_UNKNOWN_AGENT', 'ASK_UNKNOWN_AGENT']);
});
