import { spawn } from 'node:child_process';
import { once } from 'node:events';

const BUBBLEWRAP = 'bwrap';
const LIMIT_MS = 10_000;
const TRY = ['--unshare-all', '--ro-bind', '/', '/', '--proc', '/proc', '--dev', '/dev', '--', 'true'];

/** Whether bubblewrap is on this machine and the kernel lets it make namespaces, tried by doing it. */
export async function probeSandbox(signal: AbortSignal): Promise<boolean> {
  const child = spawn(BUBBLEWRAP, TRY, {
    stdio: 'ignore',
    signal: AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)]),
  });
  try {
    const [code] = await once(child, 'exit');
    return code === 0;
  } catch {
    // Not installed, or it hangs: either way jobs cannot be isolated with it.
    signal.throwIfAborted();
    return false;
  }
}
