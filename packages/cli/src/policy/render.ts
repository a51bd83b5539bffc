import type { Explanation, PolicyChange, PolicyTestResult } from "@wardline/gateway";
import type { ConfigurationIssue } from "@wardline/policy-types";
import { columns, type Paint, plural, shown } from "../output.ts";

/** `policy.yaml:12  routes[0].zone  must be one of …`: the form editors and CI jump from. */
export function renderFindings(file: string, issues: readonly ConfigurationIssue[], paint: Paint): string {
  const lines = issues.map(({ path, line, message }) => [
    line === undefined ? file : `${file}:${line}`,
    path === "" ? "(root)" : path,
    shown(message),
  ]);
  return `${columns(lines)}${paint("red", plural(issues.length, "mistake"))}\n`;
}

const SIGNS = {
  permits: ["+", "newly permitted", "yellow"],
  refuses: ["-", "newly refused", "green"],
  changes: ["~", "changed", "dim"],
} as const;

export function renderDiff(changes: readonly PolicyChange[], same: boolean, paint: Paint): string {
  if (changes.length === 0) return same ? "the same policy\n" : "no difference in what is permitted or refused\n";
  return (["permits", "refuses", "changes"] as const)
    .flatMap((effect) => {
      const [sign, title, colour] = SIGNS[effect];
      const of = changes.filter((change) => change.effect === effect);
      if (of.length === 0) return [];
      return [`${paint("bold", title)}\n`, ...of.map(({ text }) => `  ${paint(colour, `${sign} ${shown(text)}`)}\n`)];
    })
    .join("");
}

export function renderExplanation(seen: Explanation, paint: Paint): string {
  const verdict = seen.status < 400 ? paint("green", String(seen.status)) : paint("red", String(seen.status));
  const facts = [
    ["answer", seen.code === undefined ? verdict : `${verdict} ${seen.code}`],
    ["route", seen.route ?? "none"],
    ["zone", seen.zone ?? "none"],
    ["asks", [seen.interaction ?? "unknown", seen.resourceType].filter(Boolean).join(" ")],
    ...seen.upstream.map(({ method, target }) => ["upstream", shown(`${method} ${target}`)]),
    ...(seen.upstream.length === 0 ? [["upstream", "was not asked"]] : []),
  ];
  const decisions = seen.decisions.map(({ control, kind, code, because }) => [
    `  ${control}`,
    kind,
    shown([code, ...because].filter(Boolean).join("; ")),
  ]);
  return `${columns(facts)}\n${paint("bold", "controls, in order")}\n${columns(decisions)}`;
}

export function renderTests(file: string, results: readonly PolicyTestResult[], paint: Paint): string {
  const rows = results.map(({ name, failures }) =>
    failures.length === 0
      ? `${paint("green", "ok")}    ${name}\n`
      : `${paint("red", "not ok")} ${name}\n${failures.map((failure) => `         ${shown(failure)}\n`).join("")}`,
  );
  const failed = results.filter(({ failures }) => failures.length > 0).length;
  const sum = `${file}: ${plural(results.length - failed, "row holds", "rows hold")}, ${plural(failed, "row fails", "rows fail")}`;
  return `${rows.join("")}${failed === 0 ? sum : paint("red", sum)}\n`;
}
