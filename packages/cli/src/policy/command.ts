import { diffPolicies, loadPolicy } from "@wardline/gateway";
import { type Commands, example } from "../commands.ts";
import { EXIT } from "../exit.ts";
import { jsonLine, painter } from "../output.ts";
import { addExplain } from "./explain.ts";
import { lintPolicy } from "./lint.ts";
import { renderDiff, renderFindings } from "./render.ts";
import { addSignature } from "./signature.ts";
import { addTest } from "./test.ts";

export function addPolicy({ program, terminal, exit }: Commands): void {
  const policy = program
    .command("policy")
    .description("Judges policies: mistakes, approval, differences, and what they do with a request.");
  const paint = painter(terminal);

  policy
    .command("lint")
    .description("Finds every mistake at once, with its line, and assembles the pipeline as a trial. Serves nothing.")
    .argument("<policy>", "a YAML or JSON file")
    .option("--json", "one JSON line")
    .addHelpText("after", example("wardline policy lint policy.yaml"))
    .action(async (file: string, { json }: { json?: boolean }) => {
      const { version, issues } = await lintPolicy(file);
      const good = issues.length === 0;
      if (!good) exit(EXIT.no);
      if (json === true) return terminal.out(jsonLine({ ok: good, version, issues }));
      await terminal.out(
        good ? `${paint("green", "fine")}  ${file}  version ${version}\n` : renderFindings(file, issues, paint),
      );
    });

  addSignature(policy, { program, terminal, exit });

  policy
    .command("diff")
    .description("Says in words what a change newly permits and newly refuses.")
    .argument("<before>", "the policy in force")
    .argument("<after>", "the policy to be approved")
    .option("--fail-on-permits", "exit with 1 when anything is newly permitted")
    .option("--json", "one JSON line")
    .addHelpText("after", example("wardline policy diff approved.yaml policy.yaml"))
    .action(async (before: string, after: string, flags: { failOnPermits?: boolean; json?: boolean }) => {
      const [old, next] = await Promise.all([loadPolicy(before), loadPolicy(after)]);
      const changes = diffPolicies(old.policy, next.policy);
      if (flags.failOnPermits === true && changes.some(({ effect }) => effect === "permits")) exit(EXIT.no);
      if (flags.json === true) return terminal.out(jsonLine({ before: old.version, after: next.version, changes }));
      await terminal.out(renderDiff(changes, old.version === next.version, paint));
    });

  addExplain(policy, { program, terminal, exit });
  addTest(policy, { program, terminal, exit });

  policy
    .command("version")
    .description("Prints the hash that names a policy's content in signatures, logs and audit records.")
    .argument("<policy>", "a YAML or JSON file")
    .option("--json", "one JSON line")
    .addHelpText("after", example("wardline policy version policy.yaml"))
    .action(async (file: string, { json }: { json?: boolean }) => {
      const { version, policy: checked } = await loadPolicy(file);
      await terminal.out(json === true ? jsonLine({ name: checked.name, version }) : `${version}\n`);
    });
}
