import { answerAsked, readSetup } from '../harness/start-process.ts';
import { forwardTcp } from './forward-tcp.ts';
import { forwardUdp } from './forward-udp.ts';
import {
  type ForwarderAsked,
  type ForwarderTold,
  forwarderAskedSchema,
  forwarderSetupSchema,
} from './forwarder-notes.ts';

// Stands between two ends on this machine and makes the way between them long, in a process of its own.

const setup = readSetup(forwarderSetupSchema);
const forwarder = await (setup.protocol === 'udp' ? forwardUdp : forwardTcp)(setup);
answerAsked<ForwarderAsked, ForwarderTold>(forwarderAskedSchema, { kind: 'ready', port: forwarder.port }, async () =>
  forwarder.counts(),
);
