import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { createFakeChain, serveChain } from '../endpoints/fake-chain.fixture.ts';
import { escrowLog, leaseIdOf } from './escrow-events.fixture.ts';
import { openFollowBench } from './follow-bench.fixture.ts';

const script = fileURLToPath(new URL('./following-process.fixture.ts', import.meta.url));
const effectRow = z.object({ kind: z.enum(['new', 'reverted']), place: z.string() });

/** Lets a process follow until it has said so many lines or asked so many questions, and kills it there. */
async function followAndKill(
  args: readonly string[],
  killAt: { readonly lines: number; readonly afterAsked: Promise<void> },
) {
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  let lines = 0;
  createInterface({ input: child.stdout }).on('line', () => {
    lines += 1;
    if (lines === killAt.lines) child.kill('SIGKILL');
  });
  void killAt.afterAsked.then(() => child.kill('SIGKILL'));
  await closed;
}

test('a follower that is killed at any point has told everything once, and goes on', { timeout: 60_000 }, async () => {
  const chain = createFakeChain();
  let asked = 0;
  let killAfter = Number.POSITIVE_INFINITY;
  let reached = () => {};
  await using served = await serveChain(chain, (_method, _params, honest) => {
    asked += 1;
    if (asked === killAfter) reached();
    return honest();
  });
  using bench = openFollowBench();
  for (let life = 0; life < 6; life += 1) {
    chain.takeBack(life % 3);
    for (let block = 0; block < 9; block += 1) chain.mine([escrowLog('Opened', leaseIdOf(`${life}/${block}`))]);
    // Once after it told somebody, once in the middle of its questions.
    const isByLine = life % 2 === 0;
    killAfter = isByLine ? Number.POSITIVE_INFINITY : asked + 7 * life;
    const afterAsked = new Promise<void>((resolve) => {
      reached = resolve;
    });
    await followAndKill([bench.path, served.url], { lines: isByLine ? 1 + life : 0, afterAsked });
  }
  const follower = bench.open([served]);
  await follower.catchUp();
  const last = bench.open([served]);
  last.consume({
    name: 'writer',
    view: 'latest',
    from: 'start',
    take: (notices) => {
      for (const { sequence, kind, event } of notices) {
        const place = `${event.raw.blockHash}/${event.raw.logIndex}`;
        bench.store.run('INSERT INTO effect VALUES (?, ?, ?)', [sequence, kind, place]);
      }
    },
  });
  const places: string[] = [];
  for (const { kind, place } of bench.store.all('SELECT kind, place FROM effect ORDER BY sequence', [], effectRow)) {
    if (kind === 'new') places.push(place);
    else expect(places.pop()).toBe(place);
  }
  const onChain = chain.blocks.flatMap(({ hash, logs }) => logs.map((_, index) => `${hash}/${index}`));
  expect(places).toEqual(onChain);
});
