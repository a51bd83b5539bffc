import type { Evidence, EvidenceControl, EvidenceRow } from "./build.ts";

/** The parts all renderings share, in words. */
export function headOf({ policy, at, tests, gaps, failed }: Evidence): readonly string[] {
  return [
    `Policy ${policy.name}, version ${policy.version}, looked at ${new Date(at).toISOString()}.`,
    tests === undefined
      ? "No test report was given (--tests), so no control is shown."
      : `${tests.count} tests${tests.at === undefined ? "" : `, run ${new Date(tests.at).toISOString()}`}.`,
    `${gaps} gaps, ${failed} controls with failed tests.`,
    "This supports a compliance review and is none. Wording and reading of the citations are for a compliance officer to confirm.",
  ];
}

export function settingsOf({ settings }: EvidenceControl): readonly string[] {
  if (settings.length === 0) return ["no setting of the policy"];
  return settings.map(({ path, value, from }) => `${path} = ${value}${from === "default" ? " (default)" : ""}`);
}

export function testsOf({ tests, rules }: EvidenceControl): string {
  if (tests.length === 0) return "none";
  const files = [...new Set(tests.map(({ file }) => file))];
  const named = rules.length === 0 ? "" : `${rules.join(", ")}: `;
  const shown = files.length > 3 ? [...files.slice(0, 3), `and ${files.length - 3} more files`] : files;
  return `${named}${tests.length} in ${shown.join(", ")}`;
}

export function resultOf({ tests, result, gaps }: EvidenceControl): string {
  const count = (wanted: string): number => tests.filter((test) => test.result === wanted).length;
  const counts = [
    [count("passed"), "passed"],
    [count("failed"), "failed"],
    [count("skipped"), "skipped"],
  ] as const;
  const sum = counts.filter(([number]) => number > 0).map(([number, word]) => `${number} ${word}`);
  return [result === "not shown" ? "not shown" : sum.join(", "), ...gaps.map((gap) => `GAP: ${gap}`)].join("; ");
}

export function askedOf({ asks, kind }: EvidenceRow): string {
  return kind === undefined ? asks : `${asks} (${kind})`;
}
