import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { operatorsAbi } from '@latent/protocol';
import { type Address, decodeFunctionData, encodeFunctionResult, type Hex, zeroAddress } from 'viem';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createAgent, deployment } from '../book-bench.fixture.ts';
import { createChainRegistry } from './chain-registry.ts';

const { signal } = new AbortController();
const agent = createAgent('a');
const callSchema = z.object({
  id: z.number(),
  method: z.string(),
  params: z.array(z.unknown()).default([]),
});
const ethCallSchema = z.object({ to: z.string(), data: z.custom<Hex>((value) => typeof value === 'string') });

/** An endpoint of a chain on which one agent is registered, on a real socket. */
async function openEndpoint(chainId: number, answer: (agentKey: Address) => Hex = agentResult) {
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    void text(request).then((body) => {
      const given: unknown = JSON.parse(body);
      const reply = (call: unknown) => {
        const { id, method, params } = callSchema.parse(call);
        if (method === 'eth_chainId') return { jsonrpc: '2.0', id, result: `0x${chainId.toString(16)}` };
        const { data } = ethCallSchema.parse(params[0]);
        const { args } = decodeFunctionData({ abi: operatorsAbi, data });
        return { jsonrpc: '2.0', id, result: answer(z.custom<Address>().parse(args?.[0])) };
      };
      response.end(JSON.stringify(Array.isArray(given) ? given.map(reply) : reply(given)));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  return {
    registry: createChainRegistry({ ...deployment, rpcUrl: `http://127.0.0.1:${port}` }),
    requests: () => requests,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function agentResult(agentKey: Address): Hex {
  const isKnown = agentKey === agent.account.address;
  return encodeFunctionResult({
    abi: operatorsAbi,
    functionName: 'agent',
    result: isKnown
      ? { operator: agent.operator, epoch: 7, joinedAt: 1 }
      : { operator: zeroAddress, epoch: 3, joinedAt: 0 },
  });
}

describe('createChainRegistry', () => {
  it('tells whose an agent is and its epoch, and that nobody has another key', async () => {
    await using endpoint = await openEndpoint(deployment.chainId);
    const { registry } = endpoint;
    expect(await registry.agentOf(agent.account.address, signal)).toEqual({ operator: agent.operator, epoch: 7 });
    expect(await registry.agentOf(createAgent('b').account.address, signal)).toBeUndefined();
  });

  it('sends questions that come together as one request', async () => {
    await using endpoint = await openEndpoint(deployment.chainId);
    await endpoint.registry.agentOf(agent.account.address, signal);
    const before = endpoint.requests();
    await Promise.all(Array.from({ length: 20 }, () => endpoint.registry.agentOf(agent.account.address, signal)));
    expect(endpoint.requests()).toBe(before + 1);
  });

  it('will not believe another chain, nor an address without the contract', async () => {
    await using elsewhere = await openEndpoint(1);
    await expect(elsewhere.registry.agentOf(agent.account.address, signal)).rejects.toMatchObject({
      code: 'CHAIN_WRONG',
    });
    await using empty = await openEndpoint(deployment.chainId, () => '0x');
    await expect(empty.registry.agentOf(agent.account.address, signal)).rejects.toMatchObject({ code: 'CHAIN_WRONG' });
  });

  it('says that the chain does not answer, and asks again when it does', async () => {
    const endpoint = await openEndpoint(deployment.chainId);
    await endpoint[Symbol.asyncDispose]();
    await expect(endpoint.registry.agentOf(agent.account.address, signal)).rejects.toMatchObject({
      code: 'CHAIN_UNREACHABLE',
      retry: 'later',
    });
  });

  it('stops when it is told to', async () => {
    await using endpoint = await openEndpoint(deployment.chainId);
    const reason = new Error('enough');
    await expect(endpoint.registry.agentOf(agent.account.address, AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});
