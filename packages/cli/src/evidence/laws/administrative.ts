import { type Requirement, setting } from "../requirement.ts";

const law = "HIPAA Security Rule";

/**
 * Administrative safeguards: who may work with the data, and that somebody looks.
 *
 * @see https://www.ecfr.gov/current/title-45/subtitle-A/subchapter-C/part-164/subpart-C/section-164.308
 */
export const ADMINISTRATIVE: readonly Requirement[] = [
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
      {
        package: "smart-auth",
        does: "conditions on role, purpose, department, posture, time and network; without a permit nothing, and one deny is enough",
        settings: [
          setting("conditions[].id", "none: scopes and zones alone decide"),
          setting("conditions[].effect", "none"),
        ],
        rules: [],
        suites: ["conditions.test.ts"],
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
      {
        package: "gateway",
        does: "sign-in that passes through the edge is limited, recorded and watched, refused attempts too",
        settings: [setting("signIn.path", "none: sign-in passes elsewhere")],
        rules: ["A15"],
        suites: ["sign-in-policy.test.ts"],
      },
    ],
    duty: "watch log-ins at the authorisation server, which this edge sees only where `signIn` leads them through it",
  },
];
