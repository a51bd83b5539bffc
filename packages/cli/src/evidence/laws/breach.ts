import { type Requirement, setting } from "../requirement.ts";

const law = "HITECH";

/**
 * Breach notification: what happened to whose data.
 *
 * @see https://www.ecfr.gov/current/title-45/subtitle-A/subchapter-C/part-164/subpart-D
 */
export const BREACH: readonly Requirement[] = [
  {
    law,
    citation: "45 CFR 164.400-414",
    asks: "breach notification, burden of proof",
    controls: [
      {
        package: "audit-event",
        does: "which patients, which client and user, when, from where, and whether the answer was sent whole",
        settings: [setting("audit.identifiers", "clear")],
        rules: ["A15"],
      },
    ],
    duty: "assess the four factors, notify individuals, HHS and the media within their times",
  },
  {
    law,
    citation: "HHS guidance on unsecured PHI (45 CFR 164.402)",
    asks: "PHI rendered unusable by encryption",
    controls: [
      {
        package: "perimeter",
        does: "encryption in transit",
        settings: [setting("listen.tls.minVersion", "TLSv1.2 where TLS ends here")],
        rules: [],
        suites: ["tls"],
      },
      {
        package: "audit-event",
        does: "encryption at rest of the log",
        settings: [],
        rules: [],
        suites: ["ledger.keys.test.ts"],
      },
    ],
    duty: "use validated cryptography (a FIPS 140 module) and keep keys apart from data",
  },
];
