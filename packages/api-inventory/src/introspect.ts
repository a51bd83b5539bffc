/** Where a mounted route can be reached, in Express spelling. */
export interface MountedRoute {
  /** `GET`, or `ALL`. */
  readonly method: string;
  /** `/patients/:id`. A part that Express does not tell is `{mount}`. */
  readonly path: string;
}

/** What is read of a layer of either router: Express 4 keeps a regular expression, Express 5 keeps the path since router 2.3. */
interface Layer {
  readonly name?: string;
  readonly slash?: boolean;
  readonly rawPath?: unknown;
  readonly regexp?: RegExp & { readonly fast_slash?: boolean };
  readonly keys?: readonly { readonly name: string | number }[];
  readonly handle?: unknown;
  readonly route?: { readonly path: unknown; readonly methods: Readonly<Record<string, boolean>> };
}

const UNKNOWN = "{mount}";
const MAX_DEPTH = 20;
const MAX_ROUTES = 10_000;

/**
 * Lists the routes mounted in an Express 4 or 5 application or router. Reads Express's own tables and changes nothing.
 *
 * Does NOT see what a plain middleware answers, nor into an application mounted in another one: give that one too.
 */
export function mountedRoutes(app: unknown): readonly MountedRoute[] {
  const found: MountedRoute[] = [];
  const base = isRecord(app) && typeof app["path"] === "function" ? String((app["path"] as () => unknown)()) : "";
  walk(stackOf(app), base, 0, found);
  return found;
}

function walk(stack: readonly Layer[], base: string, depth: number, found: MountedRoute[]): void {
  if (depth > MAX_DEPTH) return;
  for (const layer of stack) {
    if (found.length >= MAX_ROUTES) return;
    if (layer.route === undefined) {
      const below = stackOf(layer.handle);
      if (below.length > 0) for (const mount of mountsOf(layer)) walk(below, `${base}${mount}`, depth + 1, found);
      continue;
    }
    const methods = Object.keys(layer.route.methods).filter((method) => layer.route?.methods[method] === true);
    for (const path of textsOf(layer.route.path)) {
      for (const method of methods) found.push({ method: methodName(method), path: tidy(`${base}${path}`) });
    }
  }
}

function methodName(method: string): string {
  return method === "_all" ? "ALL" : method.toUpperCase();
}

/** The table of an application (4: `_router`, 5: `router`) or of a router. */
function stackOf(owner: unknown): readonly Layer[] {
  if (!isRecord(owner)) return [];
  if (Array.isArray(owner["stack"])) return owner["stack"] as Layer[];
  // Express 4 throws when `router` is read of an application.
  const router = Object.hasOwn(owner, "_router") ? owner["_router"] : ownRouter(owner);
  return isRecord(router) && Array.isArray(router["stack"]) ? (router["stack"] as Layer[]) : [];
}

function ownRouter(owner: Record<string, unknown>): unknown {
  try {
    return owner["router"];
  } catch {
    return undefined;
  }
}

function mountsOf(layer: Layer): readonly string[] {
  if (layer.slash === true || layer.regexp?.fast_slash === true) return [""];
  if (layer.rawPath !== undefined) return textsOf(layer.rawPath);
  return [layer.regexp === undefined ? `/${UNKNOWN}` : mountOfRegexp(layer)];
}

/** Express 4 compiles `/api/:org` to `^\/api(?:\/([^\/]+?))\/?(?=\/|$)`, or with the slash before the group. */
function mountOfRegexp({ regexp, keys = [] }: Layer): string {
  let key = 0;
  const path = (regexp?.source ?? "")
    .replace(/^\^/, "")
    .replace(/\\\/\?\(\?=\\\/\|\$\)$/, "")
    .replaceAll(/\(\?:(\\\/)?\(\[\^\\?\/\]\+\?\)\)/g, (_all, slash: string | undefined) => {
      const { name = "param" } = keys[key++] ?? {};
      return `${slash === undefined ? "" : "/"}:${name}`;
    })
    .replaceAll(/\\([/.\-_~$])/g, "$1");
  return /^(?:\/[A-Za-z0-9:._~$-]+)+$/.test(path) ? path : `/${UNKNOWN}`;
}

function textsOf(path: unknown): readonly string[] {
  if (Array.isArray(path)) return path.flatMap(textsOf);
  return [typeof path === "string" ? path : `/${UNKNOWN}`];
}

function tidy(path: string): string {
  const joined = path.replaceAll(/\/{2,}/g, "/");
  return joined.length > 1 && joined.endsWith("/") ? joined.slice(0, -1) : joined || "/";
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}
