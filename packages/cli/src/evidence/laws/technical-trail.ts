import { type Requirement, setting } from "../requirement.ts";

const law = "HIPAA Security Rule";

/**
 * Technical safeguards: audit, integrity, authentication, transmission.
 *
 * @see https://www.ecfr.gov/current/title-45/subtitle-A/subchapter-C/part-164/subpart-C/section-164.312
 */
export const TECHNICAL_TRAIL: readonly Requirement[] = [
  {
    law,
    citation: "45 CFR 164.312(b)",
    asks: "audit controls",
    kind: "required",
    controls: [
      {
        package: "audit-event",
        does: "one AuditEvent per access and patient, durable before the answer",
        settings: [setting("audit.durability", "before-response"), setting("audit.onFailure", "refuse")],
        rules: ["A15", "F9", "F10"],
      },
    ],
  },
  {
    law,
    citation: "45 CFR 164.312(c)(1)-(2)",
    asks: "integrity, and a mechanism to authenticate ePHI",
    kind: "addressable",
    controls: [
      {
        package: "audit-event",
        does: "hash chain and signed Merkle checkpoints: a change shows, with its place and kind",
        settings: [setting("audit.folder", "wardline-audit")],
        rules: ["A15"],
        suites: ["ledger.tamper.test.ts", "ledger.checkpoint.test.ts"],
      },
      {
        package: "fhir-schema",
        does: "what is not well-formed FHIR is not written",
        settings: [setting("routes[].schema.resources", "refuse"), setting("routes[].schema.queries", "refuse")],
        rules: ["S10", "S15"],
      },
    ],
    duty: "keep the verifier keys and some checkpoints where the log's writer cannot change them",
  },
  {
    law,
    citation: "45 CFR 164.312(d)",
    asks: "person or entity authentication",
    kind: "required",
    controls: [
      {
        package: "smart-auth",
        does: "signature, issuer, audience and time of every token; DPoP and certificate binding where they are used",
        settings: [
          setting("issuers[].algorithms", "RS256, RS384, PS256, PS384, ES256, ES384"),
          setting("issuers[].allowLegacyTyp", "false"),
        ],
        rules: ["S1", "S3", "F7", "F8"],
      },
      {
        package: "smart-auth",
        does: "clients prove who they are by a key before they get a token, where sign-in passes through the edge",
        settings: [setting("signIn.assertions", "listed: the clients listed, and whoever asks for itself")],
        rules: ["S3"],
        suites: ["token-endpoint.test.ts"],
      },
    ],
    duty: "choose and run an issuer whose own authentication suffices",
  },
  {
    law,
    citation: "45 CFR 164.312(e)(1), (e)(2)(i)-(ii)",
    asks: "transmission security: integrity and encryption",
    kind: "addressable",
    controls: [
      {
        package: "perimeter",
        does: "TLS 1.2 or later, HTTPS only, client certificates where a zone demands them",
        settings: [
          setting("listen.tls.minVersion", "TLSv1.2 where TLS ends here; else the terminator's duty"),
          setting("listeners.*.tls.minVersion", "TLSv1.2"),
          setting("trustedProxies", "none"),
        ],
        rules: ["S4"],
        suites: ["tls"],
      },
    ],
    duty: "issue and renew certificates; use a FIPS 140 module where one is asked of you (`tls.fips`)",
  },
];
