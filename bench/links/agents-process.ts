import type { SignedAsk } from '@latent/protocol';
import type { LocalAccount } from 'viem';
import type { WebSocket } from 'ws';
import { openLink, openPresence } from './idle-agent.ts';
import { askOf, createAccount } from './market.ts';
import { AT_ONCE, agentsSetupSchema } from './notes.ts';
import { serveAsked } from './serve-asked.ts';

// Many agents in one process. Their keys and asks are made before anything is measured.

interface Agent {
  readonly account: LocalAccount;
  readonly signed: SignedAsk;
}

const { url, first, count } = agentsSetupSchema.parse(JSON.parse(process.argv[2] ?? ''));
const agents: Agent[] = [];
for (let index = first; index < first + count; index += 1) {
  const account = createAccount(index);
  agents.push({ account, signed: await askOf(account) });
}
const open: WebSocket[] = [];

serveAsked({ kind: 'ready', url }, async (asked) => {
  const before = performance.now();
  const waiting = [...agents];
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let agent = waiting.pop(); agent !== undefined; agent = waiting.pop()) {
        const isPresence = asked.kind === 'open' && asked.what === 'presence';
        if (isPresence) open.push(await openPresence(url, agent.account, agent.signed));
        else open.push((await openLink(url)).socket);
      }
    }),
  );
  const lost = open.filter((socket) => socket.readyState !== socket.OPEN).length;
  if (lost > 0) return { kind: 'failed', message: `${lost} of ${open.length} connections were lost.` };
  return { kind: 'opened', ms: performance.now() - before };
});
