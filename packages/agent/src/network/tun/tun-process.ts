// Runs in a network namespace: takes up its TUN device, says by which fd, and holds it until whoever asked has taken a copy, which it tells
// by closing the input. Arguments: the device's settings as JSON.

import { z } from 'zod';
import { configureDevice } from './configure-device.ts';
import { openLibc } from './libc.ts';

const settingsSchema = z.object({
  name: z.string().min(1).max(15),
  address: z.ipv4(),
  prefixLength: z.int().min(1).max(32),
  mtu: z.int().min(576).max(65_535),
});

const fd = configureDevice(openLibc(), settingsSchema.parse(JSON.parse(process.argv[2] ?? '')));
process.stdout.write(`${fd}\n`);
process.stdin.resume();
