import { toLatentError } from '@latent/protocol';
import { readBuffer, takeBuffer } from './buffers.ts';
import { openDevice } from './open-device.ts';

// Loses a device while something is waited for, uses it again, and writes the codes of what it was told.
const open = await openDevice({});
const buffer = await takeBuffer(open, 'something', 64);
const codeOf = (promise: Promise<unknown>) => promise.catch((error: unknown) => toLatentError(error).code);
const waiting = codeOf(open.orLost(new Promise(() => undefined)));
open.device.destroy();
const codes = [await waiting, await codeOf(readBuffer(open, buffer, 64))];
process.stdout.write(codes.join(' '));
