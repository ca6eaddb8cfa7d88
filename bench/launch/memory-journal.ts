import { LatentError } from '@latent/protocol';
import type { ClusterJournal, ClusterRecord } from '@latent/sdk';

/** A journal of one cluster, in memory, that shows every change to `onChange` as it is made. */
export function createMemoryJournal(
  first: ClusterRecord,
  onChange: (record: ClusterRecord, event: 'changed' | 'files' | 'told') => void,
): ClusterJournal {
  let record = first;
  const known = (name: string): ClusterRecord => {
    if (name === record.name) return record;
    throw new LatentError('CLUSTER_UNKNOWN', `There is no cluster "${name}".`);
  };
  return {
    load: known,
    update(name, change) {
      record = change(known(name));
      onChange(record, 'changed');
      return record;
    },
    tell: (name, { kind }) => onChange(known(name), kind === 'files' ? 'files' : 'told'),
  };
}
