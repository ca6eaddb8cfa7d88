import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { systemPath } from '../../drivers/supervised/system-path.ts';
import { enterNamespace } from '../namespace/held-namespace.ts';
import { egressRules } from './egress-rules.ts';

const LIMIT_MS = 10_000;

/** Puts the firewall into a namespace, all of it at once, in place of the one before. @throws what went wrong, in words */
export async function loadRules(namespacePath: string, refused: readonly string[]): Promise<void> {
  const [file = '', ...args] = [...enterNamespace(namespacePath), 'nft', '-f', '-'];
  const signal = AbortSignal.timeout(LIMIT_MS);
  const child = spawn(file, args, {
    stdio: ['pipe', 'ignore', 'pipe'],
    env: { PATH: systemPath },
    cwd: '/',
    signal,
  });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(0, 500);
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(egressRules(refused));
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`nft: ${complaint.trim().split('\n')[0] || `exit code ${code}`}`);
}
