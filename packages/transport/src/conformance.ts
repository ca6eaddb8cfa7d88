import { describe, test } from 'vitest';
import { describeBackPressure } from './conformance/back-pressure.ts';
import { describeClosing } from './conformance/closing.ts';
import { describeConnecting } from './conformance/connecting.ts';
import { describeDatagrams } from './conformance/datagrams.ts';
import { describeEnds } from './conformance/ends.ts';
import { describeMessages } from './conformance/messages.ts';
import { describeSides } from './conformance/sides.ts';
import type { Run, TransportBench, TransportSuite } from './conformance/suite.ts';

/** What every transport has to do. */
export function describeTransport(suite: TransportSuite): void {
  describe(`transport ${suite.name}`, () => {
    const opened: TransportBench[] = [];
    const watched: TransportSuite = {
      ...suite,
      open: async (options) => {
        const bench = await suite.open(options);
        opened.push(bench);
        return bench;
      },
    };
    const run: Run = (name, body) => {
      const reason = suite.skip.find((skipped) => skipped.test === name)?.reason;
      const title = reason === undefined ? name : `${name} (skipped: ${reason})`;
      test.skipIf(reason !== undefined)(title, async (context) => {
        try {
          await body(context);
        } finally {
          // While what lies between still passes their goodbyes.
          await Promise.all(opened.splice(0).flatMap(({ near, far }) => [near.close(), far.close()]));
        }
      });
    };
    for (const describePart of parts) describePart(watched, run);
  });
}

const parts = [
  describeMessages,
  describeSides,
  describeBackPressure,
  describeEnds,
  describeClosing,
  describeConnecting,
  describeDatagrams,
];
