import { type Requirement, setting } from "../requirement.ts";

const law = "HIPAA Security Rule";

/**
 * Technical safeguards: access control.
 *
 * @see https://www.ecfr.gov/current/title-45/subtitle-A/subchapter-C/part-164/subpart-C/section-164.312
 */
export const TECHNICAL_ACCESS: readonly Requirement[] = [
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
      {
        package: "gateway",
        does: "zones apart: a door, token or pool of one reaches nothing of another",
        settings: [setting("routes[].zone", "none"), setting("listeners.*.zones", "one door for all zones")],
        rules: ["S7"],
        suites: ["policy.test.ts"],
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
    duty: "encrypt the FHIR server's storage, and the disk of `bulkExport.folder`; give the edge a key ring (`--key-ring`)",
  },
];
