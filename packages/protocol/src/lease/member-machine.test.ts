import { describe, expect, it } from 'vitest';
import { assertMove, type MemberState, mayMove, memberStates } from './member-machine.ts';

const arrows: readonly (readonly [MemberState, MemberState])[] = [
  ['attached', 'preparing'],
  ['attached', 'stopped'],
  ['preparing', 'running'],
  ['preparing', 'stopped'],
  ['running', 'stopped'],
  ['stopped', 'closed'],
  ['stopped', 'settled'],
  ['closed', 'settled'],
];

const forbidden = memberStates
  .flatMap((from) => memberStates.map((to) => [from, to] as const))
  .filter(([from, to]) => !arrows.some(([start, end]) => start === from && end === to));

describe('the life of a member', () => {
  it.each(arrows)('goes from %s to %s', (from, to) => {
    expect(mayMove(from, to)).toBe(true);
    expect(() => assertMove(from, to)).not.toThrow();
  });

  it.each(forbidden)('never goes from %s to %s', (from, to) => {
    expect(mayMove(from, to)).toBe(false);
    expect(() => assertMove(from, to)).toThrow(expect.objectContaining({ code: 'INTERNAL', details: { from, to } }));
  });

  it('has an arrow out of every state but the last', () => {
    const starts = new Set(arrows.map(([from]) => from));
    expect(memberStates.filter((state) => !starts.has(state))).toEqual(['settled']);
  });
});
