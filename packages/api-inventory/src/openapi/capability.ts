import { OPERATION_DEFINITIONS, RESOURCE_TYPES } from "@wardline/fhir-r4";
import type { InteractionCode } from "@wardline/policy-types";
import { type InventoryEntry, isFhirEntry } from "../entry.ts";
import { lifeState } from "../observe/state.ts";

/** `CapabilityStatement.rest[0]`, as far as the registry knows it. */
export interface CapabilityRest {
  readonly mode: "server";
  readonly resource: readonly {
    readonly type: string;
    readonly interaction: readonly { readonly code: InteractionCode }[];
    readonly operation?: readonly { readonly name: string; readonly definition: string }[];
  }[];
  readonly interaction: readonly { readonly code: InteractionCode }[];
  readonly operation?: readonly { readonly name: string; readonly definition: string }[];
}

const SYSTEM_CODES: readonly InteractionCode[] = ["transaction", "batch", "search-system", "history-system"];
const ON_TYPES: readonly InteractionCode[] = [
  "read",
  "vread",
  "update",
  "patch",
  "delete",
  "history-instance",
  "history-type",
  "create",
  "search-type",
];

/**
 * What the FHIR base at `path` offers, for a CapabilityStatement that says no more and no less than the registry. Several
 * entries may share a base; retired ones offer nothing.
 *
 * @see https://hl7.org/fhir/R4/capabilitystatement-definitions.html#CapabilityStatement.rest
 */
export function capabilityRest(
  entries: readonly InventoryEntry[],
  path: string,
  now: Date = new Date(),
): CapabilityRest {
  const here = entries.filter(
    (entry) => isFhirEntry(entry) && entry.path === path && lifeState(entry, now.getTime()) !== "retired",
  );
  const resource = RESOURCE_TYPES.flatMap((type) => {
    const serving = here.filter(({ types }) => types === undefined || types.includes(type));
    const codes = ON_TYPES.filter((code) =>
      serving.some(({ interactions = [] }) => interactions.some((one) => one === code)),
    );
    const operation = operationsFor(serving, type);
    if (codes.length === 0 && operation.length === 0) return [];
    return [{ type, interaction: codes.map((code) => ({ code })), ...(operation.length === 0 ? {} : { operation }) }];
  });
  const system = SYSTEM_CODES.filter((code) =>
    here.some(({ interactions = [] }) => interactions.some((one) => one === code)),
  );
  const operation = operationsFor(here, undefined);
  return {
    mode: "server",
    resource,
    interaction: system.map((code) => ({ code })),
    ...(operation.length === 0 ? {} : { operation }),
  };
}

/** Operations that R4 defines on the type, or, without one, on the system; one of a server's own has no definition to point to. */
function operationsFor(
  serving: readonly InventoryEntry[],
  type: string | undefined,
): { readonly name: string; readonly definition: string }[] {
  const names = new Set(serving.flatMap(({ operations = [] }) => operations));
  const defined = OPERATION_DEFINITIONS.filter((one) => {
    if (!names.has(one.name)) return false;
    return type === undefined ? one.levels.includes("system") : one.type === type;
  });
  return defined.map(({ name, type: on }) => ({
    name,
    definition: `http://hl7.org/fhir/OperationDefinition/${on}-${name}`,
  }));
}

/** The part of a smart-configuration that the registry knows. @see https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html */
export function smartScopes(
  entries: readonly InventoryEntry[],
  now: Date = new Date(),
): { readonly scopes_supported: readonly string[] } {
  const living = entries.filter((entry) => entry.zone === "patient" && lifeState(entry, now.getTime()) !== "retired");
  return { scopes_supported: [...new Set(living.flatMap(({ approvedScopes = [] }) => approvedScopes))].sort() };
}
