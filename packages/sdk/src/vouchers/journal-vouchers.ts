import { LatentError } from '@latent/protocol';
import type { ClusterJournal } from '../clusters/cluster-journal.ts';
import { covers } from './voucher-order.ts';
import type { VoucherStore } from './voucher-store.ts';

/** The vouchers of a cluster, in its record: an update of the journal is one transaction, on the disk when it returns. */
export function journalVouchers(journal: Pick<ClusterJournal, 'load' | 'update'>, name: string): VoucherStore {
  return {
    load: () => journal.load(name).voucher ?? undefined,
    save: (voucher, origin) => {
      journal.update(name, (record) => {
        const { leaseId } = record;
        if (voucher.leaseId !== leaseId) {
          throw new LatentError('LEASE_MISMATCH', `${name} is lease ${leaseId} now; the voucher is for another.`);
        }
        if (origin === 'signed' && record.handedOverAtMs !== undefined) throw handedOver(name);
        if (record.voucher !== null && !covers(voucher, record.voucher)) {
          throw new LatentError('VOUCHER_DECREASED', `${name} has signed a larger voucher meanwhile.`, {
            details: { leaseId },
            hint: 'Is a second meter running for it?',
          });
        }
        return { ...record, voucher };
      });
    },
  };
}

function handedOver(name: string): LatentError {
  return new LatentError('CLUSTER_HANDED_OVER', `The meter of ${name} was handed over; this one signs nothing more.`, {
    hint: `End the cluster with: latent down ${name}`,
  });
}
