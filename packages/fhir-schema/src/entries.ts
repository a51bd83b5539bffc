import type { BundleEntryInteraction, Interaction } from "@wardline/policy-types";
import { type Finding, findingOf, limitsOf, operationBodyFindings, profileFindings, refuses } from "./findings.ts";
import type { SchemaIssue } from "./issues.ts";
import type { ParsedOptions } from "./options.ts";
import { checkFhirPathPatch } from "./patch/fhirpath-patch.ts";
import { isRecord } from "./record.ts";
import { validateResource } from "./resources/validate.ts";

/**
 * A11: the Bundle as a whole, then each entry as the request it stands for.
 *
 * @see https://hl7.org/fhir/R4/http.html#transaction
 */
export function bundleFindings({ entries }: Interaction, body: unknown, settings: ParsedOptions): readonly Finding[] {
  const whole = findingOf("resource", validateResource(body, limitsOf(settings, "Bundle")));
  if (refuses(whole)) return whole;
  const held = isRecord(body) && Array.isArray(body["entry"]) ? (body["entry"] as readonly unknown[]) : [];
  const found = entries.flatMap((entry) => {
    const own = held[entry.index];
    return entryFindings(entry, isRecord(own) ? own["resource"] : undefined, settings);
  });
  // What a Bundle's resources claim is judged with the Bundle; what their types require, entry by entry.
  return [...whole, ...found, ...(refuses(found) ? [] : profileFindings(body, settings))];
}

function entryFindings(
  { index, interaction }: BundleEntryInteraction,
  resource: unknown,
  settings: ParsedOptions,
): readonly Finding[] {
  const at = `Bundle.entry[${index}]`;
  const { code, type, operation } = interaction;
  if (code === "unknown")
    return fault("structure", "The entry is no interaction that FHIR R4 defines.", `${at}.request`);
  if (resource === undefined) {
    return WRITES.has(code) ? fault("required", "The entry's interaction needs a resource.", `${at}.resource`) : [];
  }
  if (code === "patch") return relocated(findingOf("patch", checkFhirPathPatch(resource, type)), at);
  if (operation !== undefined) return relocated(operationBodyFindings(operation.name, type, resource, settings), at);
  if (!WRITES.has(code)) return fault("structure", "The entry's interaction takes no resource.", `${at}.resource`);
  return writeFindings(interaction, resource, at, settings);
}

const WRITES: ReadonlySet<string> = new Set(["create", "update", "patch"]);

function writeFindings(
  { code, type, id }: Interaction,
  resource: unknown,
  at: string,
  settings: ParsedOptions,
): readonly Finding[] {
  const { resourceType, id: given } = isRecord(resource) ? resource : {};
  if (resourceType !== type)
    return fault("invalid", "The resource is not of the type its URL names.", `${at}.resource`);
  if (code === "update" && id !== undefined && given !== id) {
    return fault("invalid", "The resource's id is not the one its URL names.", `${at}.resource.id`);
  }
  const isRequired = settings.profiles?.required.has(type ?? "") === true;
  return isRequired ? relocated(profileFindings(resource, settings), at) : [];
}

function fault(issue: SchemaIssue["issue"], detail: string, expression: string): readonly Finding[] {
  return [{ kind: "resource", issues: [{ severity: "error", issue, detail, expression }] }];
}

/** Seen from the Bundle: `Patient.name` of its third entry is `Bundle.entry[2].resource.name`. */
function relocated(found: readonly Finding[], at: string): readonly Finding[] {
  return found.map(({ kind, issues }) => ({
    kind,
    issues: issues.map((issue) => ({
      ...issue,
      expression: `${at}.resource${(issue.expression ?? "").replace(/^[A-Za-z]+/, "")}`,
    })),
  }));
}
