import { type Requirement, setting } from "./requirement.ts";

const privacy = "HIPAA Privacy Rule";
const cms = "CMS-9115-F and CMS-0057-F";

export const OTHER_LAWS: readonly Requirement[] = [
  {
    law: privacy,
    citation: "45 CFR 164.502(b), 164.514(d)",
    asks: "minimum necessary",
    controls: [
      {
        package: "phi-redact",
        does: "redacts by zone, role and purpose, at any depth",
        settings: [setting("routes[].redaction", "the zone's preset")],
        rules: ["S12", "S13"],
        suites: ["nothing-forgotten.test.ts", "redaction-vectors.test.ts"],
      },
      {
        package: "smart-auth",
        does: "only the types and the compartment a grant names",
        settings: [setting("routes[].types", "every type of R4")],
        rules: ["A4", "A9"],
      },
    ],
    duty: "write down which role needs which data; treatment by a provider and the patient's own access are exempt",
  },
  {
    law: privacy,
    citation: "45 CFR 164.508(a)(2), 42 CFR Part 2",
    asks: "special categories: psychotherapy notes, substance use disorder",
    controls: [
      {
        package: "phi-redact",
        does: "withholds categories by label and by code",
        settings: [setting("redaction.sensitive", "none")],
        rules: [],
        suites: ["sensitive.test.ts"],
      },
    ],
    duty: "label the data at its source and keep the consents",
  },
  {
    law: privacy,
    citation: "45 CFR 164.514(b)-(c)",
    asks: "de-identification",
    controls: [
      {
        package: "phi-redact",
        does: "pseudonymises; a keyed hash is derived from the patient's data, so its output stays PHI",
        settings: [setting("redaction.pseudonyms", "none")],
        rules: [],
        suites: ["rules.test.ts"],
      },
    ],
    duty: "have an expert determine it, or remove all eighteen identifiers: this edge does not de-identify",
  },
  {
    law: privacy,
    citation: "45 CFR 164.524",
    asks: "the individual's right of access",
    controls: [
      {
        package: "smart-auth",
        does: "an app of the patient's choice reads the patient's record",
        settings: [setting("routes[].apiType", "none")],
        rules: ["A4"],
      },
    ],
    duty: "answer requests that do not come through an app",
  },
  {
    law: privacy,
    citation: "45 CFR 164.528",
    asks: "accounting of disclosures",
    controls: [
      {
        package: "audit-event",
        does: "what leaves for a partner is recorded as a disclosure, with recipient and purpose",
        settings: [setting("audit.retentionDays", "2192")],
        rules: ["A15"],
        suites: ["balp-events.test.ts"],
      },
    ],
    duty: "give the accounting to the individual who asks",
  },
  {
    law: "HITECH",
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
    law: "HITECH",
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
  {
    law: cms,
    citation: "42 CFR 422.119, 431.60, 457.730; 45 CFR 156.221",
    asks: "Patient Access API on FHIR R4 and SMART",
    controls: [
      {
        package: "gateway",
        does: "a patient-access route, public conformance statements, SMART discovery",
        settings: [
          setting("routes[].apiType", "none"),
          setting("issuers[].smart.capabilities", "none: no smart-configuration is published"),
        ],
        rules: [],
        suites: ["serve.test.ts"],
      },
      {
        package: "tiered-throttle",
        does: "limits that are the same for all apps and say what they are",
        settings: [setting("tiers.*.windows", "1200 a minute per app, 300 per user")],
        rules: ["F14"],
      },
    ],
    duty: "offer the data within one business day; publish the API's documentation; refuse apps by objective criteria only",
  },
  {
    law: cms,
    citation: "42 CFR 422.119(f), 431.60(f), 457.730(f); 45 CFR 156.221(f)",
    asks: "Patient Access figures, each year by 31 March",
    controls: [
      {
        package: "api-inventory",
        does: "counts patients whose data went to an app, and more than once, by keyed hash",
        settings: [setting("usage", "none: no figures are kept")],
        rules: [],
      },
    ],
    duty: "report them to CMS",
  },
  {
    law: cms,
    citation: "42 CFR 422.121, 431.61, 457.731; 45 CFR 156.222",
    asks: "Provider Access and Payer-to-Payer APIs, from 2027",
    controls: [
      {
        package: "gateway",
        does: "partner zone: client certificates and member-scoped data",
        settings: [setting("listeners.*.tls.clientCertificates", "required where a zone demands it")],
        rules: [],
      },
    ],
    duty: "keep attribution, the opt-out of Provider Access and the opt-in of Payer-to-Payer",
  },
  {
    law: cms,
    citation: "42 CFR 422.122, 431.80, 457.732; 45 CFR 156.223",
    asks: "Prior Authorization API, from 2027, and its yearly figures",
    controls: [
      {
        package: "tiered-throttle",
        does: "a reserved pool, so that there is always room",
        settings: [setting("tiers.*.concurrency", "50")],
        rules: ["F13"],
        suites: ["pools.test.ts"],
      },
      {
        package: "api-inventory",
        does: "turnaround and outcomes from traffic",
        settings: [setting("usage", "none: no figures are kept")],
        rules: [],
      },
    ],
    duty: "decide within 72 hours or seven days, give the reason of a denial, publish the figures",
  },
];
