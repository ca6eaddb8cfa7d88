import { createRequire } from 'node:module';
import { z } from 'zod';

/** A node of solc's syntax tree: its kind, where it lies in the source (bytes), and whatever else it has. */
export interface SyntaxNode {
  readonly kind: string;
  readonly start: number;
  readonly end: number;
  /** The node's other fields, as solc gives them. */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly children: readonly SyntaxNode[];
}

const compilerSchema = z.object({
  compile: z.custom<(input: string) => string>((value) => typeof value === 'function'),
});
const outputSchema = z.object({ sources: z.record(z.string(), z.object({ ast: z.unknown() })) });
const nodeSchema = z.looseObject({ nodeType: z.string(), src: z.string().regex(/^\d+:\d+:\d+$/) });

/**
 * Syntax trees as solc makes them, without names being resolved or types checked.
 * @param sources text by path
 * @throws ZodError if one of them is no Solidity
 */
export function parseSolidity(sources: ReadonlyMap<string, string>): Map<string, SyntaxNode> {
  const input = {
    language: 'Solidity',
    sources: Object.fromEntries([...sources].map(([path, content]) => [path, { content }])),
    settings: { stopAfter: 'parsing', outputSelection: { '*': { '': ['ast'] } } },
  };
  const solc = compilerSchema.parse(createRequire(import.meta.url)('solc'));
  const output = outputSchema.parse(JSON.parse(solc.compile(JSON.stringify(input))));
  const trees = new Map<string, SyntaxNode>();
  for (const [path, { ast }] of Object.entries(output.sources)) {
    const [tree] = nodesIn(ast);
    if (tree !== undefined) trees.set(path, tree);
  }
  return trees;
}

/** The nodes in a value of the tree, outermost only, in the order of the source. */
export function nodesIn(value: unknown): SyntaxNode[] {
  if (Array.isArray(value)) return value.flatMap(nodesIn);
  if (typeof value !== 'object' || value === null) return [];
  const parsed = nodeSchema.safeParse(value);
  if (!parsed.success) return [];
  const { nodeType, src, ...fields } = parsed.data;
  const [start = 0, length = 0] = src.split(':').map(Number);
  const children = Object.values(fields).flatMap(nodesIn);
  children.sort((a, b) => a.start - b.start);
  return [{ kind: nodeType, start, end: start + length, fields, children }];
}
