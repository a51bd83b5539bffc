import { type Requirement, setting } from "./requirement.ts";

const law = "HIPAA Security Rule";

/** @see https://www.ecfr.gov/current/title-45/subtitle-A/subchapter-C/part-164/subpart-C */
export const HIPAA_SECURITY: readonly Requirement[] = [
  {
    law,
    citation: "45 CFR 164.308(a)(1)(ii)(A)-(B)",
    asks: "risk analysis and risk management",
    kind: "required",
    controls: [
      {
        package: "gateway",
        does: "one document says what the edge permits; it is approved by signature, and what runs is compared with it",
        settings: [setting("development", "false: a signature is needed")],
        rules: ["F11", "F12"],
      },
    ],
    duty: "make the risk analysis, keep it current, decide and document the measures",
  },
  {
    law,
    citation: "45 CFR 164.308(a)(1)(ii)(D)",
    asks: "information system activity review",
    kind: "required",
    controls: [
      {
        package: "audit-event",
        does: "every access and refusal as an AuditEvent that can be searched and exported",
        settings: [setting("audit.folder", "wardline-audit")],
        rules: ["A15"],
      },
      {
        package: "abuse-monitor",
        does: "patterns of misuse are told as Security Alerts",
        settings: [setting("abuse", "patterns are told, nothing else is done")],
        rules: ["A14"],
        suites: ["detectors.test.ts", "week.test.ts"],
      },
    ],
    duty: "review the records at regular intervals and act on what they show",
  },
  {
    law,
    citation: "45 CFR 164.308(a)(3)-(4)",
    asks: "workforce security; information access management",
    kind: "addressable",
    controls: [
      {
        package: "smart-auth",
        does: "nothing is granted that no scope, role and context grants",
        settings: [setting("routes[].zone", "none"), setting("routes[].interactions", "none")],
        rules: ["A4", "A5", "A10"],
      },
    ],
    duty: "decide who in the workforce may have which role, and end it when they leave",
  },
  {
    law,
    citation: "45 CFR 164.308(a)(5)(i)",
    asks: "security awareness and training",
    controls: [],
    duty: "train everybody who works with the system",
  },
  {
    law,
    citation: "45 CFR 164.308(a)(5)(ii)(C)",
    asks: "log-in monitoring",
    kind: "addressable",
    controls: [
      {
        package: "audit-event",
        does: "a refused token is recorded as a failed login",
        settings: [],
        rules: ["A15"],
      },
      {
        package: "tiered-throttle",
        does: "addresses are limited before any token is looked at",
        settings: [setting("door.limit", "600"), setting("door.windowSeconds", "60")],
        rules: ["F14"],
      },
    ],
    duty: "watch log-ins at the authorisation server, which this edge does not see",
  },
  {
    law,
    citation: "45 CFR 164.308(a)(6)(ii)",
    asks: "response and reporting of security incidents",
    kind: "required",
    controls: [
      {
        package: "abuse-monitor",
        does: "alerts reach people; measures slow down or block a caller for a time",
        settings: [setting("abuse.responses", "none: told only"), setting("abuse.webhook.url", "none")],
        rules: ["F1", "F10"],
        suites: ["measures.test.ts"],
      },
    ],
    duty: "have somebody who answers, a written procedure, and the notices of 164.404 to 164.410 in time",
  },
  {
    law,
    citation: "45 CFR 164.308(a)(7)",
    asks: "contingency plan, emergency mode operation",
    kind: "required",
    controls: [
      {
        package: "tiered-throttle",
        does: "a store that is down leaves a limited service, never an unlimited one",
        settings: [setting("redis", "none: each instance counts for itself")],
        rules: ["F4", "F5", "F6"],
      },
      {
        package: "audit-event",
        does: "a disk that fails stops access rather than the record of it",
        settings: [setting("audit.onFailure", "refuse"), setting("audit.durability", "before-response")],
        rules: ["F9", "F15"],
      },
    ],
    duty: "back up the audit log, the policy and the keys; rehearse the recovery",
  },
  {
    law,
    citation: "45 CFR 164.308(a)(8)",
    asks: "periodic evaluation",
    kind: "required",
    controls: [
      {
        package: "gateway",
        does: "policy tests show what is permitted and refused",
        settings: [],
        rules: [],
        suites: ["explain.test.ts"],
      },
    ],
    duty: "evaluate, technically and otherwise, whenever the environment changes",
  },
  {
    law,
    citation: "45 CFR 164.308(b), 164.314(a)",
    asks: "business associate contracts",
    kind: "required",
    controls: [],
    duty: "have an agreement with every vendor that handles PHI for you (BAA), this edge's hosting included",
  },
  {
    law,
    citation: "45 CFR 164.310",
    asks: "physical safeguards",
    controls: [],
    duty: "protect the machines, disks and media the edge and its log are on",
  },
  {
    law,
    citation: "45 CFR 164.312(a)(1)",
    asks: "access control",
    kind: "required",
    controls: [
      {
        package: "smart-auth",
        does: "judges every request and every resource of every answer",
        settings: [
          setting("routes[].types", "every type of R4"),
          setting("routes[].operations", "none"),
          setting("routes[].compartmentRule", "subject"),
        ],
        rules: ["A1", "A2", "A3", "A6", "A7", "A9", "A11", "A12", "A13"],
      },
    ],
  },
  {
    law,
    citation: "45 CFR 164.312(a)(2)(i)",
    asks: "unique user identification",
    kind: "required",
    controls: [
      {
        package: "smart-auth",
        does: "issuer with subject, and client, on every request",
        settings: [setting("issuers[].issuer", "none")],
        rules: ["S1"],
      },
      {
        package: "audit-event",
        does: "the same names in every event, in clear or as keyed hashes",
        settings: [setting("audit.identifiers", "clear")],
        rules: ["A15"],
      },
    ],
    duty: "give every person an account of their own at the issuer",
  },
  {
    law,
    citation: "45 CFR 164.312(a)(2)(ii)",
    asks: "emergency access procedure",
    kind: "required",
    controls: [
      {
        package: "smart-auth",
        does: "break-glass with purpose and alarm",
        settings: [setting("breakGlass", "none: nobody may")],
        rules: [],
        suites: ["break-glass.test.ts"],
      },
    ],
    duty: "say who may break the glass, and review each time it was done",
  },
  {
    law,
    citation: "45 CFR 164.312(a)(2)(iii)",
    asks: "automatic logoff",
    kind: "addressable",
    controls: [
      {
        package: "smart-auth",
        does: "tokens that live too long are refused, expired and revoked ones at once",
        settings: [setting("issuers[].maxLifetimeSeconds", "3600"), setting("issuers[].leewaySeconds", "30")],
        rules: ["A10", "F8"],
      },
    ],
    duty: "end idle sessions in the applications",
  },
  {
    law,
    citation: "45 CFR 164.312(a)(2)(iv)",
    asks: "encryption and decryption at rest",
    kind: "addressable",
    controls: [
      {
        package: "audit-event",
        does: "the log is encrypted under a key ring or a KMS, when one is given",
        settings: [],
        rules: ["F9"],
        suites: ["ledger.keys.test.ts"],
      },
      {
        package: "phi-redact",
        does: "elements encrypted as JWE, AES-256-GCM",
        settings: [],
        rules: [],
        suites: ["encrypt"],
      },
    ],
    duty: "encrypt the FHIR server's storage; give the edge a key ring (`--key-ring`)",
  },
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
  {
    law,
    citation: "45 CFR 164.316(b)(1), (b)(2)(i)",
    asks: "documentation kept six years",
    kind: "required",
    controls: [
      {
        package: "audit-event",
        does: "whole files of the log expire after the retention, never single entries",
        settings: [setting("audit.retentionDays", "2192")],
        rules: [],
        suites: ["ledger.test.ts"],
      },
    ],
    duty: "store the log, its keys and the signed policies so long; 164.316 speaks of documentation, six years for logs is the safe reading",
  },
];
