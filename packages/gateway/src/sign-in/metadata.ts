import type { PolicyDocument, TrustZone } from "@wardline/policy-types";
import type { AuthorizationServerMetadataOptions } from "@wardline/smart-auth";
import { type SignInPlaces, signInPlaces } from "./places.ts";

const DEFAULT_ALGORITHMS = ["RS384", "ES384"] as const;

/** RFC 8414 section 3.3: whoever reads the document compares its `issuer` with where it was found. */
export function isPublishedHere({ issuer }: SignInPlaces, { publicOrigin }: PolicyDocument): boolean {
  return URL.canParse(issuer) && new URL(issuer).origin === new URL(publicOrigin).origin;
}

/** SMART 2.2, conformance: told where clients authenticate by assertions. */
export function smartAlgorithms(
  policy: PolicyDocument,
  { issuer }: Pick<PolicyDocument["issuers"][number], "issuer">,
): { readonly tokenEndpointAuthSigningAlgorithmsSupported?: readonly string[] } {
  const places = signInPlaces(policy);
  if (places?.issuer !== issuer || places.policy.clients === undefined) return {};
  return { tokenEndpointAuthSigningAlgorithmsSupported: places.policy.assertionAlgorithms ?? DEFAULT_ALGORITHMS };
}

/** Where it is published; none when it is not. */
export function serverMetadataPaths(policy: PolicyDocument): string[] {
  const places = signInPlaces(policy);
  if (places === undefined || !isPublishedHere(places, policy)) return [];
  return [`/.well-known/oauth-authorization-server${new URL(places.issuer).pathname.replace(/\/$/, "")}`];
}

export function serverMetadata(
  places: SignInPlaces,
  policy: PolicyDocument,
  door: ReadonlySet<TrustZone>,
): AuthorizationServerMetadataOptions {
  const { issuer, urlOf, policy: signIn } = places;
  const smart = policy.issuers.find((one) => one.issuer === issuer)?.smart;
  const { clients, assertions, assertionAlgorithms = DEFAULT_ALGORITHMS } = signIn;
  const authorizationEndpoint = urlOf("authorization");
  const introspectionEndpoint = urlOf("introspection");
  const revocationEndpoint = urlOf("revocation");
  const registrationEndpoint = urlOf("registration");
  const jwksUri = urlOf("jwks");
  return {
    issuer,
    tokenEndpoint: urlOf("token") ?? "",
    ...(authorizationEndpoint === undefined ? {} : { authorizationEndpoint }),
    ...(introspectionEndpoint === undefined ? {} : { introspectionEndpoint }),
    ...(revocationEndpoint === undefined ? {} : { revocationEndpoint }),
    ...(registrationEndpoint === undefined ? {} : { registrationEndpoint }),
    ...(jwksUri === undefined ? {} : { jwksUri }),
    ...(smart?.scopesSupported === undefined ? {} : { scopesSupported: smart.scopesSupported }),
    // Which other ways the server knows, only the server can say.
    ...(assertions === "all" ? { tokenEndpointAuthMethodsSupported: ["private_key_jwt"] } : {}),
    ...(clients === undefined ? {} : { tokenEndpointAuthSigningAlgValuesSupported: assertionAlgorithms }),
    protectedResources: policy.routes
      .filter(({ zone }) => door.has(zone))
      .map(({ path }) => policy.publicOrigin + path),
    development: policy.development === true,
  };
}
