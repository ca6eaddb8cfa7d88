import { readForgeSnapshot } from './gas/forge-snapshot.ts';
import { type GasCall, gasCalls, gasWith, measureGas } from './gas/measure-gas.ts';
import { aimAtMost, type Benchmark, type Table } from './harness/benchmark.ts';
import { nameMembers } from './harness/name-members.ts';

const MEMBERS = [1, 4, 8, 64] as const;

/** Gas of the money's whole life. */
export const gas: Benchmark = {
  name: 'gas',
  summary: 'gas of opening, settling and closing leases of 1, 4, 8 and 64 members, from receipts of a local chain',
  async run(options) {
    const measured = await measureGas(options, MEMBERS);
    const forge = await readForgeSnapshot();
    const of = (members: number, call: GasCall) => Number(gasWith(measured, members).gas[call]);
    const columns = MEMBERS.map((members) => ({ name: nameMembers(members), unit: 'gas' }));
    const rows = (figure: (call: GasCall, members: number) => number | null): Table['rows'] =>
      gasCalls.map((call) => ({ name: call, figures: MEMBERS.map((members) => figure(call, members)) }));
    const difference = (call: GasCall, members: number) => {
      const expected = forge(call, members);
      return expected === null ? null : of(members, call) - expected;
    };
    return {
      tables: [
        { title: 'Whole transactions, steady state', columns, rows: rows((call, members) => of(members, call)) },
        {
          title: 'For each member',
          columns,
          rows: rows((call, members) => Math.round(of(members, call) / members)),
        },
        { title: 'More than in contracts/snapshots/LeaseEscrow.json', columns, rows: rows(difference) },
      ],
      aims: [
        aimAtMost('open, 1 member', of(1, 'open'), 110_000, 'gas'),
        aimAtMost(
          'openWithAuthorization, 1 member (what the sdk sends)',
          of(1, 'openWithAuthorization'),
          110_000,
          'gas',
        ),
        aimAtMost('open, 8 members', of(8, 'open'), 260_000, 'gas'),
        aimAtMost('openWithAuthorization, 8 members', of(8, 'openWithAuthorization'), 260_000, 'gas'),
        aimAtMost('settle 8 members (checkpoint, first)', of(8, 'checkpoint, first'), 150_000, 'gas'),
        aimAtMost('settle 8 members (checkpoint, next)', of(8, 'checkpoint, next'), 150_000, 'gas'),
      ],
      notes: [
        'One transaction of each: gas does not vary but for zero bytes in signatures and salts (12 gas each).',
        'Steady state: every account has been used before. A first use costs up to 17,100 gas more for each account.',
        'Each member is an operator of its own. Gas of data on a rollup’s parent chain is not in it.',
        'The snapshots have short salts and resource hashes; salts are of 8 random bytes here, as agents and the command draw them. openFromBalance: the renter calls here, a relayer with a signature there.',
        'Receipts hold the least that data costs (EIP-7623: 10 gas for a zero byte, 40 for another); the snapshots do not. It decides for stop, which carries all members and does little.',
        'close carries a signature of every member besides the voucher, and refunds; checkpoint carries the voucher alone.',
      ],
    };
  },
};
