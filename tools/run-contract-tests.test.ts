import { expect, it } from 'vitest';
import { readForgeTally } from './run-contract-tests.ts';

const OUTPUT = `
Ran 2 tests for test/unit/Operators.t.sol:OperatorsTest
[PASS] testStake() (gas: 12)
[FAIL: not enough] testSlash() (gas: 12)
Suite result: FAILED. 1 passed; 1 failed; 0 skipped; finished in 1.00ms (1.00ms CPU time)

Ran 1 test for test/unit/Escrow.t.sol:EscrowTest
[SKIP: needs a fork] testFork() (gas: 0)
Suite result: ok. 0 passed; 0 failed; 1 skipped; finished in 1.00ms (1.00ms CPU time)

Ran 2 test suites in 8.10ms (2.00ms CPU time): 1 tests passed, 1 failed, 1 skipped (3 total tests)
`;

it('reads the sums of all suites, not of one', () => {
  expect(readForgeTally(OUTPUT, 1)).toEqual({
    passed: 1,
    failed: 1,
    skipped: [{ name: 'contracts > testFork()', reason: 'needs a fork' }],
  });
});

it('counts a run that did not compile as a failure', () => {
  expect(readForgeTally('Error: Compiler run failed', 1)).toEqual({ passed: 0, failed: 1, skipped: [] });
});

it('counts an exit status that no failed test explains', () => {
  const passing = 'Ran 1 test suite in 8.10ms (2.00ms CPU time): 5 tests passed, 0 failed, 0 skipped (5 total tests)';
  expect(readForgeTally(passing, 0).failed).toBe(0);
  expect(readForgeTally(passing, 1).failed).toBe(1);
});

it('does not lose a skip that it cannot name', () => {
  const output = 'Ran 1 test suite in 8.10ms (2.00ms CPU time): 5 tests passed, 0 failed, 2 skipped (7 total tests)';
  expect(readForgeTally(output, 0).skipped).toHaveLength(2);
});
