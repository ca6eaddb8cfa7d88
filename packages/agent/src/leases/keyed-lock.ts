/** Runs what concerns one key one after another, so that two calls never decide on the same record at once. */
export interface KeyedLock<K> {
  run<T>(key: K, work: () => Promise<T>): Promise<T>;
}

export function createKeyedLock<K>(): KeyedLock<K> {
  const tails = new Map<K, Promise<void>>();
  return {
    run: async (key, work) => {
      const before = tails.get(key) ?? Promise.resolve();
      const result = before.then(work);
      const tail = result.then(
        () => undefined,
        () => undefined,
      );
      tails.set(key, tail);
      try {
        return await result;
      } finally {
        if (tails.get(key) === tail) tails.delete(key);
      }
    },
  };
}
