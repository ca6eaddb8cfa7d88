import type { BookExamination } from './examine-book.ts';
import type { UdpView } from './examine-udp.ts';

/**
 * How others get to this machine.
 * `open`: by itself. `punchable`: through a hole in its NAT or firewall, which most networks allow. `strict`: only from networks that are
 * not strict too. `relayed`: through a book alone. `cut-off`: not at all.
 */
export type Reachability = 'open' | 'punchable' | 'strict' | 'relayed' | 'cut-off';

export interface Finding {
  readonly level: 'ok' | 'note' | 'problem';
  readonly text: string;
  /** What to change, where something can be. */
  readonly remedy?: string;
}

export interface Diagnosis {
  readonly reachability: Reachability;
  readonly findings: readonly Finding[];
}

export interface NetworkFacts {
  readonly books: readonly BookExamination[];
  /** IP addresses of the machine's own interfaces. */
  readonly localHosts: readonly string[];
}

/** Less than this through a relay is slow for a job's files. */
const SLOW_RELAY_MB_PER_S = 5;

/** Says in plain words what the facts mean, for operators and renters alike. */
export function diagnoseNetwork(facts: NetworkFacts): Diagnosis {
  const reachability = judge(facts);
  const views = facts.books.flatMap(({ udp }) => udp?.views ?? []);
  return {
    reachability,
    findings: [
      summary(reachability),
      ...facts.books.flatMap(aboutBook),
      ...aboutUdp(facts),
      ...[...new Map(views.map((view) => [view.family, view])).values()].map((view) => aboutView(view, facts)),
    ],
  };
}

function judge({ books, localHosts }: NetworkFacts): Reachability {
  if (books.every(({ error }) => error !== undefined)) return 'cut-off';
  const views = books.flatMap(({ udp }) => udp?.views ?? []);
  if (views.length === 0) return 'relayed';
  const isOpen = (view: UdpView) => view.letsStrangersIn && view.seen.some((seen) => localHosts.includes(hostOf(seen)));
  if (views.some(isOpen)) return 'open';
  // One answer alone shows nothing of the mapping; a hole is tried all the same.
  return views.some(({ isSameForBoth }) => isSameForBoth !== false) ? 'punchable' : 'strict';
}

function summary(reachability: Reachability): Finding {
  switch (reachability) {
    case 'open':
      return { level: 'ok', text: 'Others reach this machine directly.' };
    case 'punchable':
      return {
        level: 'ok',
        text: 'Most others reach this machine directly; those behind a strict NAT go through a book.',
      };
    case 'strict':
      return {
        level: 'note',
        text: 'Others reach this machine through a book, and directly only from networks that let strangers in.',
        remedy:
          'Forward one UDP port of the router to this machine, and name it as `port` in the agent’s settings; or set the router’s NAT to “endpoint-independent” (“full cone”, “open”).',
      };
    case 'relayed':
      return {
        level: 'note',
        text: 'Others reach this machine through a book only: slower, and metered beyond what the book gives away.',
        remedy: 'Have UDP let out to any port, if somebody decides that in this network.',
      };
    case 'cut-off':
      return {
        level: 'problem',
        text: 'Nobody reaches this machine, and it finds nobody: no book answers.',
        remedy: 'Check the books’ addresses, and that WebSockets over the web’s ports get out of this network.',
      };
    default:
      return reachability satisfies never;
  }
}

function aboutBook({ bookUrl, error, linkMs, relay, freeRelayBytes }: BookExamination): readonly Finding[] {
  if (error !== undefined || linkMs === undefined) {
    return [
      {
        level: 'problem',
        text: `${bookUrl}: no link. ${error?.message ?? ''}`.trim(),
        remedy: 'Use another book, or try later.',
      },
    ];
  }
  const link: Finding = { level: 'ok', text: `${bookUrl}: linked in ${Math.round(linkMs)} ms.` };
  if (relay?.error !== undefined || relay?.megabytesPerSecond === undefined) {
    const why = relay?.error === undefined ? '' : ` ${relay.error.message}`;
    return [
      link,
      { level: 'problem', text: `${bookUrl}: relays nothing for this machine.${why}`, remedy: 'Use another book too.' },
    ];
  }
  const speed = relay.megabytesPerSecond;
  const level = speed < SLOW_RELAY_MB_PER_S ? 'note' : 'ok';
  const left = `${((freeRelayBytes ?? 0) / 1e9).toFixed(1)} GB a day without payment`;
  const trip = `${(relay.roundTripMs ?? 0).toFixed(1)} ms`;
  return [
    link,
    { level, text: `${bookUrl}: relays ${speed.toFixed(1)} MB/s there and back, ${trip} a round trip, ${left}.` },
  ];
}

function aboutUdp({ books }: NetworkFacts): readonly Finding[] {
  const asked = books.filter(({ udp }) => udp !== undefined);
  if (asked.length === 0 || asked.some(({ udp }) => (udp?.views.length ?? 0) > 0)) return [];
  return [{ level: 'problem', text: 'UDP gets no answer: this network drops it, or the books’ UDP ports are closed.' }];
}

function aboutView({ family, seen, isSameForBoth, letsStrangersIn }: UdpView, { localHosts }: NetworkFacts): Finding {
  const [first = ''] = seen;
  const hasNat = !localHosts.includes(hostOf(first));
  const where = `IPv${family}: seen as ${[...new Set(seen)].join(' and ')}`;
  const nat = hasNat ? 'behind a NAT' : 'without a NAT';
  if (isSameForBoth === undefined) return { level: 'note', text: `${where}, ${nat}; one of two questions was lost.` };
  if (!isSameForBoth) {
    return {
      level: 'note',
      text: `${where}, ${nat} that gives each destination another port: a hole opens for one alone.`,
    };
  }
  const strangers = letsStrangersIn ? 'strangers get in' : 'strangers are kept out until this machine has sent to them';
  return { level: 'ok', text: `${where}, ${nat}, the same for every destination; ${strangers}.` };
}

function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(':')).replace(/^\[|\]$/g, '');
}
