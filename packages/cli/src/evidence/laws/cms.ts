import { type Requirement, setting } from "../requirement.ts";

const law = "CMS-9115-F and CMS-0057-F";

/**
 * Access of patients, providers and other payers.
 *
 * @see https://www.ecfr.gov/current/title-42/section-422.119
 */
export const CMS_ACCESS: readonly Requirement[] = [
  {
    law,
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
    law,
    citation: "42 CFR 422.119(d)-(e), 431.60(d)-(e), 457.730(d)-(e); 45 CFR 156.221(d)-(e)",
    asks: "public documentation of the API; apps are refused by objective criteria only",
    controls: [
      {
        package: "api-inventory",
        does: "OpenAPI 3.1, a page of it and a CapabilityStatement from one registry, which live traffic is compared with",
        settings: [setting("apiDocuments.zones", "published nowhere"), setting("routes[].registry.owner", "none")],
        rules: [],
        suites: ["openapi.test.ts", "report.test.ts"],
      },
      {
        package: "smart-auth",
        does: "an app has what it was approved for, by a list anybody may check",
        settings: [setting("clients[].scopes", "every app counts for its token's scopes")],
        rules: [],
        suites: ["clients.test.ts"],
      },
    ],
    duty: "publish the document where nobody needs an account, and write down why an app was refused",
  },
  {
    law,
    citation: "42 CFR 422.119(f), 431.60(f), 457.730(f); 45 CFR 156.221(f)",
    asks: "Patient Access figures, each year by 31 March",
    controls: [
      {
        package: "api-inventory",
        does: "counts patients whose data went to an app, and more than once, by keyed hash",
        settings: [setting("usage", "none: no figures are kept")],
        rules: [],
        suites: ["cms.test.ts", "journal.test.ts"],
      },
    ],
    duty: "report them to CMS",
  },
  {
    law,
    citation: "42 CFR 422.120, 431.70, 457.760; 45 CFR 156.221(i)",
    asks: "Provider Directory API, without authentication of users",
    controls: [],
    duty: "offer it apart: this edge serves nothing without an authenticated caller, save conformance statements",
  },
  {
    law,
    citation: "42 CFR 422.121(a)-(b), 431.61(a)-(b), 457.731(a)-(b); 45 CFR 156.222(a)-(b)",
    asks: "Provider Access and Payer-to-Payer APIs, from 2027",
    controls: [
      {
        package: "gateway",
        does: "partner zone: client certificates and member-scoped data",
        settings: [
          setting("payer", "false: the four APIs are not demanded"),
          setting("listeners.*.tls.clientCa", "none: no door asks for certificates"),
        ],
        rules: [],
        suites: ["policy.test.ts"],
      },
      {
        package: "smart-auth",
        does: "a system's assertion is verified, its token is bound to its certificate",
        settings: [setting("clients[].organisation", "the token's")],
        rules: [],
        suites: ["token-endpoint.test.ts", "certificate.test.ts"],
      },
      {
        package: "tiered-throttle",
        does: "quotas by day and month for each organisation's contract",
        settings: [setting("tiers.*.quotas", "none")],
        rules: ["F14"],
        suites: ["quota"],
      },
    ],
    duty: "keep attribution, the opt-out of Provider Access and the opt-in of Payer-to-Payer",
  },
];
