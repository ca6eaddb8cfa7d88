import { describe, expect, it } from 'vitest';
import { type Finding, unanswered } from './analyse-contracts.ts';

const finding = (check: string, name: string): Finding => ({ check, name, impact: 'High', description: '' });

describe('unanswered', () => {
  const answers = '| `timestamp` | `_open`, `close` | meant |\n| `reentrancy` | `_open` | guarded |';

  it('leaves out findings whose check and name are on one line', () => {
    expect(unanswered([finding('timestamp', 'close'), finding('reentrancy', '_open')], answers)).toEqual([]);
  });

  it('keeps new checks, new names, and names that are only part of another', () => {
    const open = [finding('reentrancy', 'close'), finding('shadowing', '_open'), finding('timestamp', 'clos')];
    expect(unanswered(open, answers)).toEqual(open);
  });
});
