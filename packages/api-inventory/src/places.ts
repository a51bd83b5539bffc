/**
 * Who lies at a path, or above it. What a look-up costs goes with the path asked and not with how many there are: a gateway has a
 * thousand routes and asks for each request.
 */

interface Place<Value> {
  readonly named: Map<string, Place<Value>>;
  /** Below `:name`: one segment of anything. */
  any: Place<Value> | undefined;
  /** With the order in which they were given. */
  readonly here: (readonly [order: number, value: Value])[];
}

/**
 * By Express's spelling of a route: literal segments as they are, `:name` for one segment of anything but nothing.
 *
 * @returns all that match a path, in the order given
 */
export function byRoute<Value extends { readonly path: string }>(
  values: readonly Value[],
): (path: string) => readonly Value[] {
  const root = place<Value>();
  for (const [order, value] of values.entries()) {
    let at = root;
    for (const segment of segmentsOf(value.path)) at = segment.startsWith(":") ? anyBelow(at) : namedBelow(at, segment);
    at.here.push([order, value]);
  }
  return (path) => {
    const found: (readonly [number, Value])[] = [];
    collect(root, segmentsOf(path), 0, found);
    return found.sort(([one], [other]) => one - other).map(([, value]) => value);
  };
}

function place<Value>(): Place<Value> {
  return { named: new Map(), any: undefined, here: [] };
}

function anyBelow<Value>(at: Place<Value>): Place<Value> {
  at.any ??= place();
  return at.any;
}

function namedBelow<Value>(at: Place<Value>, segment: string): Place<Value> {
  const below = at.named.get(segment) ?? place<Value>();
  at.named.set(segment, below);
  return below;
}

/** As deep as the routes are, and no deeper. */
function collect<Value>(
  at: Place<Value>,
  segments: readonly string[],
  depth: number,
  found: (readonly [number, Value])[],
): void {
  const segment = segments[depth];
  if (segment === undefined) {
    found.push(...at.here);
    return;
  }
  const named = at.named.get(segment);
  if (named !== undefined) collect(named, segments, depth + 1, found);
  if (at.any !== undefined && segment !== "") collect(at.any, segments, depth + 1, found);
}

function segmentsOf(path: string): string[] {
  const bare = path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
  return bare.split("/").slice(1);
}

/**
 * By base: `/fhir` has `/fhir` and all below it, `/` has everything.
 *
 * @returns all above a path, the longest base first, those of one base in the order given
 */
export function byBase<Value extends { readonly path: string }>(
  values: readonly Value[],
): (path: string) => readonly Value[] {
  const bases = new Map<string, Value[]>();
  for (const value of values) bases.set(value.path, [...(bases.get(value.path) ?? []), value]);
  const longest = Math.max(0, ...[...bases.keys()].map(({ length }) => length));
  return (path) => {
    const found = path.length > longest ? [] : [...(bases.get(path) ?? [])];
    // Not beyond the longest base, however many slashes somebody sends.
    for (let end = path.lastIndexOf("/", longest); end > 1; end = path.lastIndexOf("/", end - 1)) {
      found.push(...(bases.get(path.slice(0, end)) ?? []));
    }
    if (path !== "/") found.push(...(bases.get("/") ?? []));
    return found;
  };
}
