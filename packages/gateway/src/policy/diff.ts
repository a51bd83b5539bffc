import type { PolicyDocument, RoutePolicy } from "@wardline/policy-types";

/** One difference between two policies, in words for whoever approves it. */
export interface PolicyChange {
  /** `permits`: something refused before is permitted now. `refuses`: the reverse. `changes`: neither, or both. */
  readonly effect: "permits" | "refuses" | "changes";
  readonly path: string;
  readonly text: string;
}

/** Members whose entries are permissions: one more permits, one fewer refuses. */
const PERMISSIONS = new Set([
  "interactions",
  "operations",
  "types",
  "supportTypes",
  "extraParameters",
  "audience",
  "algorithms",
  "trustedProxies",
  "scopes",
  "pages",
  "assertionAudience",
  "assertionAlgorithms",
]);
/** Absent, these permit everything; so a list that appears refuses, and one that goes permits. */
const ALL_WHEN_ABSENT = new Set(["types", "clients"]);
/** Numbers of which more permits more. */
const MORE_PERMITS =
  /(?:limit|concurrency|connections|maxLifetimeSeconds|leewaySeconds|BodyBytes|maxCount|maxIncludes|maxChain|concurrent)$/i;
/** Weaker settings first. */
const STRICTNESS: Readonly<Record<string, readonly unknown[]>> = {
  assertions: ["listed", "all"],
  development: [true, false],
  allowLegacyTyp: [true, false],
  allowLenient: [true, false],
  compartmentRule: ["full", "subject"],
  durability: ["async", "before-response"],
  onFailure: ["continue", "refuse"],
  resources: ["off", "report", "refuse"],
  queries: ["off", "report", "refuse"],
  exampleFaults: ["report", "refuse"],
};
const DEFAULTS: Readonly<Record<string, unknown>> = {
  assertions: "listed",
  development: false,
  allowLegacyTyp: false,
  allowLenient: false,
  compartmentRule: "subject",
  durability: "before-response",
  onFailure: "refuse",
  resources: "refuse",
  queries: "refuse",
  exampleFaults: "report",
  maxCount: 1000,
  maxIncludes: 10,
  maxChain: 3,
};

/** What is newly permitted, newly refused, or otherwise different. Requires two complete policies. */
export function diffPolicies(before: PolicyDocument, after: PolicyDocument): readonly PolicyChange[] {
  const { routes: routesBefore, ...restBefore } = before;
  const { routes: routesAfter, ...restAfter } = after;
  return [...diffRoutes(routesBefore, routesAfter), ...diffValue("", restBefore, restAfter)];
}

function diffRoutes(before: readonly RoutePolicy[], after: readonly RoutePolicy[]): PolicyChange[] {
  const ids = [...new Set([...before, ...after].map(({ id }) => id))];
  return ids.flatMap((id): PolicyChange[] => {
    const [old, now] = [before.find((route) => route.id === id), after.find((route) => route.id === id)];
    const path = `routes.${id}`;
    if (old === undefined && now !== undefined) {
      const text = `a new route ${now.path} of the ${now.zone} zone permits ${whatOf(now)}`;
      return [{ effect: "permits", path, text }];
    }
    if (old !== undefined && now === undefined) {
      return [{ effect: "refuses", path, text: `the route ${old.path} of the ${old.zone} zone is gone` }];
    }
    return diffValue(path, old, now);
  });
}

function whatOf({ openApi, interactions }: RoutePolicy): string {
  if (openApi === undefined) return interactions.join(", ");
  return `what ${openApi.file} declares, to ${openApi.roles.join(", ")}`;
}

function diffValue(path: string, before: unknown, after: unknown): PolicyChange[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  const name = path.split(".").at(-1) ?? "";
  if (PERMISSIONS.has(name) || /^routes\.[^.]+\.clients$/.test(path)) return diffList(path, name, before, after);
  const lists = [before, after].some(Array.isArray);
  if (!lists && isRecord(before ?? {}) && isRecord(after ?? {}) && (isRecord(before) || isRecord(after))) {
    const [old, now] = [(before ?? {}) as Record<string, unknown>, (after ?? {}) as Record<string, unknown>];
    return [...new Set([...Object.keys(old), ...Object.keys(now)])].flatMap((key) =>
      diffValue(path === "" ? key : `${path}.${key}`, old[key], now[key]),
    );
  }
  if (lists && [before, after].every((value) => value === undefined || isNamedList(value))) {
    return diffValue(path, byName(before), byName(after));
  }
  return [{ effect: effectOf(name, before, after), path, text: `${path}: ${show(before)} becomes ${show(after)}` }];
}

function diffList(path: string, name: string, before: unknown, after: unknown): PolicyChange[] {
  const [old, now] = [listOf(before), listOf(after)];
  if (ALL_WHEN_ABSENT.has(name) && (before === undefined) !== (after === undefined)) {
    return before === undefined
      ? [{ effect: "refuses", path, text: `${path} is limited to ${now.join(", ")}` }]
      : [{ effect: "permits", path, text: `${path} is no longer limited to ${old.join(", ")}` }];
  }
  return [
    ...now
      .filter((item) => !old.includes(item))
      .map((item): PolicyChange => ({ effect: "permits", path, text: `${path} gains ${item}` })),
    ...old
      .filter((item) => !now.includes(item))
      .map((item): PolicyChange => ({ effect: "refuses", path, text: `${path} loses ${item}` })),
  ];
}

function effectOf(name: string, before: unknown, after: unknown): PolicyChange["effect"] {
  const order = STRICTNESS[name];
  const [old, now] = [before ?? DEFAULTS[name], after ?? DEFAULTS[name]];
  if (order !== undefined) {
    const [was, is] = [order.indexOf(old), order.indexOf(now)];
    if (was === is) return "changes";
    return is < was ? "permits" : "refuses";
  }
  if (MORE_PERMITS.test(name) && typeof old === "number" && typeof now === "number" && old !== now) {
    return now > old ? "permits" : "refuses";
  }
  return "changes";
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

/** A list whose entries name themselves is compared by name, so that an entry in between shifts nothing. */
function isNamedList(value: unknown): value is Record<string, unknown>[] {
  return Array.isArray(value) && value.every((item) => isRecord(item) && nameOf(item) !== undefined);
}

function nameOf(item: Record<string, unknown>): string | undefined {
  const name = item["id"] ?? item["name"] ?? item["issuer"] ?? item["clientId"];
  return typeof name === "string" ? name : undefined;
}

function byName(value: unknown): Record<string, unknown> | undefined {
  if (!isNamedList(value)) return undefined;
  return Object.fromEntries(value.map((item) => [nameOf(item) ?? "", item]));
}

function listOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function show(value: unknown): string {
  return value === undefined ? "(not set)" : JSON.stringify(value);
}
