import type { FhirSchemaOptions, SchemaReport } from "@wardline/fhir-schema";
import type { RoutePolicy } from "@wardline/policy-types";
import type { GatewayEvent } from "../events.ts";
import type { ParsedDependencies } from "../options.ts";
import type { Backends } from "../proxy/backends.ts";
import type { Material } from "../state/material.ts";

interface Given extends Pick<ParsedDependencies, "onEvent"> {
  readonly material: Pick<Material, "profiles" | "operationDefinitions">;
  readonly backends: Backends;
  readonly requestBodyBytes: number;
}

/** How a FHIR route's bodies, queries and answers are judged, and whom it tells what it lets pass. */
export function schemaOptions(
  { id, types, extraParameters, fhirVersion, schema = {} }: RoutePolicy,
  { material, backends, requestBodyBytes, onEvent }: Given,
): FhirSchemaOptions {
  const { profiles: _profiles, operationDefinitions: _operations, ...checks } = schema;
  const profiles = material.profiles.get(id);
  const operationDefinitions = material.operationDefinitions.get(id);
  return {
    ...checks,
    ...(profiles === undefined ? {} : { profiles }),
    ...(operationDefinitions === undefined ? {} : { operationDefinitions }),
    ...(types === undefined ? {} : { types }),
    ...(fhirVersion === undefined ? {} : { fhirVersion }),
    ...(extraParameters === undefined ? {} : { extraParameters }),
    requestBodyBytes,
    onReport: ({ of, kind, requestId, issues, type }) =>
      onEvent({
        ...reportOf(of, issues),
        code: "gateway/schema-report",
        facts: {
          upstream: backends.forType(type).name,
          kind,
          requestId,
          expressions: issues.map(({ expression }) => expression ?? "").join(" "),
        },
      }),
  };
}

/** What no mode refuses (advice, absent must-support elements, faults of R4's own examples) is no cause for concern. */
function reportOf(of: SchemaReport["of"], issues: SchemaReport["issues"]): Pick<GatewayEvent, "level" | "message"> {
  const whose = of === "request" ? "a request" : "an upstream's answer";
  return issues.some(({ severity }) => severity === "error")
    ? { level: "warn", message: `${whose} is not well-formed FHIR` }
    : { level: "info", message: `${whose} is well-formed FHIR, with findings that refuse nothing` };
}
