import { setImmediate as nextTurn } from 'node:timers/promises';
import { answerAsked, readSetup } from '../harness/start-process.ts';
import type { WayListener } from './channel.ts';
import {
  type ListenerAsked,
  type ListenerSetup,
  type ListenerTold,
  listenerAskedSchema,
  listenerSetupSchema,
} from './notes.ts';
import { listenOurWay } from './our-way.ts';
import { listenByUdx } from './udx-way.ts';
import { listenByWss } from './wss-way.ts';

// The end that listens, in a process of its own.

const listener = await listen(readSetup(listenerSetupSchema));
answerAsked<ListenerAsked, ListenerTold>(listenerAskedSchema, { kind: 'ready', at: listener.at }, measure);

function listen(setup: ListenerSetup): Promise<WayListener> {
  const { way, seed } = setup;
  switch (way) {
    case 'direct':
    case 'relayed':
    case 'tcp':
      return listenOurWay({ ...setup, way });
    case 'wss':
      return listenByWss(setup);
    case 'udx':
      return listenByUdx(seed);
    default:
      return way satisfies never;
  }
}

async function measure(): Promise<ListenerTold> {
  // What has been closed and forgotten is no part of what a connection costs.
  for (let round = 0; round < 3; round += 1) {
    await nextTurn();
    globalThis.gc?.();
  }
  const { rss, heapUsed } = process.memoryUsage();
  return { kind: 'measured', rssBytes: rss, heapBytes: heapUsed };
}
