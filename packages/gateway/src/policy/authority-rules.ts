import { type Findings, nearest, type PolicyDocument, ZONE_PRESETS } from "@wardline/policy-types";
import { parseScope } from "@wardline/smart-auth";
import { checkTypes } from "./types.ts";

/** Who may do what: scopes that can be enforced and are narrow, rules that speak of what exists. */
export function checkAuthority(policy: PolicyDocument, found: Findings): void {
  checkClients(policy, found);
  checkDeviceScopes(policy, found);
  checkConditions(policy, found);
  checkCallers(policy, found);
}

const CHANGES = new Set(["c", "u", "d"]);

function checkClients({ clients = [] }: PolicyDocument, found: Findings): void {
  const seen = new Set<string>();
  for (const [index, { clientId, issuer, scopes }] of clients.entries()) {
    const name = JSON.stringify([issuer, clientId]);
    if (seen.has(name)) {
      found.add(
        `clients[${index}].clientId`,
        "repeated",
        `\`${clientId}\` is registered twice; give one entry all scopes`,
      );
    }
    seen.add(name);
    for (const [at, text] of scopes.entries()) {
      const path = `clients[${index}].scopes[${at}]`;
      const scope = scopeAt(text, path, found);
      // Everything may be read by a patient's own app; nobody writes everything.
      if (scope?.type !== "*" || !scope.letters.some((letter) => CHANGES.has(letter))) continue;
      const message = `\`${text}\` may change every type; name the types, as in \`${scope.context}/Observation.c\`, and \`${scope.context}/*.rs\` to read`;
      found.add(path, "too-wide", message);
    }
  }
}

function checkDeviceScopes({ devices = [] }: PolicyDocument, found: Findings): void {
  const seen = new Set<string>();
  for (const [index, { name, scopes }] of devices.entries()) {
    if (seen.has(name)) {
      found.add(
        `devices[${index}].name`,
        "repeated",
        `two classes of devices are called \`${name}\`; give each its own name`,
      );
    }
    seen.add(name);
    for (const [at, text] of scopes.entries()) {
      const path = `devices[${index}].scopes[${at}]`;
      const scope = scopeAt(text, path, found);
      if (scope !== undefined && scope.context !== "system") {
        found.add(path, "context", "a device acts for itself; write `system/Observation.c`");
      } else if (scope?.type === "*") {
        found.add(path, "too-wide", "a device has a closed list of types; name them, as in `system/Observation.c`");
      }
    }
  }
}

function scopeAt(text: string, path: string, found: Findings): ReturnType<typeof parseScope> {
  const scope = parseScope(text);
  if (scope === undefined) {
    const message = `\`${text}\` is no SMART scope that can be enforced; write \`patient/Observation.rs\``;
    found.add(path, "not-a-scope", message);
  }
  return scope;
}

function checkConditions({ conditions = [], routes, consent }: PolicyDocument, found: Findings): void {
  const categories = (consent?.categories ?? []).map(({ name }) => name);
  const ids = new Set<string>();
  for (const [index, { id, effect, on = {}, when, categories: withheld }] of conditions.entries()) {
    const path = `conditions[${index}]`;
    if (ids.has(id)) found.add(`${path}.id`, "repeated", `two conditions have the id \`${id}\`; give each its own`);
    ids.add(id);
    checkTypes(on.types, `${path}.on.types`, found);
    for (const route of on.routes ?? []) {
      known(
        route,
        routes.map((one) => one.id),
        `${path}.on.routes`,
        "route",
        found,
      );
    }
    for (const zone of on.zones ?? []) {
      if (routes.some((route) => route.zone === zone)) continue;
      found.add(`${path}.on.zones`, "unused", `no route lies in the ${zone} zone; remove it, or add the route`);
    }
    if ((withheld !== undefined) !== (effect === "withhold")) {
      const message = "belongs to `effect: withhold`, and only to it: which data stay behind";
      found.add(`${path}.categories`, "mismatch", message);
    }
    for (const name of withheld ?? []) known(name, categories, `${path}.categories`, "consent category", found);
    const { hours } = when;
    if (hours !== undefined && !isTimeZone(hours.timeZone)) {
      const message = `\`${hours.timeZone}\` is no IANA time zone; write \`America/Chicago\``;
      found.add(`${path}.when.hours.timeZone`, "unknown-name", message);
    }
    if (hours !== undefined && hours.from === hours.to) {
      found.add(`${path}.when.hours.to`, "empty", "ends when it begins; write two different times");
    }
  }
}

/** Lists of clients on routes: of those who have a client id, and were let in at all. */
function checkCallers({ clients, routes }: PolicyDocument, found: Findings): void {
  for (const [index, { zone, clients: callers = [] }] of routes.entries()) {
    const path = `routes[${index}].clients`;
    if (callers.length > 0 && ZONE_PRESETS[zone].authentication === "device-certificate") {
      found.add(path, "mismatch", "devices have no client id; say in `devices` which of them may call");
      continue;
    }
    if (clients === undefined) continue;
    const names = [...new Set(clients.map(({ clientId }) => clientId))];
    for (const client of callers) known(client, names, path, "client", found);
  }
}

function known(name: string, names: readonly string[], path: string, what: string, found: Findings): void {
  if (names.includes(name)) return;
  const near = nearest(name, names);
  const others = names.length === 0 ? "none is declared" : `known ones are ${names.join(", ")}`;
  found.add(
    path,
    "unknown-name",
    `there is no ${what} \`${name}\`, ${near === undefined ? others : `did you mean \`${near}\`?`}`,
  );
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
