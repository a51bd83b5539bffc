import { type CheckedPolicy, loadPolicy, openExplainer } from "@wardline/gateway";
import { ConfigurationError, type ConfigurationIssue, DependencyError } from "@wardline/policy-types";
import { CliError } from "../exit.ts";
import { systemCode } from "../files.ts";
import { forTrial } from "./trial.ts";

export interface Lint {
  /** Absent when the policy has mistakes of its own. */
  readonly version?: string;
  readonly issues: readonly ConfigurationIssue[];
}

/**
 * Checks a policy file and then assembles it on this machine, because some mistakes only show in the assembly: a
 * certificate that is none, options that two packages read differently.
 *
 * Does NOT ask for its signature, nor whether issuers and upstreams can be reached.
 */
export async function lintPolicy(file: string): Promise<Lint> {
  let checked: CheckedPolicy;
  try {
    checked = await loadPolicy(file);
  } catch (error) {
    const { issues } = asConfiguration(error);
    if (issues.some(({ code, path }) => code === "unreadable" && path === file)) {
      throw new CliError(`${file} ${issues[0]?.message ?? "cannot be read"}`);
    }
    return { issues };
  }
  try {
    await (await openExplainer(forTrial(checked.source))).close();
    return { version: checked.version, issues: [] };
  } catch (error) {
    return { version: checked.version, issues: asConfiguration(error).issues };
  }
}

function asConfiguration(error: unknown): { readonly issues: readonly ConfigurationIssue[] } {
  if (error instanceof ConfigurationError) return error;
  const code = error instanceof DependencyError ? error.code : systemCode(error);
  if (code === "unknown") throw error;
  // A file the policy names; the policy's author knows it.
  const file = error instanceof Error && "path" in error ? ` ${String(error.path)}` : "";
  return { issues: [{ path: "", code: "assembly", message: `the pipeline cannot be assembled: ${code}${file}` }] };
}
