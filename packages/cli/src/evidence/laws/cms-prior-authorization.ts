import { type Requirement, setting } from "../requirement.ts";

const law = "CMS-9115-F and CMS-0057-F";

/**
 * Prior authorization.
 *
 * @see https://www.ecfr.gov/current/title-42/section-422.122
 */
export const CMS_PRIOR_AUTHORIZATION: readonly Requirement[] = [
  {
    law,
    citation: "42 CFR 422.122(b), 431.80(b), 457.732(b); 45 CFR 156.223(b)",
    asks: "Prior Authorization API, from 2027",
    controls: [
      {
        package: "tiered-throttle",
        does: "a reserved pool, so that there is always room",
        settings: [setting("pools.pools.*.reserved", "none: no pool has room of its own")],
        rules: ["F13"],
        suites: ["pools.test.ts"],
      },
    ],
    duty: "list the items that need authorization and what to send; give the specific reason of a denial",
  },
  {
    law,
    citation: "42 CFR 422.122(c), 438.210(f), 440.230(e)(3), 457.732(c); 45 CFR 156.223(c)",
    asks: "prior-authorization figures, public each year by 31 March",
    controls: [
      {
        package: "api-inventory",
        does: "approved, denied, after appeal, extended; average and median time from submission to determination",
        settings: [setting("usage", "none: no figures are kept")],
        rules: [],
        suites: ["cms.test.ts", "pas.test.ts"],
      },
    ],
    duty: "add what did not come through this edge (telephone, letter, portal), list the items, publish",
  },
  {
    law,
    citation: "42 CFR 422.568(b)(1), 422.572(a), 431.80, 438.210(d), 457.495",
    asks: "determinations within 7 days, expedited within 72 hours",
    controls: [
      {
        package: "api-inventory",
        does: "how many determinations were in time",
        settings: [setting("usage", "none: no figures are kept")],
        rules: [],
        suites: ["cms.test.ts"],
      },
    ],
    duty: "decide in time",
  },
];
