import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ROOT } from "./support.ts";

/** A command that `sh` is not given here, and who runs it or why nobody does. */
export interface NotRun {
  readonly page: RegExp;
  readonly command: RegExp;
  readonly why: string;
  /** The test that does the same. */
  readonly by?: string;
}

/** Of the commands on the pages, those that are not run. Each is still parsed, and what it names must be there. */
export const NOT_RUN: readonly NotRun[] = [
  { page: /./, command: /^npm install /, why: "the packages are not published yet, and a test fetches nothing" },
  { page: /^(?:README|CONTRIBUTING)\.md$/, command: /^npm test$/, why: "runs this test" },
  { page: /^CONTRIBUTING\.md$/, command: /^npm run (?:check|chaos|soak)$/, why: "runs this test, or for half an hour" },
  {
    page: /^(?:README|CONTRIBUTING|examples\/patient-access\/README)\.md$/,
    command: /^npm start(?: -- --once)?$/,
    why: "installs and compiles before it runs the example",
    by: "examples/patient-access/test/tour.test.ts",
  },
  ...["bulk-export", "devices", "four-zones", "payer"].map((name) => ({
    page: new RegExp(`^examples/${name}/README\\.md$`),
    command: /^npm start(?: -- --once)?$/,
    why: "the example's own test starts it",
    by: `examples/${name}/test/main.test.ts`,
  })),
  {
    page: /existing-express-api\/README\.md$/,
    command: /^(?:[A-Z_]+=\S+ )*npm (?:start|install|run before)$/,
    why: "the example's own test starts both files",
    by: "examples/existing-express-api/test/service.test.ts",
  },
  {
    page: /^packages\/cli\/starters\/bulk-export\/README\.md$/,
    command: /^wardline serve /,
    why: "waits for a Redis over TLS and for what other instances mount",
    by: "examples/bulk-export/test/two-instances.test.ts",
  },
];

/** What is not there of what a command names. It is not run, so nothing else would tell. */
export function missingOf(page: string, command: string): readonly string[] {
  const words = command.split(/\s+/).filter((word) => word !== "" && !/^(?:-|[A-Z_]+=)/.test(word));
  const [program, verb = "", ...names] = words;
  if (program === "npm" && verb === "install") return names.filter((name) => !isPackage(name));
  if (program === "npm") {
    const script = verb === "run" ? (names[0] ?? "") : verb;
    return scriptsFor(page).includes(script) ? [] : [`npm run ${script}`];
  }
  return program === "wardline" ? [] : [program ?? ""];
}

function isPackage(name: string): boolean {
  const ours = /^@wardline\/(.+)$/.exec(name)?.[1];
  if (ours !== undefined) return existsSync(join(ROOT, "packages", ours, "package.json"));
  return [".", "packages/gateway", "packages/smart-auth"].some((owner) =>
    existsSync(join(ROOT, owner, "node_modules", name)),
  );
}

/** Of the folder a page lies in, else of the root; an example's page begins at the root. */
function scriptsFor(page: string): readonly string[] {
  const manifests = [join(dirname(page), "package.json"), "package.json"].filter((file) =>
    existsSync(join(ROOT, file)),
  );
  return manifests.flatMap((file) => {
    const { scripts = {} } = JSON.parse(readFileSync(join(ROOT, file), "utf8")) as { scripts?: Record<string, string> };
    return Object.keys(scripts);
  });
}
