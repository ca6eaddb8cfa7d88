import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { anvilPath, COUNTER_CODE, noAnvil, startAnvil } from '../anvil.fixture.ts';
import { serveChain } from '../endpoints/fake-chain.fixture.ts';
import { openSendBench } from './send-bench.fixture.ts';

const script = fileURLToPath(new URL('./sending-process.fixture.ts', import.meta.url));
const CALLS = 3;

test.skipIf(anvilPath === undefined)(
  `a sender that is killed at each of its questions carries each call out once${anvilPath === undefined ? ` (${noAnvil})` : ''}`,
  { timeout: 120_000 },
  async () => {
    await using anvil = await startAnvil();
    using bench = await openSendBench(anvil, COUNTER_CODE);
    let asked = 0;
    let killAt = 0;
    let kill = () => {};
    let isBefore = false;
    // Killed before the answer, half of the time, when what was asked for has happened and nobody knows.
    await using served = await serveChain(anvil, async (method, _params, honest) => {
      asked += 1;
      const isLast = asked === killAt;
      // Time passes on the chain while it is looked at.
      if (method === 'eth_getBlockByNumber') await anvil.client.mine({ blocks: 1 });
      const answer = honest();
      if (isLast && isBefore) kill();
      await answer;
      if (isLast && !isBefore) setImmediate(kill);
      return answer;
    });
    const live = async (at: number) => {
      [asked, killAt, isBefore] = [0, at, !isBefore];
      const args = [script, bench.path, served.url, bench.privateKey, String(CALLS)];
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
      kill = () => void child.kill('SIGKILL');
      const [code] = await once(child, 'exit');
      return code === 0;
    };
    let isOver = false;
    for (let at = 3; !isOver && at < 25; at += 2) isOver = await live(at);
    if (!isOver) expect(await live(Number.POSITIVE_INFINITY)).toBe(true);
    expect(await bench.count()).toBe(BigInt(CALLS));
    expect(await anvil.client.getTransactionCount({ address: bench.account.address })).toBe(CALLS);
  },
);
