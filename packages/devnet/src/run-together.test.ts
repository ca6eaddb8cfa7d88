import { once } from 'node:events';
import { expect, test } from 'vitest';
import { runTogether } from './run-together.ts';

const never = new AbortController().signal;

test('gives all results, in the order of the works', async () => {
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  const first = async () => {
    await gate;
    return 1;
  };
  const second = async () => {
    open();
    return 2;
  };
  expect(await runTogether(never, [first, second])).toEqual([1, 2]);
});

test('throws the failure that came first, once all the others have been aborted and have ended', async () => {
  const ended: string[] = [];
  const waits = async (signal: AbortSignal) => {
    await once(signal, 'abort');
    ended.push(String(signal.reason));
    throw new Error('aborted');
  };
  const fails = async () => {
    throw new Error('no port');
  };
  await expect(runTogether(never, [waits, fails, waits])).rejects.toThrow('no port');
  expect(ended).toEqual(['Error: no port', 'Error: no port']);
});

test('passes an abort on to all works', async () => {
  const stop = new AbortController();
  const waits = async (signal: AbortSignal) => {
    await once(signal, 'abort');
    signal.throwIfAborted();
  };
  const done = runTogether(stop.signal, [waits, waits]);
  stop.abort(new Error('enough'));
  await expect(done).rejects.toThrow('enough');
});
