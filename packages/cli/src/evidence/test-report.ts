import { CliError } from "../exit.ts";

export interface ShownBy {
  readonly file: string;
  readonly title: string;
  readonly result: "passed" | "failed" | "skipped";
}

interface NamedTest extends ShownBy {
  readonly package: string;
  /** Path below the test folder. */
  readonly suite: string;
  readonly rules: readonly string[];
  /** A file that failed as a whole: which rules its tests would have shown, nobody knows. */
  readonly isFile: boolean;
}

/** Finds the tests that show a control. */
export interface TestReport {
  readonly tests: number;
  /** Milliseconds since the epoch. */
  readonly at?: number;
  byRule(packageName: string, rules: readonly string[]): readonly ShownBy[];
  bySuite(packageName: string, suites: readonly string[]): readonly ShownBy[];
}

const RULES = /^((?:[FSA]\d{1,2}(?:, ?| and )?)+):/;

/** Reads vitest's JSON report (`--reporter=json`). */
export function readTestReport(value: unknown, name: string): TestReport {
  const { testResults, startTime } = (value ?? {}) as RawReport;
  if (!Array.isArray(testResults)) throw new CliError(`${name} is no JSON report of vitest (--reporter=json)`);
  const tests = (testResults as RawFile[]).flatMap(testsOf);
  return {
    tests: tests.length,
    ...(startTime === undefined ? {} : { at: startTime }),
    byRule: (packageName, rules) =>
      tests.filter(
        (test) => isOf(test, packageName) && (test.isFile || test.rules.some((rule) => rules.includes(rule))),
      ),
    bySuite: (packageName, suites) =>
      tests.filter((test) => test.package === packageName && suites.some((suite) => isBelow(test.suite, suite))),
  };
}

/** Tests of the whole edge speak for every package. */
function isOf(test: NamedTest, packageName: string): boolean {
  return test.package === packageName || test.package === "edge";
}

function isBelow(path: string, suite: string): boolean {
  return suite.endsWith(".ts") ? path === suite : path.startsWith(`${suite}/`) || path.startsWith(`${suite}.`);
}

interface RawFile {
  readonly name: string;
  readonly status?: string;
  readonly assertionResults?: readonly RawTest[];
}

interface RawReport {
  readonly testResults?: readonly RawFile[];
  readonly startTime?: number;
}

interface RawTest {
  readonly ancestorTitles: readonly string[];
  readonly title: string;
  readonly status: string;
}

/** A file that could not be loaded, or failed beside its tests, stands for one more that failed. */
function testsOf({ name: file, status, assertionResults = [] }: RawFile): readonly NamedTest[] {
  const tests = assertionResults.map((one) => namedTest(file, one));
  if (status !== "failed" || tests.some(({ result }) => result === "failed")) return tests;
  return [...tests, { ...namedTest(file, { ancestorTitles: [], title: "the file itself", status }), isFile: true }];
}

function namedTest(file: string, { ancestorTitles, title, status }: RawTest): NamedTest {
  const [, packageName = "edge", suite = file] = /(?:^|\/)packages\/([^/]+)\/test\/(.+)$/s.exec(file) ?? [];
  const [, shown = file] = /(?:^|\/)((?:packages|test|examples)\/.+)$/s.exec(file) ?? [];
  const titles = [...ancestorTitles, title];
  return {
    file: packageName === "edge" ? shown : `packages/${packageName}/test/${suite}`,
    title: titles.join(" › "),
    result: status === "passed" || status === "failed" ? status : "skipped",
    package: packageName,
    suite,
    isFile: false,
    rules: titles.flatMap((text) => RULES.exec(text)?.[1]?.match(/[FSA]\d{1,2}/g) ?? []),
  };
}
