import { findings, type PolicySource, refuseUnknownKeys } from "@wardline/policy-types";
import { type Explanation, openExplainer, type QuestionedRequest } from "./explain.ts";
import type { GivenResource } from "./world.ts";

/** Rows that say what a policy permits and refuses, kept beside it and run whenever it changes. */
export interface PolicyTestFile {
  /** Data behind the edge. */
  readonly given?: { readonly resources?: readonly GivenResource[] };
  readonly tests: readonly PolicyTest[];
}

export interface PolicyTest {
  readonly name: string;
  readonly when: QuestionedRequest;
  readonly then: PolicyExpectation;
}

/** Every member that is given must hold. */
export interface PolicyExpectation {
  readonly status?: number;
  /** `Problem.code` of the refusal; `none` for an answer. */
  readonly code?: string;
  readonly route?: string;
  /** Texts that stand in the target the upstream was asked. `none`: it was not asked. */
  readonly upstream?: "none" | readonly string[];
  /** Texts the answer holds, and holds not. */
  readonly holds?: readonly string[];
  readonly lacks?: readonly string[];
}

export interface PolicyTestResult {
  readonly name: string;
  /** Empty when the row holds. */
  readonly failures: readonly string[];
  readonly explanation: Explanation;
}

/**
 * Runs the rows of a policy test file against the pipeline the policy assembles.
 *
 * @throws {ConfigurationError} when the policy or the file is wrong
 */
export async function testPolicy(source: PolicySource, file: PolicyTestFile): Promise<readonly PolicyTestResult[]> {
  checkFile(file);
  const explainer = await openExplainer(source, file.given?.resources ?? []);
  try {
    const results: PolicyTestResult[] = [];
    // In order: what one row uses up of a limit is the next row's to see.
    for (const { name, when, then } of file.tests) {
      const explanation = await explainer.explain(when);
      results.push({ name, failures: failuresOf(then, explanation), explanation });
    }
    return results;
  } finally {
    await explainer.close();
  }
}

function failuresOf(then: PolicyExpectation, seen: Explanation): string[] {
  const target = seen.upstream.map((asked) => asked.target).join(" ");
  const failures: string[] = [];
  const expect = (holds: boolean, text: string): void => {
    if (!holds) failures.push(text);
  };
  const code = seen.code ?? "none";
  expect(then.status === undefined || then.status === seen.status, `status is ${seen.status}, not ${then.status}`);
  expect(then.code === undefined || then.code === code, `code is ${code}, not ${then.code}`);
  expect(then.route === undefined || then.route === seen.route, `route is ${seen.route ?? "none"}, not ${then.route}`);
  if (then.upstream === "none") expect(seen.upstream.length === 0, `the upstream was asked ${target}`);
  else for (const text of then.upstream ?? []) expect(target.includes(text), `the upstream was asked ${target}`);
  for (const text of then.holds ?? []) expect(seen.body.includes(text), `the answer does not hold ${text}`);
  for (const text of then.lacks ?? []) expect(!seen.body.includes(text), `the answer holds ${text}`);
  return failures;
}

const EXPECTATIONS = ["status", "code", "route", "upstream", "holds", "lacks"];
const REQUEST = ["method", "path", "headers", "body", "claims", "address"];

function checkFile(file: PolicyTestFile): void {
  const found = findings();
  if (!isObject(file) || !Array.isArray(file.tests) || file.tests.length === 0) {
    found.add("tests", "missing", "write at least one row with `name`, `when` and `then`");
    found.throwIfAny("the policy test file");
  }
  refuseUnknownKeys(found, file, ["given", "tests"]);
  for (const [index, test] of file.tests.entries()) {
    const path = `tests[${index}]`;
    if (!isObject(test) || typeof test.name !== "string" || !isObject(test.when) || !isObject(test.then)) {
      found.add(path, "shape", "needs `name`, `when` and `then`");
      continue;
    }
    refuseUnknownKeys(found, test, ["name", "when", "then"], path);
    refuseUnknownKeys(found, test.when, REQUEST, `${path}.when`);
    refuseUnknownKeys(found, test.then, EXPECTATIONS, `${path}.then`);
    if (typeof test.when.path !== "string") found.add(`${path}.when.path`, "missing", "write the path and query asked");
    if (Object.keys(test.then).length === 0)
      found.add(`${path}.then`, "missing", "say what must hold; a row that expects nothing tests nothing");
  }
  found.throwIfAny("the policy test file");
}

function isObject(value: unknown): value is object {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
