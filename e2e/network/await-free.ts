import { asksAnswerSchema } from '@latent/protocol';
import type { TestNetwork } from './test-network.ts';
import { waitUntil } from './wait-until.ts';

/** Waits until every book lists so many machines as present and free. Agents see a lease closed only with a later block. */
export async function awaitFree({ devnet }: TestNetwork, machines: number): Promise<void> {
  for (const book of devnet.books) {
    await waitUntil(`${machines} machines are free at ${book}`, async () => {
      const answer = await fetch(`${book}/v1/asks?offset=0&limit=100`);
      const { asks } = asksAnswerSchema.parse(await answer.json());
      const free = asks.filter(({ present, freeDevices }) => present && freeDevices > 0);
      return new Set(free.map(({ signed }) => signed.ask.agentKey)).size >= machines;
    });
  }
}
