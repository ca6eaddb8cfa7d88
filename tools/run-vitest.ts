import { type Reporter, startVitest, type TestModule } from 'vitest/node';
import { ROOT } from './run-command.ts';
import { NOTHING, type Tally } from './tally.ts';

/**
 * Runs projects of vitest.config.ts with their output shown.
 * @param filters parts of paths; empty for all files
 */
export async function runVitest(
  projects: readonly ('unit' | 'e2e' | 'nat')[],
  filters: readonly string[],
): Promise<Tally> {
  let tally = NOTHING;
  const counter: Reporter = {
    onTestRunEnd: (modules, unhandled) => {
      tally = count(modules, unhandled.length);
    },
  };
  await startVitest([...filters], {
    root: ROOT,
    project: [...projects],
    run: true,
    watch: false,
    passWithNoTests: true,
    reporters: ['default', counter],
  });
  return tally;
}

/** A file that does not load, and an error that no test caught, count as a failure each. */
function count(modules: readonly TestModule[], unhandled: number): Tally {
  const tests = modules.flatMap((module) => [...module.children.allTests()].map((test) => ({ module, test })));
  const of = (state: string) => tests.filter(({ test }) => test.result().state === state);
  const broken = modules.filter(
    (module) => module.state() === 'failed' && of('failed').every((one) => one.module !== module),
  );
  return {
    passed: of('passed').length,
    // A test still pending at the end never came to its end.
    failed: of('failed').length + of('pending').length + broken.length + unhandled,
    skipped: of('skipped').map(({ module, test }) => {
      const result = test.result();
      const note = result.state === 'skipped' ? result.note : undefined;
      return { name: `${module.relativeModuleId} > ${test.fullName}`, reason: note ?? '' };
    }),
  };
}
