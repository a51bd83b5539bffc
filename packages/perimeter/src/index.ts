export {
  type AddressMatcher,
  addressMatcher,
  type Cidr,
  clientAddress,
  PRIVATE_NETWORKS,
  parseCidr,
} from "./addresses.ts";
export { FINGERPRINT_HEADERS } from "./answer-headers.ts";
export { clientErrorHandler } from "./client-error.ts";
export type { CorsOptions } from "./cors.ts";
export { decideEntry, type PerimeterPolicy } from "./decide.ts";
export { type AddressGuardOptions, addressGuard } from "./express/address-guard.ts";
export { hideUpstream } from "./express/hide-upstream.ts";
export { type HostileBodyOptions, hostileBody } from "./express/hostile-body.ts";
export { setIdentityHeaders } from "./express/identity.ts";
export { perimeter } from "./express.ts";
export { type HeaderFacts, type RequestFacts, readHeaderFacts } from "./facts.ts";
export type { HeadFindings, InspectHead } from "./hostile/head.ts";
export { inspectionOf } from "./hostile/inspection.ts";
export type { HostileException, HostileInputOptions, HostileReport } from "./hostile/options.ts";
export { HOSTILE_RULES } from "./hostile/rules.ts";
export type { Signal } from "./hostile/signals.ts";
export { type IdentityHeaders, type IdentityOptions, type IdentityWriter, identityHeaders } from "./identity.ts";
export type { PerimeterOptions } from "./options.ts";
export { type PlaintextOptions, plaintextListener } from "./plaintext.ts";
export { FORWARDING_HEADERS, STANDARD_REQUEST_HEADERS } from "./request-headers.ts";
export { type ServerTimeouts, serverTimeouts } from "./server-timeouts.ts";
export { pinOf, type TlsClientOptions, type TlsClientPolicy, tlsClientOptions } from "./tls/client.ts";
export { assertFips, type FipsProbe, type FipsState, fipsState } from "./tls/fips.ts";
export type { TlsIdentity, TlsSource } from "./tls/material.ts";
export { type TlsServerOptions, tlsServerOptions } from "./tls/server.ts";
export type { ClientCertificates, TlsServerPolicy } from "./tls/server-options.ts";
export type { UpstreamAddresses } from "./upstream-addresses.ts";
