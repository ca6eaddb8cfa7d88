import { z } from 'zod';
import { deviceOf } from './addresses.ts';
import type { KindFacts } from './lab-spec.ts';
import { inside, runNft } from './namespaces.ts';
import { runTool } from './run-tool.ts';

/** What keeps the packets of a home from the internet. */
export type Fault = 'cut' | 'no_udp';

/**
 * A home's router: lets out what comes from inside, lets in what belongs to it, and drops the rest without a word.
 * What comes to the router itself is dropped before it is known as a flow. Else the first packet of a peer that punches would
 * take the port, and what the home sends then would leave from another one.
 */
export function routerRules(mapping: KindFacts['mapping']): string {
  return `
table ip nat {
  chain leaving {
    type nat hook postrouting priority srcnat
    oifname "eth0" masquerade ${mapping === 'random' ? 'fully-random' : ''}
  }
}
table inet filter {
  counter unsolicited {}
  chain through {
    type filter hook forward priority filter
    policy drop
    iifname "lan" ct state invalid drop
    iifname "lan" accept
    ct state established,related accept
    counter name unsolicited
  }
  chain to-router {
    type filter hook input priority filter
    iifname "eth0" ct state new,invalid counter name unsolicited drop
  }
}
`;
}

/** The internet's: nothing but the faults, which begin at once. */
export const INTERNET_RULES = `
table inet faults {
  set cut { type ifname; counter; }
  set no_udp { type ifname; counter; }
  chain through {
    type filter hook forward priority filter
    iifname @cut drop
    oifname @cut drop
    meta l4proto udp iifname @no_udp drop
    meta l4proto udp oifname @no_udp drop
  }
}
`;

/** Begins or ends a fault at a home's uplink. Ending one that is not there is fine, and so is beginning it twice. */
export async function setFault(internet: string, home: string, fault: Fault, on: boolean): Promise<void> {
  const element = `element inet faults ${fault} { "${deviceOf(home)}" }`;
  // Deleting what is not there is an error, so it is added before.
  await runNft(internet, on ? `add ${element}\n` : `add ${element}\ndelete ${element}\n`);
}

const faultSet = z.object({
  nftables: z.array(
    z.object({
      set: z
        .object({
          elem: z
            .array(z.object({ elem: z.object({ val: z.string(), counter: z.object({ packets: z.int() }) }) }))
            .optional(),
        })
        .optional(),
    }),
  ),
});

/** Packets that a fault has dropped since it began; 0 where there is none. */
export async function countFault(internet: string, home: string, fault: Fault): Promise<number> {
  const listed = await runTool(...inside(internet, 'nft', ['-j', 'list', 'set', 'inet', 'faults', fault]));
  const elements = faultSet.parse(JSON.parse(listed)).nftables.flatMap(({ set }) => set?.elem ?? []);
  return elements.find(({ elem }) => elem.val === deviceOf(home))?.elem.counter.packets ?? 0;
}

const counterList = z.object({
  nftables: z.array(z.object({ counter: z.object({ packets: z.int() }).optional() })),
});

/** Packets from outside that a router has dropped, since the lab was opened. */
export async function countUnsolicited(router: string): Promise<number> {
  const listed = await runTool(...inside(router, 'nft', ['-j', 'list', 'counter', 'inet', 'filter', 'unsolicited']));
  const counters = counterList.parse(JSON.parse(listed)).nftables;
  return counters.reduce((sum, { counter }) => sum + (counter?.packets ?? 0), 0);
}

/** Lets a router forget all that it lets back in, and under which ports. */
export async function forgetFlows(router: string): Promise<void> {
  await runTool(...inside(router, 'conntrack', ['-F']));
}
