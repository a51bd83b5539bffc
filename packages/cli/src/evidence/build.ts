import type { CheckedPolicy } from "@wardline/gateway";
import { REQUIREMENTS } from "./laws/index.ts";
import type { MappedControl, Requirement } from "./requirement.ts";
import { type SettingValue, settingValue } from "./settings.ts";
import type { ShownBy, TestReport } from "./test-report.ts";

export interface EvidenceControl {
  readonly package: string;
  readonly does: string;
  readonly settings: readonly SettingValue[];
  readonly rules: readonly string[];
  readonly tests: readonly ShownBy[];
  readonly result: "passed" | "failed" | "not shown";
  /** What is missing, in words. */
  readonly gaps: readonly string[];
}

export interface EvidenceRow extends Pick<Requirement, "law" | "citation" | "asks" | "kind" | "duty"> {
  readonly controls: readonly EvidenceControl[];
}

export interface Evidence {
  readonly policy: { readonly name: string; readonly version: string };
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly tests?: { readonly count: number; readonly at?: number };
  readonly rows: readonly EvidenceRow[];
  readonly gaps: number;
  readonly failed: number;
}

/**
 * Sets what the laws ask beside what the policy says and what the tests show. It supports a compliance review; it is none:
 * citations and their readings are for a compliance officer to confirm.
 */
export function buildEvidence(checked: CheckedPolicy, report: TestReport | undefined, now: number): Evidence {
  const rows = REQUIREMENTS.map(({ controls, ...requirement }) => ({
    ...requirement,
    controls: controls.map((control) => judge(control, checked, report)),
  }));
  const all = rows.flatMap(({ controls }) => controls);
  return {
    policy: { name: checked.policy.name, version: checked.version },
    at: now,
    ...(report === undefined
      ? {}
      : { tests: { count: report.tests, ...(report.at === undefined ? {} : { at: report.at }) } }),
    rows,
    gaps: all.reduce((sum, { gaps }) => sum + gaps.length, 0),
    failed: all.filter(({ result }) => result === "failed").length,
  };
}

function judge(control: MappedControl, { policy }: CheckedPolicy, report: TestReport | undefined): EvidenceControl {
  const { package: name, does, rules, suites = [] } = control;
  const settings = control.settings.map((one) => settingValue(policy, one));
  if (report === undefined) {
    return { package: name, does, settings, rules, tests: [], result: "not shown", gaps: ["no test report was given"] };
  }
  const tests = [...new Set([...report.byRule(name, rules), ...report.bySuite(name, suites)])];
  const gaps = [
    ...rules
      .filter((rule) => report.byRule(name, [rule]).length === 0)
      .map((rule) => `no test is named for rule ${rule}`),
    ...suites.filter((suite) => report.bySuite(name, [suite]).length === 0).map((suite) => `no result of ${suite}`),
    ...(rules.length + suites.length === 0 ? ["no test is mapped to it"] : []),
    ...(tests.length > 0 && tests.every(({ result }) => result === "skipped") ? ["its tests were skipped"] : []),
  ];
  return { package: name, does, settings, rules, tests, result: resultOf(tests), gaps };
}

function resultOf(tests: readonly ShownBy[]): EvidenceControl["result"] {
  if (tests.some(({ result }) => result === "failed")) return "failed";
  return tests.some(({ result }) => result === "passed") ? "passed" : "not shown";
}
