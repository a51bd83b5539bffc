import {
  type Findings,
  type ListenerPolicy,
  type PolicyDocument,
  type TlsIdentityPolicy,
  type TlsPolicy,
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
  readonly tls?: DoorTls;
}

type Demand = "none" | "requested" | "required";

/** With what each name demands of clients. */
export interface DoorTls extends Omit<TlsPolicy, "names"> {
  readonly clientCertificates: Demand;
  readonly names: Readonly<Record<string, TlsIdentityPolicy & { readonly clientCertificates: Demand }>>;
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
    ...(tls === undefined ? {} : { tls: doorTls(tls, demands ? "required" : "none") }),
  };
}

/** @param usual what is demanded where nothing else is written */
export function doorTls({ names = {}, ...tls }: TlsPolicy, usual: Demand): DoorTls {
  return {
    ...tls,
    clientCertificates: tls.clientCertificates ?? usual,
    names: Object.fromEntries(
      Object.entries(names).map(([name, identity]) => [
        name,
        { ...identity, clientCertificates: identity.clientCertificates ?? usual },
      ]),
    ),
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
  const { plaintext, publicOrigin } = policy;
  if (plaintext?.redirect === true && !publicOrigin.startsWith("https://")) {
    found.add("plaintext.redirect", "not-https", "write a `publicOrigin` that begins with https://, or refuse");
  }
  const ports = plaintext === undefined ? doors : [...doors, { host: DEFAULT_HOST, ...plaintext }];
  const places = ports.filter(({ port }) => port !== 0).map(({ host, port }) => `${host}:${port}`);
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
  const identities = tls === undefined ? [] : identitiesOf(tls, `${path}.tls`);
  for (const [at, { clientCertificates, clientCa }] of identities) {
    if (clientCertificates !== "none" && clientCa === undefined) {
      found.add(`${at}.clientCa`, "missing", "name the authorities whose client certificates count");
    }
  }
  const demanding = [...zones].filter((zone) => used.has(zone) && ZONE_PRESETS[zone].clientCertificate === "required");
  if (demanding.length === 0) return;
  const what = `the ${demanding.join(" and ")} zone`;
  if (tls === undefined) {
    const isTerminated = policy.clientCertificateHeader !== undefined && (policy.trustedProxies ?? []).length > 0;
    if (isTerminated) return;
    const message = `${what} demands client certificates; give this listener \`tls\` with \`clientCa\`, or name the terminator in \`trustedProxies\` and its \`clientCertificateHeader\``;
    found.add(`${path}.tls`, "certificates-needed", message);
    return;
  }
  const message = `${what} demands client certificates; write \`required\`, or give the zone a listener of its own`;
  for (const [at, { clientCertificates }] of identities) {
    if (clientCertificates !== "required") found.add(`${at}.clientCertificates`, "certificates-needed", message);
  }
}

/** What a door shows and asks, and what each of its names does: what one demands, no other name may walk around. */
function identitiesOf(
  tls: DoorTls,
  path: string,
): readonly (readonly [path: string, identity: Pick<DoorTls, "clientCertificates" | "clientCa">])[] {
  return [[path, tls], ...Object.entries(tls.names).map(([name, one]) => [`${path}.names.${name}`, one] as const)];
}
