import { dirname, join } from "node:path";
import { loadPolicy, type PolicyTestFile, testPolicy } from "@wardline/gateway";
import type { Command } from "commander";
import { type Commands, example } from "../commands.ts";
import { EXIT } from "../exit.ts";
import { readStructured } from "../files.ts";
import { jsonLine, painter } from "../output.ts";
import { renderTests } from "./render.ts";
import { forTrial } from "./trial.ts";

export function addTest(policy: Command, { terminal, exit }: Commands): void {
  policy
    .command("test")
    .description("Runs rows of given, when, then against the pipeline of a policy.")
    .argument("<policy>", "a YAML or JSON file")
    .argument("[files...]", "test files; default: the policy's name with .test.yaml")
    .option("--json", "one JSON line for each file")
    .addHelpText("after", example("wardline policy test policy.yaml policy.test.yaml"))
    .action(async (file: string, files: readonly string[], { json }: { json?: boolean }) => {
      const { source } = await loadPolicy(file);
      for (const name of files.length === 0 ? [testFileOf(file)] : files) {
        const results = await testPolicy(forTrial(source), (await readStructured(name)) as PolicyTestFile);
        const failed = results.filter(({ failures }) => failures.length > 0).length;
        if (failed > 0) exit(EXIT.no);
        const rows = results.map(({ name: row, failures, explanation: { status, code } }) => ({
          name: row,
          failures,
          status,
          code,
        }));
        await terminal.out(
          json === true
            ? jsonLine({ file: name, passed: rows.length - failed, failed, rows })
            : renderTests(name, results, painter(terminal)),
        );
      }
    });
}

/** The policy's own test file, beside it: `policy.yaml` has `policy.test.yaml`. */
function testFileOf(file: string): string {
  const name = file.slice(file.lastIndexOf("/") + 1).replace(/\.(?:ya?ml|json)$/, "");
  return join(dirname(file), `${name}.test.yaml`);
}
