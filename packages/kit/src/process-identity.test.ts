import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { identifyProcess, isRunning, signalProcess } from './process-identity.ts';

/** A process that waits until it is ended. */
async function startIdle() {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000); process.stdout.write("up")'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await once(child.stdout, 'data');
  return { child, identity: identifyProcess(child.pid ?? 0) };
}

describe('a process identity', () => {
  it('is running while its process is, and not once that has ended', async () => {
    const { child, identity } = await startIdle();
    expect(isRunning(identity)).toBe(true);
    expect(signalProcess(identity, 'SIGKILL')).toBe(true);
    await once(child, 'exit');
    expect(isRunning(identity)).toBe(false);
    expect(signalProcess(identity, 'SIGKILL')).toBe(false);
  });

  it('is not running for another process with the same number', async () => {
    const { child, identity } = await startIdle();
    expect(isRunning({ ...identity, birth: 'another boot/1' })).toBe(false);
    child.kill('SIGKILL');
    await once(child, 'exit');
  });

  it('is not running for a process that has ended and that nobody has asked for its exit code', async () => {
    // A child that ends when its pipe does, of a shell that has become a program which never asks for exit codes.
    const script = 'cat <&3 >/dev/null & echo $!; exec sleep 60 3<&-';
    const shell = spawn('/bin/sh', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore', 'pipe'] });
    if (shell.stdout === null) throw new Error('the shell has an output');
    const [line] = await once(shell.stdout, 'data');
    const zombie = identifyProcess(Number(String(line).trim()));
    while (!readFileSync(`/proc/${shell.pid}/comm`, 'utf8').startsWith('sleep')) await nextTurn();
    shell.stdio[3]?.destroy();
    while (isRunning(zombie)) await nextTurn();
    process.kill(zombie.pid, 0);
    expect(isRunning(zombie)).toBe(false);
    shell.kill('SIGKILL');
    await once(shell, 'exit');
  });

  it('is never running for a process that was not there when it was taken', () => {
    expect(isRunning(identifyProcess(2 ** 22 - 1))).toBe(false);
  });
});
