import { orderSchema } from './messages.ts';
import { createDeviceServer } from './serve-device.ts';

// Runs a device for `startDeviceProcess`, and ends with the channel to it: so nothing is left behind when that process dies.
const server = createDeviceServer((news) => {
  if (process.connected) process.send?.(news);
});
process.on('message', (message) => void server.take(orderSchema.parse(message)));
// Killed, as `process.exit` would wait for shaders that are still being compiled.
process.on('disconnect', () => void server.close().finally(() => process.kill(process.pid, 'SIGKILL')));
