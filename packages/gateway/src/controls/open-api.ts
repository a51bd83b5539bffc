import type { InventoryEntry } from "@wardline/api-inventory";
import { openApiRoutes } from "@wardline/fhir-schema";
import { ConfigurationError, type ControlName, type RoutePolicy, ZONE_PRESETS } from "@wardline/policy-types";
import { type SmartAuthOptions, type TokenAuthOptions, tokenAuth } from "@wardline/smart-auth";
import type { RequestHandler } from "express";
import type { ParsedDependencies } from "../options.ts";

type DocumentRoute = RoutePolicy & Required<Pick<RoutePolicy, "openApi">>;

export function hasDocument(route: RoutePolicy): route is DocumentRoute {
  return route.openApi !== undefined;
}

const OF_TOKENS = [
  "issuers",
  "baseUrl",
  "dpop",
  "replayStore",
  "revocation",
  "clientCertificateHeader",
  "requireCertificateBound",
  "development",
  "fetch",
  "now",
] as const;

/** Who has a good token and one of the route's roles. The rest of what FHIR routes judge has no meaning here. */
export function documentAuth({ openApi }: DocumentRoute, options: SmartAuthOptions): RequestHandler {
  const given = Object.fromEntries(
    OF_TOKENS.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]),
  ) as unknown as Omit<TokenAuthOptions, "roles">;
  const { roles, amr } = openApi;
  return tokenAuth({ ...given, roles, ...(amr === undefined ? {} : { amr }) });
}

/**
 * Judges requests, and answers unless the policy leaves them alone, by the route's document.
 *
 * @throws {ConfigurationError} with everything in the document that would not be judged
 */
export function documentStage(
  route: DocumentRoute,
  document: object | undefined,
  { onEvent, requestBodyBytes }: Pick<ParsedDependencies, "onEvent"> & { readonly requestBodyBytes: number },
): RequestHandler {
  if (document === undefined) {
    throw new ConfigurationError("the policy's OpenAPI documents", [
      { path: `routes.${route.id}.openApi.file`, code: "unusable", message: "was not read" },
    ]);
  }
  return openApiRoutes(document, {
    responses: route.openApi.responses ?? "refuse",
    requestBodyBytes,
    onReport: ({ operation, status, requestId, issues }) =>
      onEvent({
        level: "warn",
        code: "gateway/schema-report",
        message: "an upstream's answer is not as its OpenAPI document declares",
        facts: {
          upstream: route.upstream,
          operation,
          status,
          requestId,
          expressions: issues.map(({ expression }) => expression ?? "").join(" "),
        },
      }),
  });
}

/** The zone's controls without redaction, which knows FHIR alone: the policy chose a route whose answers are not redacted. */
export function documentControls({ zone }: DocumentRoute): readonly ControlName[] {
  return ZONE_PRESETS[zone].requiredControls.filter((control) => control !== "phi-redact");
}

const METHODS = ["GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH"] as const;

/** What the inventory knows of such a route: each path of the document with its methods. */
export function documentEntries(
  { id, path, zone, apiType, registry }: DocumentRoute,
  document: object | undefined,
): readonly InventoryEntry[] {
  const { paths = {} } = (document ?? {}) as { readonly paths?: Readonly<Record<string, object>> };
  return Object.entries(paths).flatMap(([template, item], index) => {
    const methods = METHODS.filter((name) => Object.hasOwn(item, name.toLowerCase()));
    if (methods.length === 0) return [];
    return [
      {
        ...registry,
        id: `${id}:${index}`,
        path: path + template.replaceAll(/\{([^}]*)\}/g, (_whole, name: string) => `:${name.replaceAll(/\W/g, "_")}`),
        zone,
        apiType,
        methods,
      },
    ];
  });
}
