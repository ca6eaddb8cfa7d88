import { LatentError } from '@latent/protocol';
import { type ClusterRecord, isOver } from '@latent/sdk';
import type { ClusterStore } from '../home/cluster-store.ts';

/** The cluster that is meant: the one named, else the only one that runs, else the one launched last. @throws LatentError CLUSTER_UNKNOWN, CONFIG_INVALID */
export function chooseCluster(store: ClusterStore, name: string | undefined): ClusterRecord {
  if (name !== undefined) return store.load(name);
  const all = [...store.list()].sort((a, b) => b.createdAtMs - a.createdAtMs);
  const running = all.filter((record) => !isOver(record));
  if (running.length > 1) {
    throw new LatentError('CONFIG_INVALID', `${running.length} clusters are running.`, {
      hint: `Name one of: ${running.map((record) => record.name).join(', ')}.`,
    });
  }
  const [chosen] = running.length === 1 ? running : all;
  if (chosen === undefined) {
    throw new LatentError('CLUSTER_UNKNOWN', 'There is no cluster yet.', {
      hint: 'Launch one: latent launch examples/digits/task.yaml',
    });
  }
  return chosen;
}
