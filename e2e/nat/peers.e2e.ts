import { describe, expect, test } from 'vitest';
import { waitUntil } from '../network/wait-until.ts';
import { findMissing } from './find-missing.ts';
import { openLab } from './lab.ts';
import { type LabPeer, openLabPeers } from './lab-peers.ts';
import { KINDS, type PlaceKind } from './lab-spec.ts';

const missing = await findMissing();

const kinds = [
  'open',
  'cone',
  'symmetric',
  'double',
  'udp-blocked',
  'ipv6-only',
  'dual-stack',
] as const satisfies readonly PlaceKind[];
type Kind = (typeof kinds)[number];

/** What must come of it: a hole needs UDP on both sides, a family that both have, and one side whose port others can know. */
function expectedRoute(one: Kind, other: Kind): 'direct' | 'relayed' {
  const [a, b] = [KINDS[one], KINDS[other]];
  if (!a.udp || !b.udp) return 'relayed';
  const shared = a.families.filter((family) => b.families.includes(family));
  if (shared.includes(6)) return 'direct';
  if (!shared.includes(4)) return 'relayed';
  const isStrict = (kind: Kind) => KINDS[kind].mapping === 'random';
  if (one === 'open' || other === 'open') return 'direct';
  return isStrict(one) || isStrict(other) ? 'relayed' : 'direct';
}

describe.skipIf(missing !== undefined)(
  `peers behind NATs${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    test('every kind of network reaches every other: directly where a hole can be, through the book where not', async () => {
      await using lab = await openLab({
        book: 'public',
        ...{ open: 'open', cone: 'cone', symmetric: 'symmetric', double: 'double', office: 'udp-blocked' },
        ...{ six: 'ipv6-only', dual: 'dual-stack' },
        ...{ open2: 'open', cone2: 'cone', symmetric2: 'symmetric', double2: 'double', office2: 'udp-blocked' },
        ...{ six2: 'ipv6-only', dual2: 'dual-stack' },
      });
      const places = {
        open: 'open',
        cone: 'cone',
        symmetric: 'symmetric',
        double: 'double',
        'udp-blocked': 'office',
        'ipv6-only': 'six',
        'dual-stack': 'dual',
      } as const;
      await using peers = await openLabPeers(lab, ['book']);
      const { url } = await peers.book('book');
      const started = await Promise.all(
        kinds.flatMap((kind) => [peers.peer(places[kind], [url]), peers.peer(`${places[kind]}2`, [url])]),
      );
      const at = (kind: Kind, second: 0 | 1): LabPeer => started[2 * kinds.indexOf(kind) + second]!;
      const found: Record<string, string> = {};
      const wanted: Record<string, string> = {};
      for (const from of kinds) {
        // All at once, as when a cluster is held.
        await Promise.all(kinds.map((to) => at(from, 0).connect(at(to, 1))));
        for (const to of kinds) {
          const pair = `${from} → ${to}`;
          wanted[pair] = expectedRoute(from, to);
          found[pair] = await settledRoute(at(from, 0), at(to, 1), wanted[pair]);
        }
      }
      expect(found).toEqual(wanted);
    });
  },
);

/** The kind of route, once it is the one wanted; otherwise what it is when all holes have been tried. */
async function settledRoute(from: LabPeer, to: LabPeer, wanted: string): Promise<string> {
  const kindNow = async () => (await from.echo(to, 1)).split(' ')[0] ?? '';
  return await waitUntil(
    `the route of ${from.key}`,
    async () => {
      const kind = await kindNow();
      return kind === wanted ? kind : undefined;
    },
    8_000,
  ).catch(kindNow);
}
