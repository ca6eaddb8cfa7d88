import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { findMissing } from './find-missing.ts';
import { openLab } from './lab.ts';
import { openLabPeers } from './lab-peers.ts';

const missing = await findMissing();
const CLI = fileURLToPath(new URL('../../apps/cli/src/main.ts', import.meta.url));

const reportSchema = z.object({
  reachability: z.string(),
  findings: z.array(z.object({ level: z.string(), text: z.string(), remedy: z.string().optional() })),
});

describe.skipIf(missing !== undefined)(`latent doctor${missing === undefined ? '' : ` (skipped: ${missing})`}`, () => {
  test('tells what kind of network a machine is in, and what to change', async () => {
    await using lab = await openLab({
      book: 'public',
      ...{ open: 'open', cone: 'cone', symmetric: 'symmetric', double: 'double', office: 'udp-blocked' },
      ...{ six: 'ipv6-only', dual: 'dual-stack' },
    });
    await using peers = await openLabPeers(lab, ['book']);
    const { url, process: book } = await peers.book('book');
    const examine = async (place: Parameters<typeof peers.node>[0]) => {
      const doctor = peers.node(place, CLI, ['doctor', '--json', '--book', url]);
      const { code } = await doctor.ended;
      const printed = doctor.printed();
      const { reachability, findings } = reportSchema.parse(JSON.parse(printed.slice(printed.indexOf('{'))));
      return { code, reachability, remedies: findings.flatMap(({ remedy }) => remedy ?? []) };
    };
    const places = ['open', 'cone', 'symmetric', 'double', 'office', 'six', 'dual'] as const;
    const found = new Map<string, Awaited<ReturnType<typeof examine>>>();
    // Two at a time, as there are two cores.
    const left = [...places];
    const work = async () => {
      for (let place = left.pop(); place !== undefined; place = left.pop()) found.set(place, await examine(place));
    };
    await Promise.all([work(), work()]);
    expect(Object.fromEntries(places.map((place) => [place, found.get(place)?.reachability]))).toEqual({
      open: 'open',
      cone: 'punchable',
      symmetric: 'strict',
      double: 'punchable',
      office: 'relayed',
      six: 'punchable',
      dual: 'punchable',
    });
    expect(places.map((place) => found.get(place)?.code)).toEqual(places.map(() => 0));
    expect(found.get('cone')?.remedies).toEqual([]);
    expect(found.get('symmetric')?.remedies[0]).toContain('Forward one UDP port');
    expect(found.get('office')?.remedies[0]).toContain('UDP');

    await book.end();
    expect(await examine('cone')).toMatchObject({ code: 5, reachability: 'cut-off' });
  });
});
