import { describe, expect, it } from 'vitest';
import { listMutants } from './list-mutants.ts';

const HEAD = '// SPDX-License-Identifier: MIT\npragma solidity ^0.8.28;\n';
const contract = (body: string) => `${HEAD}contract C {\n${body}\n}\n`;

/** What each mutant makes of a source, and by which rule. */
function mutantsOf(body: string) {
  const source = contract(body);
  return listMutants(new Map([['C.sol', source]])).map(({ rule, start, end, after }) => {
    const bytes = Buffer.from(source);
    const text = Buffer.concat([bytes.subarray(0, start), Buffer.from(after), bytes.subarray(end)]).toString();
    return { rule, body: text.slice(contract('').indexOf('\n\n') + 1, -3) };
  });
}

describe('listMutants', () => {
  it('moves comparisons to their boundary and to their opposite', () => {
    const bodies = mutantsOf('function f(uint a, uint b) public pure returns (bool) { return a < b; }');
    expect(bodies.map(({ rule }) => rule)).toEqual(['< to <=', '< to >=']);
    expect(bodies[0]?.body).toContain('return a <= b;');
    expect(bodies[1]?.body).toContain('return a >= b;');
  });

  it('makes conditions true and false, and removes statements, modifiers and negations', () => {
    const rules = mutantsOf(
      'uint x;\nmodifier m() { _; }\nfunction f(bool a) public m { if (!a) revert(); x += 1; emit E(); delete x; }\nevent E();',
    ).map(({ rule }) => rule);
    for (const rule of ['condition', 'statement', 'modifier', '! to nothing', '+= to -=', 'constant']) {
      expect(rules).toContain(rule);
    }
    expect(rules.filter((rule) => rule === 'statement')).toHaveLength(4);
    expect(rules.filter((rule) => rule === 'condition')).toHaveLength(2);
  });

  it('changes assembly too', () => {
    const bodies = mutantsOf('function f() public pure returns (uint r) { assembly { r := add(0x20, mload(0x40)) } }');
    expect(bodies.map(({ rule }) => rule).sort()).toEqual(['yul', 'yul', 'yul constant', 'yul constant']);
    expect(bodies.map(({ body }) => body).join()).toContain('sub(0x20, mload(0x40))');
  });

  it('counts bytes, not characters', () => {
    const [first] = mutantsOf('/* µ – § */ function f(uint a) public pure returns (uint) { return a + a; }');
    expect(first?.body).toContain('return a - a;');
  });

  it('gives a change the same id when only lines above it change', () => {
    const body = 'function f(uint a, uint b) public pure returns (bool) { return a > b; }';
    const ids = (text: string) => listMutants(new Map([['C.sol', text]])).map(({ id }) => id);
    expect(ids(`// more\n${contract(body)}`)).toEqual(ids(contract(body)));
    expect(new Set(ids(contract(`${body}\n${body.replace('f(', 'g(')}`))).size).toBe(4);
  });
});
