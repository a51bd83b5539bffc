import { type Findings, nearest, type PolicyDocument, type SignInPolicy, ZONE_PRESETS } from "@wardline/policy-types";
import { folded } from "../sign-in/places.ts";
import { documentPaths } from "./api-documents-rules.ts";
import { doorsOf } from "./listeners.ts";

/** Whether the authorisation server behind the edge can be reached through it, and only as the policy says. */
export function checkSignIn(policy: PolicyDocument, found: Findings): void {
  const { signIn } = policy;
  if (signIn === undefined) return;
  checkIssuer(policy, signIn, found);
  checkUpstream(policy, signIn, found);
  checkPlace(policy, signIn, found);
  checkPaths(signIn, found);
  checkClients(signIn, found);
  checkTier(policy, signIn, found);
}

function checkIssuer({ issuers, publicOrigin }: PolicyDocument, signIn: SignInPolicy, found: Findings): void {
  const named = signIn.issuer;
  const issuer = named === undefined ? issuers[0] : issuers.find((one) => one.issuer === named);
  if (named === undefined && issuers.length !== 1) {
    return found.add("signIn.issuer", "missing", "name the issuer whose endpoints these are");
  }
  if (issuer === undefined) {
    return found.add("signIn.issuer", "unknown-name", `there is no issuer \`${named}\`; write one of \`issuers\``);
  }
  if (issuer.issuer === "*") {
    return found.add("signIn.issuer", "ambiguous", "whoever signs in here has one issuer; write its name in `issuers`");
  }
  const index = issuers.indexOf(issuer);
  const pairs = [
    ["tokenEndpoint", "token"],
    ["authorizationEndpoint", "authorization"],
    ["introspectionEndpoint", "introspection"],
    ["revocationEndpoint", "revocation"],
    ["registrationEndpoint", "registration"],
  ] as const;
  for (const [told, endpoint] of pairs) {
    const below = signIn.endpoints[endpoint];
    const url = issuer.smart?.[told];
    if (below === undefined || url === undefined || url === publicOrigin + signIn.path + below) continue;
    const message = `apps would be led around this edge; write ${publicOrigin}${signIn.path}${below}`;
    found.add(`issuers[${index}].smart.${told}`, "elsewhere", message);
  }
}

function checkUpstream({ upstreams }: PolicyDocument, { upstream, path }: SignInPolicy, found: Findings): void {
  const known = Object.keys(upstreams);
  const server = upstreams[upstream];
  if (server === undefined) {
    const near = nearest(upstream, known);
    const hint = near === undefined ? `known ones are ${known.join(", ")}` : `did you mean \`${near}\`?`;
    return found.add("signIn.upstream", "unknown-name", `there is no upstream \`${upstream}\`, ${hint}`);
  }
  const urls = [server.url, ...(server.targets ?? []).map(({ url }) => url)];
  if (urls.every((url) => !URL.canParse(url) || new URL(url).pathname.replace(/\/$/, "") === path)) return;
  // Redirects, cookies and pages name paths, and none of them is rewritten.
  found.add("signIn.path", "mismatch", `must be the path of its upstream's URL, as in \`https://id.internal${path}\``);
}

function checkPlace(policy: PolicyDocument, { path, zone = "patient" }: SignInPolicy, found: Findings): void {
  if (ZONE_PRESETS[zone].authentication === "device-certificate") {
    found.add("signIn.zone", "mismatch", "devices come with a certificate and need no token; write another zone");
  } else if (!doorsOf(policy).some(({ zones }) => zones.has(zone))) {
    found.add("signIn.zone", "no-door", `no listener has the ${zone} zone; add it to a listener's \`zones\``);
  }
  const route = policy.routes.find((one) => isWithin(path, one.path) || isWithin(one.path, path));
  if (route !== undefined) {
    found.add("signIn.path", "claimed-twice", `meets the route \`${route.id}\`; move one beside the other`);
  }
  const taken = [...documentPaths(policy.apiDocuments), "/.well-known"].find((one) => isWithin(one, path));
  if (taken !== undefined) found.add("signIn.path", "claimed-twice", `holds \`${taken}\`, which this edge answers`);
}

function isWithin(path: string, outer: string): boolean {
  return path === outer || path.startsWith(`${outer}/`);
}

/** Nothing that passes as it is may be one of the two endpoints that are judged. */
function checkPaths({ endpoints, pages = [] }: SignInPolicy, found: Findings): void {
  const named = Object.entries(endpoints) as [string, string][];
  for (const [index, [name, path]] of named.entries()) {
    if (named.findIndex(([, other]) => folded(other) === folded(path)) === index) continue;
    found.add(`signIn.endpoints.${name}`, "repeated", `two endpoints have the path \`${path}\`; give each its own`);
  }
  const judged = [endpoints.token, ...(endpoints.authorization === undefined ? [] : [endpoints.authorization])];
  for (const [index, page] of pages.entries()) {
    const isOpen = judged.some((path) =>
      page.endsWith("/*") ? folded(path).startsWith(`${folded(page.slice(0, -2))}/`) : folded(path) === folded(page),
    );
    if (!isOpen) continue;
    const message = `\`${page}\` would let requests pass that are judged at another path; name narrower paths`;
    found.add(`signIn.pages[${index}]`, "too-wide", message);
  }
}

function checkClients({ clients = [], assertions }: SignInPolicy, found: Findings): void {
  for (const [index, { clientId, jwks, jwksUri }] of clients.entries()) {
    const path = `signIn.clients[${index}]`;
    if (clients.findIndex((other) => other.clientId === clientId) !== index) {
      found.add(`${path}.clientId`, "repeated", `\`${clientId}\` is listed twice; give one entry its keys`);
    }
    if ((jwks === undefined) === (jwksUri === undefined)) {
      found.add(path, "ambiguous", "give its keys, as `jwks`, or where it publishes them, as `jwksUri`, not both");
    }
  }
  if (assertions === "all" && clients.length === 0) {
    found.add("signIn.clients", "missing", "with `assertions: all` only clients with keys come in; list them");
  }
}

function checkTier({ tiers }: PolicyDocument, { tier }: SignInPolicy, found: Findings): void {
  if (tier === undefined) return;
  const limits = tiers[tier];
  if (limits === undefined) {
    const near = nearest(tier, Object.keys(tiers));
    const hint = near === undefined ? `known ones are ${Object.keys(tiers).join(", ")}` : `did you mean \`${near}\`?`;
    return found.add("signIn.tier", "unknown-name", `there is no tier \`${tier}\`, ${hint}`);
  }
  if (limits.windows?.some(({ by }) => by === "address") === true) return;
  const message = "limits no address, so whoever guesses is not limited; give the tier a window `by: address`";
  found.add("signIn.tier", "too-weak", message);
}
