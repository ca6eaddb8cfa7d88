import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants, setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import { deviceOf } from '../addresses.ts';
import { inside, runIp } from '../namespaces.ts';
import { type LinkCounts, type LinkShape, linkShapeSchema } from './link-shape.ts';
import { type Answer, answerSchema, type Order } from './messages.ts';

const PROGRAM = fileURLToPath(new URL('./shaper-process.ts', import.meta.url));

/** Packets that may wait until the shaper reads them: 25 ms of 60 MB/s in small ones. */
const DEVICE_QUEUE = 4_096;

/** What carries the packets of a home's uplink. */
export interface Shaper {
  setShape(shape: LinkShape): Promise<void>;
  counts(): Promise<LinkCounts>;
}

/**
 * Makes the uplink of a home out of two TUN devices and a process between them, which is killed with the lab's namespaces.
 * @param edge the namespace at the place's end, where the device is called `eth0`
 */
export async function startShaper(internet: string, edge: string, home: string, shape: LinkShape): Promise<Shaper> {
  const passing = `u-${home}`;
  const [program, words] = inside(internet, process.execPath, [PROGRAM, deviceOf(home), passing]);
  const child = spawn(program, words, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  // A line does not wait for processors that have other things to do.
  if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_HIGHEST);
  let complaint = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint += text;
  });
  const ended = once(child, 'close').then(() => {
    throw new Error(`the shaper of ${home} ended: ${complaint.trim()}`);
  });
  // Whoever waits for an answer then is told; nobody has to.
  ended.catch(() => undefined);
  let turn: Promise<unknown> = Promise.resolve();
  const hear = async (): Promise<Answer> => {
    const [message] = await Promise.race([once(child, 'message'), ended]);
    return answerSchema.parse(message);
  };
  const ask = (order: Order): Promise<Answer> => {
    const answer = turn.then(() => {
      const heard = hear();
      child.send(order);
      return heard;
    });
    turn = answer.catch(() => undefined);
    return answer;
  };
  await hear();
  await runIp(internet, [
    `link set ${passing} netns ${edge} name eth0`,
    `link set ${deviceOf(home)} txqueuelen ${DEVICE_QUEUE} addrgenmode none`,
  ]);
  await runIp(edge, [`link set eth0 txqueuelen ${DEVICE_QUEUE} addrgenmode none`]);
  const setShape = async (next: LinkShape) => {
    await ask({ kind: 'shape', shape: linkShapeSchema.parse(next) });
  };
  await setShape(shape);
  return {
    setShape,
    counts: async () => {
      const answer = await ask({ kind: 'count' });
      if (answer.kind !== 'counts') throw new Error(`the shaper of ${home} answered ${answer.kind}`);
      return answer.counts;
    },
  };
}
