import { openStore, silentLogger, systemClock } from '@latent/kit';
import { hexToBigInt, isHex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { openEndpoints } from '../endpoints/open-endpoints.ts';
import { openSender } from './open-sender.ts';
import { MOST, TARGET } from './send-bench.fixture.ts';
import { senderMigrations } from './sender-schema.ts';

/** A process that sends calls one after the other, for tests that kill it. */
const [, , path = '', url = '', privateKey = '', wanted = '1'] = process.argv;
if (!isHex(privateKey)) throw new Error('no key');
const store = openStore({ path, migrations: senderMigrations });
const endpoints = openEndpoints({ chainId: 31_337, urls: [url] }, { clock: systemClock, logger: silentLogger });
const sender = openSender({
  ...{ endpoints, account: privateKeyToAccount(privateKey), store, clock: systemClock, logger: silentLogger },
  ...{ confirmations: 1n, pollMs: 5 },
});
const count = async () => {
  const word = await endpoints.public.getStorageAt({ address: TARGET, slot: '0x0' });
  return hexToBigInt(word ?? '0x0');
};
for (let index = 1; index <= Number(wanted); index += 1) {
  await sender.send(
    { to: TARGET, data: '0x' },
    {
      idempotencyKey: `call ${index}`,
      mostWei: MOST,
      isDone: async () => (await count()) >= BigInt(index),
      signal: new AbortController().signal,
    },
  );
}
store.close();
