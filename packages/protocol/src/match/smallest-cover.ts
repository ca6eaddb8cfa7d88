/** Sets tried before the search settles for a set that covers enough but may not be the smallest. */
const MAX_TRIED = 20_000;

/**
 * The smallest set of groups that together have at least `wanted` different members; the largest groups first, equal
 * ones by name. Exact, unless members sit in so many groups at once that more than 20,000 sets would have to be tried
 * (a hostile book can make up such asks): then the set found by always adding what helps most.
 * @returns names of groups, or undefined if all of them together have too few members
 */
export function smallestCover(
  groups: ReadonlyMap<string, ReadonlySet<string>>,
  wanted: number,
): readonly string[] | undefined {
  const ordered = [...groups].sort(([a, one], [b, other]) => other.size - one.size || (a < b ? -1 : 1));
  const greedy = greedyCover(ordered, wanted);
  if (greedy === undefined) return undefined;
  let tried = 0;

  const search = (start: number, left: number, covered: ReadonlySet<string>): readonly string[] | undefined => {
    if (covered.size >= wanted) return [];
    for (let at = start; at + left <= ordered.length; at += 1) {
      const most = ordered.slice(at, at + left).reduce((sum, [, members]) => sum + members.size, covered.size);
      const group = ordered[at];
      tried += 1;
      if (most < wanted || group === undefined || tried > MAX_TRIED) return undefined;
      const rest = search(at + 1, left - 1, covered.union(group[1]));
      if (rest !== undefined) return [group[0], ...rest];
    }
    return undefined;
  };

  for (let size = 1; size < greedy.length; size += 1) {
    const found = search(0, size, new Set());
    if (found !== undefined) return found;
  }
  return greedy;
}

function greedyCover(
  ordered: readonly (readonly [string, ReadonlySet<string>])[],
  wanted: number,
): readonly string[] | undefined {
  const names: string[] = [];
  let covered: ReadonlySet<string> = new Set();
  while (covered.size < wanted) {
    let most = 0;
    let best: readonly [string, ReadonlySet<string>] | undefined;
    for (const group of ordered) {
      const gain = group[1].difference(covered).size;
      if (gain > most) [most, best] = [gain, group];
    }
    if (best === undefined) return undefined;
    names.push(best[0]);
    covered = covered.union(best[1]);
  }
  return names;
}
