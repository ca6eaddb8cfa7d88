/**
 * Does several things at once. When one fails the others are aborted and waited for, so that nothing goes on behind the
 * back of who cleans up, and the failure that came first is thrown.
 */
export async function runTogether<Result>(
  signal: AbortSignal,
  works: readonly ((signal: AbortSignal) => Promise<Result>)[],
): Promise<readonly Result[]> {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const failures: unknown[] = [];
  const settled = await Promise.allSettled(
    works.map(async (work) => {
      try {
        return await work(either);
      } catch (thrown) {
        failures.push(thrown);
        stop.abort(thrown);
        throw thrown;
      }
    }),
  );
  if (failures.length > 0) throw failures[0];
  return settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
}
