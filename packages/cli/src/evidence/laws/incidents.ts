import { type Requirement, setting } from "../requirement.ts";

const law = "HIPAA Security Rule";

/**
 * Administrative safeguards: what happens when something goes wrong, and afterwards.
 *
 * @see https://www.ecfr.gov/current/title-45/subtitle-A/subchapter-C/part-164/subpart-C/section-164.308
 */
export const INCIDENTS: readonly Requirement[] = [
  {
    law,
    citation: "45 CFR 164.308(a)(6)(ii)",
    asks: "response and reporting of security incidents",
    kind: "required",
    controls: [
      {
        package: "abuse-monitor",
        does: "alerts reach people; measures slow down or block a caller for a time",
        settings: [
          setting("abuse.responses", "none: told only"),
          setting("abuse.webhook.url", "none"),
          setting("abuse.history.file", "memory alone: a restart forgets"),
        ],
        rules: ["F1", "F10"],
        suites: ["measures.test.ts", "history.test.ts"],
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
];
