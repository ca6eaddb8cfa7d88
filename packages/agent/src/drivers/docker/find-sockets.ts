import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { processEnvironment } from '@latent/kit';

/** Where engines listen by default, those of the machine before those of the agent's user. */
export async function findSockets(): Promise<readonly string[]> {
  const own = processEnvironment()['XDG_RUNTIME_DIR'] ?? `/run/user/${process.getuid?.() ?? 0}`;
  const usual = [
    ...['/var/run/docker.sock', '/run/podman/podman.sock'],
    ...['docker.sock', 'podman/podman.sock'].map((name) => join(own, name)),
  ];
  const found = await Promise.all(usual.map(isSocket));
  return usual.filter((_, index) => found[index]);
}

async function isSocket(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isSocket();
  } catch {
    // Not there, or in a folder that the agent's user cannot look into: no engine for it either way.
    return false;
  }
}
