import type { PolicyDocument, SignInEndpoints, SignInPolicy, SignInRecord, TrustZone } from "@wardline/policy-types";

/** What the policy says of the authorisation server, with every default filled in and every address whole. */
export interface SignInPlaces {
  readonly policy: SignInPolicy;
  readonly issuer: string;
  readonly zone: TrustZone;
  /** As clients see it. */
  readonly urlOf: (endpoint: keyof SignInEndpoints) => string | undefined;
  /** What a path is; `undefined` for one that does not pass. */
  readonly endpointOf: (path: string) => SignInRecord["endpoint"] | undefined;
}

/** Requires a policy whose names were checked. */
export function signInPlaces({ signIn, issuers, publicOrigin }: PolicyDocument): SignInPlaces | undefined {
  if (signIn === undefined) return undefined;
  const { path: base, endpoints, pages = [], zone = "patient" } = signIn;
  const { token, authorization, ...others } = endpoints;
  const exact = new Set([...Object.values(others), ...pages.filter((page) => !page.endsWith("/*"))]);
  const beginnings = pages.filter((page) => page.endsWith("/*")).map((page) => page.slice(0, -1));
  const judged = [token, ...(authorization === undefined ? [] : [authorization])].map(folded);
  return {
    policy: signIn,
    issuer: signIn.issuer ?? issuers[0]?.issuer ?? "",
    zone,
    urlOf(endpoint) {
      const below = endpoints[endpoint];
      return below === undefined ? undefined : publicOrigin + base + below;
    },
    endpointOf(path) {
      if (!path.startsWith(`${base}/`)) return undefined;
      const below = path.slice(base.length);
      if (below === token) return "token";
      if (below === authorization) return "authorization";
      // S6: what the server behind may take for one of the two is not passed as something else.
      if (judged.includes(folded(below))) return undefined;
      if (exact.has(below)) return "other";
      return beginnings.some((one) => below.startsWith(one) && below.length > one.length) ? "other" : undefined;
    },
  };
}

/** As a lenient server may read a path. */
export function folded(path: string): string {
  let text = path;
  try {
    text = decodeURIComponent(path);
  } catch {
    // Written as it is, it is no other path.
  }
  return text.toLowerCase().replace(/(?<!\/)\/+$/, "");
}
