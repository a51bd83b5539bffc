/** The four trust zones of a clinical API edge. Every route lies in exactly one. */
export const TRUST_ZONES = ["patient", "internal", "partner", "device"] as const;
export type TrustZone = (typeof TRUST_ZONES)[number];

/** What an API is for. Teams may add their own words; these are the ones presets and reports know. */
export const API_TYPES = [
  "patient-access",
  "provider-access",
  "payer-to-payer",
  "prior-authorization",
  "bulk-data",
  "clinical",
  "telemetry",
] as const;
export type ApiType = (typeof API_TYPES)[number] | (string & {});

/** The controls a request passes, named like the package that enforces each. */
export const CONTROLS = [
  "audit-event",
  "perimeter",
  "smart-auth",
  "tiered-throttle",
  "fhir-schema",
  "phi-redact",
  "abuse-monitor",
  "api-inventory",
] as const;
export type ControlName = (typeof CONTROLS)[number] | (string & {});

/** How callers of a zone prove who they are. */
export type ZoneAuthentication = "smart-token" | "oidc-token" | "client-credentials" | "device-certificate";

/** What a zone demands before a request may reach its handler, and how its data leave. */
export interface ZonePreset {
  readonly zone: TrustZone;
  readonly authentication: ZoneAuthentication;
  /** Controls whose decision must stand in the request context before the handler runs. */
  readonly requiredControls: readonly ControlName[];
  /** `required`: a client certificate on every connection. */
  readonly clientCertificate: "none" | "required";
  readonly addresses: "any" | "private-networks" | "allow-list";
  /** Whose counter a request is charged to. */
  readonly rateLimitBy: "client-and-user" | "department" | "organisation" | "device";
  readonly data: "minimum-necessary" | "full" | "member-scoped" | "telemetry-only";
  readonly audit: "full-trace" | "user" | "organisation" | "device";
  readonly input: "schema" | "schema-and-profile" | "closed-list";
}

/**
 * The zone table of the design, as data: a policy that only names the zone gets all of this.
 *
 * `requiredControls` lists the controls of the packages published so far; a zone's list grows with them and never
 * shrinks.
 */
export const ZONE_PRESETS: Readonly<Record<TrustZone, ZonePreset>> = Object.freeze({
  patient: Object.freeze({
    zone: "patient",
    authentication: "smart-token",
    requiredControls: Object.freeze([
      "audit-event",
      "perimeter",
      "smart-auth",
      "tiered-throttle",
      "fhir-schema",
      "phi-redact",
      "api-inventory",
    ]),
    clientCertificate: "none",
    addresses: "any",
    rateLimitBy: "client-and-user",
    data: "minimum-necessary",
    audit: "full-trace",
    input: "schema",
  }),
  internal: Object.freeze({
    zone: "internal",
    authentication: "oidc-token",
    requiredControls: Object.freeze([
      "audit-event",
      "perimeter",
      "smart-auth",
      "tiered-throttle",
      "fhir-schema",
      "phi-redact",
      "api-inventory",
    ]),
    clientCertificate: "none",
    addresses: "private-networks",
    rateLimitBy: "department",
    data: "full",
    audit: "user",
    input: "schema-and-profile",
  }),
  partner: Object.freeze({
    zone: "partner",
    authentication: "client-credentials",
    requiredControls: Object.freeze([
      "audit-event",
      "perimeter",
      "smart-auth",
      "tiered-throttle",
      "fhir-schema",
      "phi-redact",
      "api-inventory",
    ]),
    clientCertificate: "required",
    addresses: "any",
    rateLimitBy: "organisation",
    data: "member-scoped",
    audit: "organisation",
    input: "schema-and-profile",
  }),
  device: Object.freeze({
    zone: "device",
    authentication: "device-certificate",
    requiredControls: Object.freeze([
      "audit-event",
      "perimeter",
      "smart-auth",
      "tiered-throttle",
      "fhir-schema",
      "phi-redact",
      "api-inventory",
    ]),
    clientCertificate: "required",
    addresses: "allow-list",
    rateLimitBy: "device",
    data: "telemetry-only",
    audit: "device",
    input: "closed-list",
  }),
} as const satisfies Record<TrustZone, ZonePreset>);
