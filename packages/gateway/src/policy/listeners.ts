import {
  type Findings,
  type ListenerPolicy,
  type PolicyDocument,
  TRUST_ZONES,
  type TrustZone,
  ZONE_PRESETS,
} from "@wardline/policy-types";

/** One door with its defaults filled in. */
export interface Door {
  /** `main` for `listen`. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly zones: ReadonlySet<TrustZone>;
  readonly tls?: NonNullable<ListenerPolicy["tls"]> & {
    readonly clientCertificates: "none" | "requested" | "required";
  };
}

const DEFAULT_HOST = "127.0.0.1";
const DEFAULT_PORT = 8080;

/** All doors of a policy, the main one first. */
export function doorsOf({
  listen = {},
  listeners = {},
  routes,
}: Pick<PolicyDocument, "listen" | "listeners" | "routes">): readonly Door[] {
  const used = new Set(routes.map(({ zone }) => zone));
  const door = (name: string, listener: ListenerPolicy, zones: readonly TrustZone[]): Door =>
    openDoor(name, listener, zones, used);
  const others = Object.entries(listeners).map(([name, listener]) => door(name, listener, listener.zones ?? []));
  const taken = new Set(others.flatMap(({ zones }) => [...zones]));
  const left = listen.zones ?? TRUST_ZONES.filter((zone) => !taken.has(zone));
  return [door("main", listen, left), ...others];
}

function openDoor(
  name: string,
  { host, port, tls }: ListenerPolicy,
  zones: readonly TrustZone[],
  used: ReadonlySet<TrustZone>,
): Door {
  const demands = zones.some((zone) => used.has(zone) && ZONE_PRESETS[zone].clientCertificate === "required");
  return {
    name,
    host: host ?? DEFAULT_HOST,
    port: port ?? DEFAULT_PORT,
    zones: new Set(zones),
    ...(tls === undefined
      ? {}
      : { tls: { ...tls, clientCertificates: tls.clientCertificates ?? (demands ? "required" : "none") } }),
  };
}

/** Whether every zone that is used has a door, and a door that meets what the zone demands. */
export function checkDoors(policy: PolicyDocument, found: Findings): void {
  const doors = doorsOf(policy);
  for (const [index, { zone }] of policy.routes.entries()) {
    if (!doors.some(({ zones }) => zones.has(zone))) {
      found.add(
        `routes[${index}].zone`,
        "no-door",
        `no listener has the ${zone} zone; add it to a listener's \`zones\``,
      );
    }
  }
  const used = new Set(policy.routes.map(({ zone }) => zone));
  for (const one of doors) checkCertificates(one, policy, used, found);
  const places = doors.filter(({ port }) => port !== 0).map(({ host, port }) => `${host}:${port}`);
  for (const place of new Set(places.filter((at, index) => places.indexOf(at) !== index))) {
    found.add("listeners", "repeated", `two listeners take ${place}; give each its own port`);
  }
}

function checkCertificates(
  { name, zones, tls }: Door,
  policy: PolicyDocument,
  used: ReadonlySet<TrustZone>,
  found: Findings,
): void {
  const path = name === "main" ? "listen" : `listeners.${name}`;
  if (tls !== undefined && tls.clientCertificates !== "none" && tls.clientCa === undefined) {
    found.add(`${path}.tls.clientCa`, "missing", "name the authorities whose client certificates count");
  }
  const demanding = [...zones].filter((zone) => used.has(zone) && ZONE_PRESETS[zone].clientCertificate === "required");
  if (demanding.length === 0) return;
  const what = `the ${demanding.join(" and ")} zone`;
  if (tls === undefined) {
    const isTerminated = policy.clientCertificateHeader !== undefined && (policy.trustedProxies ?? []).length > 0;
    if (isTerminated) return;
    const message = `${what} demands client certificates; give this listener \`tls\` with \`clientCa\`, or name the terminator in \`trustedProxies\` and its \`clientCertificateHeader\``;
    found.add(`${path}.tls`, "certificates-needed", message);
  } else if (tls.clientCertificates !== "required") {
    const message = `${what} demands client certificates; write \`required\`, or give the zone a listener of its own`;
    found.add(`${path}.tls.clientCertificates`, "certificates-needed", message);
  }
}
