import { createManualClock } from '@latent/kit';
import { describe, expect, it } from 'vitest';
import { createAgent, createMemoryRegistry } from '../book-bench.fixture.ts';
import { createCheckAgent } from './check-agent.ts';

const { signal } = new AbortController();

async function setUp() {
  const registry = createMemoryRegistry();
  const agent = createAgent('a', registry);
  const clock = createManualClock();
  let asked = 0;
  const counting = {
    agentOf: (...call: Parameters<typeof registry.agentOf>) => {
      asked += 1;
      return registry.agentOf(...call);
    },
  };
  const checkAgent = createCheckAgent(counting, clock);
  const setEpoch = (epoch: number) => registry.agents.set(agent.account.address, { operator: agent.operator, epoch });
  return { registry, agent, clock, checkAgent, setEpoch, timesAsked: () => asked, ask: (await agent.ask()).ask };
}

describe('createCheckAgent', () => {
  it('asks the chain once for asks that come together, and again some seconds later', async () => {
    const { checkAgent, ask, clock, setEpoch, timesAsked } = await setUp();
    await checkAgent(ask, signal);
    await checkAgent({ ...ask, salt: 2n }, signal);
    expect(timesAsked()).toBe(1);
    setEpoch(1);
    await clock.advance(5_000);
    await expect(checkAgent(ask, signal)).rejects.toMatchObject({ code: 'ASK_CANCELLED' });
  });

  it('never refuses by what the chain said before: an agent may have joined or signed anew since', async () => {
    const { checkAgent, ask, registry, agent, setEpoch } = await setUp();
    registry.agents.clear();
    await expect(checkAgent(ask, signal)).rejects.toMatchObject({ code: 'ASK_UNKNOWN_AGENT' });
    setEpoch(0);
    await checkAgent(ask, signal);
    setEpoch(1);
    await checkAgent((await agent.ask({ epoch: 1 })).ask, signal);
  });

  it('passes on that the chain does not answer, and remembers nothing of it', async () => {
    const { checkAgent, ask, registry } = await setUp();
    registry.isDown = true;
    await expect(checkAgent(ask, signal)).rejects.toMatchObject({ code: 'CHAIN_UNREACHABLE', retry: 'later' });
    registry.isDown = false;
    await checkAgent(ask, signal);
  });
});
