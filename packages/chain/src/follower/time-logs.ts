import { LatentError } from '@latent/protocol';
import type { Hex } from 'viem';
import type { BlockHeader, RawLog } from '../endpoints/chain-shapes.ts';
import type { Endpoint, Endpoints } from '../endpoints/endpoints.ts';
import { mayHoldLogs } from '../endpoints/logs-bloom.ts';
import type { TimedLog } from './log-table.ts';

const AT_ONCE = 8;

/**
 * Reads the blocks of these logs: for their time, and to see that the logs can be theirs.
 * @throws LatentError CHAIN_DISAGREES
 */
export async function timeLogs(endpoints: Endpoints, logs: readonly RawLog[]): Promise<readonly TimedLog[]> {
  const hashes = [...new Set(logs.map(({ blockHash }) => blockHash))];
  const headers = new Map<Hex, BlockHeader>();
  for (let at = 0; at < hashes.length; at += AT_ONCE) {
    const some = hashes.slice(at, at + AT_ONCE);
    const read = await endpoints.onOne((endpoint) => Promise.all(some.map((hash) => readBlock(endpoint, hash))));
    for (const header of read) headers.set(header.hash, header);
  }
  return logs.map((log) => {
    const header = headers.get(log.blockHash);
    const why = header === undefined ? 'is not there' : misfit(log, header);
    if (header !== undefined && why === undefined) return { ...log, timestamp: header.timestamp };
    throw new LatentError('CHAIN_DISAGREES', `Block ${log.blockHash}, of which there are logs, ${why}.`, {
      hint: 'One of the endpoints is wrong, and nothing is taken in until they agree.',
      details: { block: log.blockNumber, hash: log.blockHash },
    });
  });
}

async function readBlock(endpoint: Endpoint, hash: Hex): Promise<BlockHeader> {
  const header = await endpoint.block(hash);
  if (header !== undefined) return header;
  throw new LatentError('MESSAGE_INVALID', `Endpoint ${endpoint.name} has no block ${hash}, of which there are logs.`, {
    hint: 'It is asked again; another endpoint may know it.',
    details: { endpoint: endpoint.name, hash },
  });
}

function misfit(log: RawLog, { number, logsBloom }: BlockHeader): string | undefined {
  if (number !== log.blockNumber) return `is block ${number}, not ${log.blockNumber}`;
  // Some chains fill no blooms.
  if (/^0x0*$/.test(logsBloom) || mayHoldLogs(logsBloom, log.address, log.topics.slice(0, 1))) return undefined;
  return 'has a bloom that does not hold them';
}
