import { renderQuery } from "@wardline/fhir-r4";
import { type Decision, type Interaction, permit, type SearchQuery } from "@wardline/policy-types";
import type { Json } from "@wardline/policy-types/express";
import type { Later } from "./later.ts";
import { isFhirResource, objectsOf } from "./resource.ts";
import { askStore, readResource, type Store, type StoredReference } from "./stored.ts";

/** What has no body that says whose record it is. */
const NAMELESS: ReadonlySet<Interaction["code"]> = new Set(["patch", "delete"]);
const NONE_NAMED = permit<readonly Json[]>(Object.freeze([]), Object.freeze(["nothing stored is named"]));

/**
 * A15: the stored resources that an unbound PATCH or DELETE is about, so that the audit can name their patients: the one
 * at its address, or those its condition selects, as far as the store's first page shows them. Refused (503) when the
 * store does not answer, for a change that nobody can put a name to is not made.
 *
 * Does NOT judge them: whoever may change all of them may change these.
 */
export function affectedBy(interaction: Interaction, { read, search }: Store): Later<Decision<readonly Json[]>> {
  const { code, type, id, condition } = interaction;
  if (!NAMELESS.has(code) || type === undefined) return NONE_NAMED;
  if (condition !== undefined) return search === undefined ? NONE_NAMED : selectedBy(condition, type, search);
  return id === undefined || read === undefined ? NONE_NAMED : storedAt({ type, id }, read);
}

async function selectedBy(
  { pairs }: SearchQuery,
  type: string,
  search: NonNullable<Store["search"]>,
): Promise<Decision<readonly Json[]>> {
  const found = await askStore(() => search({ type, query: renderQuery(pairs) }));
  return found.kind === "deny" ? found : permit(resourcesIn(found.grant), found.because);
}

async function storedAt(
  reference: StoredReference,
  read: NonNullable<Store["read"]>,
): Promise<Decision<readonly Json[]>> {
  const stored = await readResource(read, reference);
  if (stored.kind === "deny") return stored;
  return stored.grant === undefined ? NONE_NAMED : permit([stored.grant], stored.because);
}

function resourcesIn(bundle: Json): readonly Json[] {
  const entries = isFhirResource(bundle) ? objectsOf(bundle["entry"]) : undefined;
  return (entries ?? []).flatMap(({ resource }) => (resource === undefined ? [] : [resource]));
}
