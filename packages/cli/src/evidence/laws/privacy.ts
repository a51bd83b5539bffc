import { type Requirement, setting } from "../requirement.ts";

const law = "HIPAA Privacy Rule";

/**
 * What may be used and disclosed, and what a patient may ask for.
 *
 * @see https://www.ecfr.gov/current/title-45/subtitle-A/subchapter-C/part-164/subpart-E
 */
export const PRIVACY: readonly Requirement[] = [
  {
    law,
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
      {
        package: "phi-redact",
        does: "identifiers of people in paths, queries, headers and log lines are found; the path's are refused",
        settings: [
          setting("dlp.path", "refuse"),
          setting("dlp.query", "report"),
          setting("dlp.headers", "off"),
          setting("dlp.searches", "report"),
        ],
        rules: [],
        suites: ["dlp.test.ts", "dlp.express.test.ts", "dlp-vectors.test.ts", "logs.test.ts"],
      },
    ],
    duty: "write down which role needs which data; treatment by a provider and the patient's own access are exempt",
  },
  {
    law,
    citation: "45 CFR 164.508(a)(2), 42 CFR Part 2",
    asks: "special categories: psychotherapy notes, substance use disorder",
    controls: [
      {
        package: "phi-redact",
        does: "withholds categories by label and by code",
        settings: [setting("redaction.sensitive[].category", "none"), setting("redaction.sensitive[].fate", "none")],
        rules: [],
        suites: ["sensitive.test.ts"],
      },
      {
        package: "smart-auth",
        does: "what a patient's recorded consent withholds stops at the next request, on every instance",
        settings: [setting("consent", "none: nothing is withheld"), setting("consent.categories[].name", "none")],
        rules: ["A5", "A10"],
        suites: ["consent.test.ts"],
      },
    ],
    duty: "label the data at its source and keep the consents",
  },
  {
    law,
    citation: "45 CFR 164.514(b)-(c)",
    asks: "de-identification",
    controls: [
      {
        package: "phi-redact",
        does: "pseudonymises; a keyed hash is derived from the patient's data, so its output stays PHI",
        settings: [setting("redaction.pseudonyms.purpose", "none")],
        rules: [],
        suites: ["rules.test.ts"],
      },
    ],
    duty: "have an expert determine it, or remove all eighteen identifiers: this edge does not de-identify",
  },
  {
    law,
    citation: "45 CFR 164.514(e)",
    asks: "limited data set",
    controls: [
      {
        package: "phi-redact",
        does: "a profile of one's own takes the direct identifiers out and leaves dates and towns",
        settings: [setting("redaction.profiles", "the presets only")],
        rules: [],
        suites: ["rules.test.ts"],
      },
    ],
    duty: "write that profile, have it reviewed, and have a data-use agreement",
  },
  {
    law,
    citation: "45 CFR 164.522(a)(1)",
    asks: "restrictions a patient asked for; of what was paid for oneself, towards the health plan",
    controls: [
      {
        package: "smart-auth",
        does: "consent and conditions withhold categories from chosen callers, at any depth of an answer",
        settings: [setting("consent", "none: nothing is withheld"), setting("conditions[].categories", "none")],
        rules: ["A10"],
        suites: ["consent.test.ts", "conditions.test.ts"],
      },
    ],
    duty: "agree on restrictions, enter them, and label what was paid for out of pocket: it must not go to the health plan",
  },
  {
    law,
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
    law,
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
];
