import { expect, it } from 'vitest';
import { readForgeTally } from './run-contract-tests.ts';

const OUTPUT = `
Ran 2 tests for test/unit/Operators.t.sol:OperatorsTest
[PASS] testStake() (gas: 12)
[FAIL: not enough] testSlash() (gas: 12)
Suite result: FAILED. 1 passed; 1 failed; 0 skipped; finished in 1.00ms (1.00ms CPU time)

Ran 2 tests for test/unit/Escrow.t.sol:EscrowTest
[PASS] testOpen() (gas: 12)
[SKIP: needs a fork] testFork() (gas: 0)
Suite result: ok. 1 passed; 0 failed; 1 skipped; finished in 1.00ms (1.00ms CPU time)

Ran 2 test suites in 8.10ms (2.00ms CPU time): 2 tests passed, 1 failed, 1 skipped (4 total tests)

Failing tests:
Encountered 1 failing test in test/unit/Operators.t.sol:OperatorsTest
[FAIL: not enough] testSlash() (gas: 12)
`;
const PASSING = 'Suite result: ok. 5 passed; 0 failed; 0 skipped; finished in 1.00ms (1.00ms CPU time)';

it('adds up all suites, and counts no failure twice', () => {
  expect(readForgeTally(OUTPUT, 1)).toEqual({
    passed: 2,
    failed: 1,
    skipped: [{ name: 'contracts > testFork()', reason: 'needs a fork' }],
  });
});

it('counts a run that did not compile as a failure', () => {
  expect(readForgeTally('Error: Compiler run failed', 1)).toEqual({ passed: 0, failed: 1, skipped: [] });
});

it('counts a gas snapshot that differs, which fails no test and leaves out the sums', () => {
  expect(readForgeTally(PASSING, 0)).toMatchObject({ passed: 5, failed: 0 });
  expect(readForgeTally(`${PASSING}\nError: Snapshots differ from previous run`, 1)).toMatchObject({
    passed: 5,
    failed: 1,
  });
});

it('does not lose a skip that it cannot name', () => {
  expect(readForgeTally(PASSING.replace('0 skipped', '2 skipped'), 0).skipped).toHaveLength(2);
});
