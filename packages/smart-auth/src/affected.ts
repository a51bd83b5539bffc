import { renderQuery } from "@wardline/fhir-r4";
import { type Decision, type Interaction, permit } from "@wardline/policy-types";
import type { Json } from "@wardline/policy-types/express";
import { isFhirResource, objectsOf } from "./resource.ts";
import { askStore, readResource, type Store } from "./stored.ts";

/** What has no body that says whose record it is. */
const NAMELESS: ReadonlySet<Interaction["code"]> = new Set(["patch", "delete"]);

/**
 * A15: the stored resources that an unbound PATCH or DELETE is about, so that the audit can name their patients: the one
 * at its address, or those its condition selects, as far as the store's first page shows them. Refused (503) when the
 * store does not answer, for a change that nobody can put a name to is not made.
 *
 * Does NOT judge them: whoever may change all of them may change these.
 */
export async function affectedBy(
  { code, type, id, condition }: Interaction,
  { read, search }: Store,
): Promise<Decision<readonly Json[]>> {
  const none = permit<readonly Json[]>([], ["nothing stored is named"]);
  if (!NAMELESS.has(code) || type === undefined) return none;
  if (condition !== undefined) {
    if (search === undefined) return none;
    const found = await askStore(() => search({ type, query: renderQuery(condition.pairs) }));
    return found.kind === "deny" ? found : permit(resourcesIn(found.grant), found.because);
  }
  if (id === undefined || read === undefined) return none;
  const stored = await readResource(read, { type, id });
  if (stored.kind === "deny") return stored;
  return stored.grant === undefined ? none : permit([stored.grant], stored.because);
}

function resourcesIn(bundle: Json): readonly Json[] {
  const entries = isFhirResource(bundle) ? objectsOf(bundle["entry"]) : undefined;
  return (entries ?? []).flatMap(({ resource }) => (resource === undefined ? [] : [resource]));
}
