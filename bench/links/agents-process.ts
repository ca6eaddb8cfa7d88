import { LatentError, type SignedAsk } from '@latent/protocol';
import type { LocalAccount } from 'viem';
import type { WebSocket } from 'ws';
import { answerAsked, readSetup } from '../harness/start-process.ts';
import { openLink, openPresence } from './idle-agent.ts';
import { askOf, createAccount } from './market.ts';
import { type Asked, AT_ONCE, agentsSetupSchema, askedSchema, type Note } from './notes.ts';

// Many agents in one process. Their keys and asks are made before anything is measured.

interface Agent {
  readonly account: LocalAccount;
  readonly signed: SignedAsk;
}

const { url, first, count } = readSetup(agentsSetupSchema);
const agents: Agent[] = [];
for (let index = first; index < first + count; index += 1) {
  const account = createAccount(index);
  agents.push({ account, signed: await askOf(account) });
}
const open: WebSocket[] = [];

answerAsked<Asked, Note>(askedSchema, { kind: 'ready', url }, async (asked) => {
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
  if (lost > 0) throw new LatentError('INTERNAL', `${lost} of ${open.length} connections were lost.`);
  return { kind: 'opened', ms: performance.now() - before };
});
