import { parameterSets } from '../../../spec/parameters.ts';
import { fillGroups } from '../shaders/fill.wgsl.ts';
import { readBuffer, takeBuffer } from './buffers.ts';
import { startCommands } from './commands.ts';
import { wordsOf } from './network.ts';
import { openDevice } from './open-device.ts';
import { createPace } from './pace.ts';
import { createSlots } from './program.ts';
import { createPrograms } from './programs.ts';
import { shapeOf } from './shape-of.ts';

// Fills one layer of the development set, whose number is the first argument, and writes its memory in base64.
const parameters = parameterSets.development;
const open = await openDevice({});
const slots = createSlots(open);
const shape = shapeOf(open, parameters);
const { fill } = await createPrograms(open, slots, shape, new Map());
const bytes = parameters.gates * parameters.width ** 2;
const weights = await takeBuffer(open, 'weights', bytes);
const commands = startCommands({ open, slots, pace: createPace() }, new AbortController().signal);
await commands.dispatch({
  program: fill,
  buffers: fill.bind(weights),
  groups: fillGroups(shape),
  parameters: [Number(process.argv[2]), 0, 0, ...wordsOf(new Uint8Array(32).fill(7))],
  heavy: 'fill',
});
await commands.finish();
process.stdout.write(Buffer.from(await readBuffer(open, weights, bytes)).toString('base64'));
open.close();
