import { describe, expect, it } from 'vitest';
import { createKeyedLock } from './keyed-lock.ts';

describe('createKeyedLock', () => {
  it('runs what concerns one key one after another, in order', async () => {
    const lock = createKeyedLock<string>();
    const order: string[] = [];
    const gate = Promise.withResolvers<void>();
    const first = lock.run('a', async () => {
      await gate.promise;
      order.push('first');
    });
    const second = lock.run('a', async () => {
      order.push('second');
    });
    gate.resolve();
    await Promise.all([first, second]);
    expect(order).toEqual(['first', 'second']);
  });

  it('does not let one key wait for another', async () => {
    const lock = createKeyedLock<string>();
    const gate = Promise.withResolvers<void>();
    const blocked = lock.run('a', () => gate.promise);
    await expect(lock.run('b', async () => 'free')).resolves.toBe('free');
    gate.resolve();
    await blocked;
  });

  it('goes on after a failure, which only its own caller sees', async () => {
    const lock = createKeyedLock<string>();
    const failed = lock.run('a', async () => {
      throw new Error('no');
    });
    const next = lock.run('a', async () => 'yes');
    await expect(failed).rejects.toThrow('no');
    await expect(next).resolves.toBe('yes');
  });
});
