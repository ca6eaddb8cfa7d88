import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type ParsedNode,
  parseDocument,
  type YAMLMap,
} from 'yaml';

/** 1-based; the column counts UTF-16 units. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A YAML value that remembers where it stands. */
export type Located =
  | { readonly kind: 'map'; readonly at: Position; readonly entries: ReadonlyMap<string, LocatedEntry> }
  | { readonly kind: 'list'; readonly at: Position; readonly items: readonly Located[] }
  | { readonly kind: 'scalar'; readonly at: Position; readonly value: ScalarValue; readonly source: string };

export interface LocatedEntry {
  readonly keyAt: Position;
  readonly value: Located;
}

export type ScalarValue = string | number | boolean | null;

/** Where the text stops being YAML that we read, and why. */
export interface YamlProblem {
  readonly at: Position;
  readonly text: string;
  readonly kind: 'syntax' | 'documents';
}

export type YamlResult = { readonly root: Located } | { readonly problems: readonly YamlProblem[] };

const maxDepth = 16;
/** Aliases may repeat what an anchor holds; the count is of values after that. */
const maxValues = 20_000;

/**
 * Reads one YAML 1.2 document (core schema, merge keys) and keeps the line and column of every value. Duplicate keys,
 * unknown tags, keys that are no plain scalars, and aliases that would blow the document up are problems.
 */
export function readYaml(text: string): YamlResult {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    uniqueKeys: false, // the library compares each key with each other one; `Reader` does it by hash
    prettyErrors: false,
    logLevel: 'error', // with 'silent' it says nothing of further documents
  });
  const problems = [...document.errors, ...document.warnings].map(
    (error): YamlProblem => ({
      at: positionAt(lines, error.pos[0]),
      text: error.message.split('\n')[0] ?? error.code,
      kind: error.code === 'MULTIPLE_DOCS' ? 'documents' : 'syntax',
    }),
  );
  if (problems.length > 0) return { problems };
  const reader = new Reader(lines);
  const root = reader.read(document);
  return reader.problems.length > 0 ? { problems: reader.problems } : { root };
}

/** The value at `path`, or the deepest one on the way that exists. `key` is where its key stands, if it has one. */
export function locate(
  root: Located,
  path: readonly PropertyKey[],
): { readonly value: Located; readonly key: Position } {
  let value = root;
  let key = root.at;
  for (const step of path) {
    if (value.kind === 'map' && typeof step === 'string') {
      const entry = value.entries.get(step);
      if (entry === undefined) break;
      ({ keyAt: key, value } = entry);
    } else if (value.kind === 'list' && typeof step === 'number') {
      const item = value.items[step];
      if (item === undefined) break;
      value = item;
      key = item.at;
    } else break;
  }
  return { value, key };
}

function positionAt(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

class Reader {
  readonly problems: YamlProblem[] = [];
  readonly #lines: LineCounter;
  readonly #anchors = new Map<string, Located>();
  #values = 0;

  constructor(lines: LineCounter) {
    this.#lines = lines;
  }

  read(document: Document.Parsed): Located {
    return this.#value(document.contents, 0, { line: 1, column: 1 });
  }

  #problem(at: Position, text: string): void {
    this.problems.push({ at, text, kind: 'syntax' });
  }

  #value(node: ParsedNode | null, depth: number, fallback: Position): Located {
    const at = node === null ? fallback : positionAt(this.#lines, node.range[0]);
    const nothing: Located = { kind: 'scalar', at, value: null, source: '' };
    this.#values += 1;
    if (this.#values > maxValues) {
      if (this.#values === maxValues + 1) this.#problem(at, `more than ${maxValues} values`);
      return nothing;
    }
    if (depth > maxDepth) {
      this.#problem(at, `nested deeper than ${maxDepth} levels`);
      return nothing;
    }
    if (node === null) return nothing;
    if (isAlias(node)) return this.#alias(node, at) ?? nothing;
    const located = isScalar(node)
      ? this.#scalar(node.value, node.source ?? '', at)
      : this.#collection(node, depth, at);
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, located);
    return located;
  }

  #scalar(value: unknown, source: string, at: Position): Located {
    if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
      return { kind: 'scalar', at, value, source: typeof value === 'string' ? value : source };
    }
    this.#problem(at, 'a value of a kind that job files do not have');
    return { kind: 'scalar', at, value: null, source: '' };
  }

  #collection(node: ParsedNode, depth: number, at: Position): Located {
    if (isMap(node)) return this.#map(node, depth, at);
    if (isSeq(node)) {
      return { kind: 'list', at, items: node.items.map((item) => this.#value(item, depth + 1, at)) };
    }
    return this.#scalar(undefined, '', at);
  }

  #map(node: YAMLMap.Parsed, depth: number, at: Position): Located {
    const entries = new Map<string, LocatedEntry>();
    const merged: Located[] = [];
    for (const pair of node.items) {
      const keyAt = positionAt(this.#lines, pair.key.range[0]);
      const key = isScalar(pair.key) && pair.key.tag === undefined ? pair.key : undefined;
      const value = this.#value(pair.value, depth + 1, keyAt);
      if (key === undefined) {
        this.#problem(keyAt, 'a key that is no plain text');
        continue;
      }
      const name = typeof key.value === 'string' ? key.value : (key.source ?? '');
      if (name === '<<' && key.type === 'PLAIN') merged.push(...(value.kind === 'list' ? value.items : [value]));
      else if (name === '__proto__') this.#problem(keyAt, 'a key that is not allowed');
      else if (entries.has(name)) this.#problem(keyAt, `the key ${JSON.stringify(name.slice(0, 60))} appears twice`);
      else entries.set(name, { keyAt, value });
    }
    for (const source of merged) this.#merge(source, entries);
    return { kind: 'map', at, entries };
  }

  #merge(source: Located, into: Map<string, LocatedEntry>): void {
    if (this.#values > maxValues) return;
    if (source.kind !== 'map') {
      this.#problem(source.at, 'the merge key << needs a map');
      return;
    }
    for (const [name, entry] of source.entries) if (!into.has(name)) into.set(name, entry);
  }

  #alias(node: Alias.Parsed, at: Position): Located | undefined {
    const target = this.#anchors.get(node.source);
    // An anchor is known once its value ends, so a value that holds itself ends up here too.
    if (target !== undefined) return this.#count(target, at) ? target : undefined;
    this.#problem(at, `no value is anchored as &${node.source.slice(0, 60)} before this`);
    return undefined;
  }

  /** Counts what an alias repeats; stops as soon as the limit is passed, so that the count itself stays small. */
  #count(target: Located, at: Position): boolean {
    const queue = [target];
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      this.#values += 1;
      if (this.#values > maxValues) {
        if (this.#values === maxValues + 1) this.#problem(at, `aliases make more than ${maxValues} values`);
        return false;
      }
      if (next.kind === 'list') queue.push(...next.items);
      if (next.kind === 'map') for (const entry of next.entries.values()) queue.push(entry.value);
    }
    return true;
  }
}
