import { type Requirement, setting } from "../requirement.ts";

const law = "HIPAA Security Rule";

/**
 * Contracts, rooms and papers: mostly duties of people.
 *
 * @see https://www.ecfr.gov/current/title-45/subtitle-A/subchapter-C/part-164/subpart-C/section-164.314
 */
export const ORGANISATION: readonly Requirement[] = [
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
