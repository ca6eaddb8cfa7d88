import type { Check, LeaseAudit } from '@latent/protocol';
import { visibleText } from './visible-text.ts';

const marks = { right: '✓', wrong: '✗', unchecked: '·' } as const;

/** Every check on a line of its own, and what it comes to. */
export function showAudit({ checks, isRight }: Pick<LeaseAudit, 'checks' | 'isRight'>): string {
  const of = (outcome: Check['outcome']) => checks.filter((check) => check.outcome === outcome).length;
  const open = of('unchecked') === 0 ? '' : `; ${of('unchecked')} could not be checked, marked ·`;
  const verdict = isRight
    ? `VERIFIED: ${of('right')} of ${of('right')} figures are right${open}.`
    : `WRONG: ${of('wrong')} of ${of('wrong') + of('right')} figures, marked ✗${open}.`;
  return [...checks.map(showCheck), '', verdict].join('\n');
}

function showCheck({ outcome, what, stated, recomputed, note }: Check): string {
  const values = recomputed === undefined ? (stated ?? '') : `the chain says ${stated}, recomputed ${recomputed}`;
  const rest = [values, note ?? ''].filter((text) => text !== '').join('; ');
  return `${marks[outcome]} ${visibleText(rest === '' ? what : `${what}: ${rest}`)}`;
}
