import type { Examination, Finding } from '@latent/sdk';
import { visibleText } from './visible-text.ts';

const MARKS: Readonly<Record<Finding['level'], string>> = { ok: '✓', note: '·', problem: '✗' };

/** Findings in plain words, the verdict first, each with what to do. */
export function showExamination({ findings, chain }: Examination): string {
  return [...findings, ...aboutChain(chain)].flatMap(showFinding).join('\n');
}

function showFinding({ level, text, remedy }: Finding): readonly string[] {
  const line = `${MARKS[level]} ${visibleText(text)}`;
  return remedy === undefined ? [line] : [line, `    → ${visibleText(remedy)}`];
}

function aboutChain(chain: Examination['chain']): readonly Finding[] {
  if (chain === undefined) return [];
  if (chain.error === undefined) return [{ level: 'ok', text: 'The chain answers.' }];
  const { message, hint } = chain.error;
  return [
    { level: 'problem', text: `The chain does not: ${message}`, ...(hint === undefined ? {} : { remedy: hint }) },
  ];
}
