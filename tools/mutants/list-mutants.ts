import { createHash } from 'node:crypto';
import { nodesIn, parseSolidity, type SyntaxNode } from './parse-solidity.ts';

/** One small change of the sources that some test should notice. */
export interface Mutant {
  /** Same for the same change of the same line, wherever the line has moved to. */
  readonly id: string;
  readonly path: string;
  readonly line: number;
  readonly rule: string;
  readonly before: string;
  readonly after: string;
  /** Bytes of the source that are replaced by `after`. */
  readonly start: number;
  readonly end: number;
}

interface Edit {
  readonly rule: string;
  readonly start: number;
  readonly end: number;
  readonly after: string;
}

/** What an operator is mistaken for: its neighbour at the boundary, its opposite. */
const BINARY: Readonly<Record<string, readonly string[]>> = {
  ...{ '+': ['-'], '-': ['+'], '*': ['/'], '/': ['*'], '%': ['*'] },
  ...{ '<': ['<=', '>='], '<=': ['<', '>'], '>': ['>=', '<='], '>=': ['>', '<'] },
  ...{ '==': ['!='], '!=': ['=='], '&&': ['||'], '||': ['&&'] },
  ...{ '&': ['|'], '|': ['&'], '<<': ['>>'], '>>': ['<<'] },
};
const ASSIGNMENTS: Readonly<Record<string, string>> = { '+=': '-=', '-=': '+=', '|=': '&=' };
const UNARY: Readonly<Record<string, string>> = { '!': '', '++': '--', '--': '++', '~': '' };
const YUL: Readonly<Record<string, string>> = {
  ...{ add: 'sub', sub: 'add', mul: 'add', lt: 'gt', gt: 'lt', shl: 'shr', shr: 'shl', and: 'or', or: 'and' },
  ...{ eq: 'lt', calldataload: 'mload', mload: 'calldataload' },
};

/**
 * Every mutant of these sources, in the order of paths and lines. The rules are those that Gambit, vertigo and slither-mutate
 * have in common: operators, boundaries, constants, conditions, removed statements and modifiers, swapped arguments.
 * @param sources text by path
 */
export function listMutants(sources: ReadonlyMap<string, string>): Mutant[] {
  const trees = parseSolidity(sources);
  const seen = new Map<string, number>();
  return [...trees]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([path, tree]) => {
      const source = Buffer.from(sources.get(path) ?? '');
      return [...editsOf(tree, source)]
        .sort((a, b) => a.start - b.start || a.end - b.end)
        .map((edit) => describe(path, source, edit, seen));
    });
}

function describe(path: string, source: Buffer, edit: Edit, seen: Map<string, number>): Mutant {
  const text = (from: number, to: number) => source.subarray(from, to).toString();
  const lineStart = source.lastIndexOf('\n', edit.start - 1) + 1;
  const lineEnd = source.indexOf('\n', edit.start);
  const column = edit.start - lineStart;
  const line = text(lineStart, lineEnd).trim();
  const facts = [path, line, column, edit.rule, text(edit.start, edit.end), edit.after].join('\n');
  const count = seen.get(facts) ?? 0;
  seen.set(facts, count + 1);
  const id = createHash('sha256').update(`${facts}\n${count}`).digest('hex').slice(0, 12);
  const { rule, start, end, after } = edit;
  return { id, path, line: text(0, start).split('\n').length, rule, before: text(start, end), after, start, end };
}

function* editsOf(node: SyntaxNode, source: Buffer): Generator<Edit> {
  yield* ownEdits(node, source);
  for (const child of node.children) yield* editsOf(child, source);
}

function* ownEdits(node: SyntaxNode, source: Buffer): Generator<Edit> {
  const { kind, fields, start, end } = node;
  const text = source.subarray(start, end).toString();
  const replace = (rule: string, after: string, at: { start: number; end: number } = node): Edit => {
    return { rule, start: at.start, end: at.end, after };
  };
  if (kind === 'BinaryOperation') yield* operatorEdits(node, source, 'leftExpression', 'rightExpression');
  else if (kind === 'Assignment') yield* operatorEdits(node, source, 'leftHandSide', 'rightHandSide');
  else if (kind === 'UnaryOperation') yield* unaryEdits(node);
  else if (kind === 'IfStatement' || kind === 'Conditional') {
    const [condition] = nodesIn(fields['condition']);
    if (condition !== undefined) yield* ['true', 'false'].map((value) => replace('condition', value, condition));
  } else if (kind === 'Literal') yield* literalEdits(fields, text, replace);
  else if (kind === 'ExpressionStatement' || kind === 'EmitStatement' || kind === 'Continue') {
    yield replace('statement', text.endsWith(';') ? '0;' : '0');
  } else if (kind === 'FunctionCall') yield* swaps(nodesIn(fields['arguments']), source);
  else if (kind === 'FunctionDefinition' && fields['kind'] !== 'constructor') {
    yield* nodesIn(fields['modifiers']).map((modifier) => replace('modifier', '', modifier));
  } else if (kind === 'YulFunctionCall') {
    const [name] = nodesIn(fields['functionName']);
    const other = typeof name?.fields['name'] === 'string' ? YUL[name.fields['name']] : undefined;
    if (name !== undefined && other !== undefined) yield replace('yul', other, name);
  } else if (kind === 'YulLiteral' && fields['kind'] === 'number') {
    yield replace('yul constant', `0x${(BigInt(text) + 1n).toString(16)}`);
  } else if (kind === 'YulExpressionStatement' && !/^(revert|return|log)/.test(text))
    yield replace('yul statement', 'pop(0)');
}

function* operatorEdits(node: SyntaxNode, source: Buffer, left: string, right: string): Generator<Edit> {
  const [before] = nodesIn(node.fields[left]);
  const [after] = nodesIn(node.fields[right]);
  const operator = node.fields['operator'];
  if (before === undefined || after === undefined || typeof operator !== 'string') return;
  const start = source.indexOf(operator, before.end);
  if (start < 0 || start >= after.start) return;
  const others = node.kind === 'Assignment' ? [ASSIGNMENTS[operator] ?? ''] : (BINARY[operator] ?? []);
  for (const other of others) {
    if (other !== '') yield { rule: `${operator} to ${other}`, start, end: start + operator.length, after: other };
  }
}

function* unaryEdits({ fields, start, end }: SyntaxNode): Generator<Edit> {
  const operator = fields['operator'];
  const after = typeof operator === 'string' ? UNARY[operator] : undefined;
  if (typeof operator !== 'string' || after === undefined) return;
  const at = fields['prefix'] === true ? start : end - operator.length;
  yield { rule: `${operator} to ${after || 'nothing'}`, start: at, end: at + operator.length, after };
}

function* literalEdits(
  fields: Readonly<Record<string, unknown>>,
  text: string,
  replace: (rule: string, after: string) => Edit,
): Generator<Edit> {
  if (fields['kind'] === 'bool') yield replace('constant', text === 'true' ? 'false' : 'true');
  if (fields['kind'] !== 'number') return;
  yield replace('constant', `(${text} + 1)`);
  if (text !== '0') yield replace('constant', `(${text} - 1)`);
}

function* swaps(callArguments: readonly SyntaxNode[], source: Buffer): Generator<Edit> {
  const text = ({ start, end }: { start: number; end: number }) => source.subarray(start, end).toString();
  for (const [index, first] of callArguments.entries()) {
    const second = callArguments[index + 1];
    if (second === undefined || text(first) === text(second)) continue;
    const between = text({ start: first.end, end: second.start });
    yield {
      ...{ rule: 'swapped arguments', start: first.start, end: second.end },
      after: `${text(second)}${between}${text(first)}`,
    };
  }
}
