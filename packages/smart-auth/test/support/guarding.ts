import { parseInteraction } from "@wardline/fhir-r4";
import type { Json } from "@wardline/policy-types/express";
import { grantFor } from "../../src/grant.ts";
import type { GuardFacts } from "../../src/guard/facts.ts";
import { parseOptions } from "../../src/options.ts";
import { createRights } from "../../src/rights.ts";

export const BASE = "https://fhir.example.org/fhir";
export const UPSTREAM = "http://upstream.internal/fhir";
const { route } = parseOptions({
  issuers: [{ issuer: "https://as.example", audience: [BASE] }],
  baseUrl: BASE,
  backendBaseUrls: [UPSTREAM],
});
export const ROUTE: typeof route = route;

export interface Asked {
  readonly method?: string;
  /** With its query. */
  readonly path: string;
  readonly body?: Json;
  /** `user/` scopes are a practitioner's, all others those of patient `p1`. */
  readonly scopes: readonly string[];
}

/** What an answer to this question is judged with; `told` gets what is said of patients. */
export function guardFacts(
  { method = "GET", path, body, scopes }: Asked,
  told: (ids: readonly string[], what?: "written") => void = () => undefined,
): GuardFacts {
  const [below = "", query = ""] = path.split("?");
  const interaction = parseInteraction({ method, path: below, query, ...(body === undefined ? {} : { body }) });
  const isStaff = scopes[0]?.startsWith("user/") === true;
  const principal = {
    method: "jwt",
    issuer: "https://as.example",
    subject: "u",
    clientId: "app",
    roles: [],
    purposeOfUse: [],
    launch: isStaff ? {} : { patient: "p1" },
    ...(isStaff ? { fhirUser: "Practitioner/d" } : {}),
    scopes,
  } as const;
  const bound = !isStaff;
  return {
    ...route,
    interaction,
    access: { interaction, bound, because: [] },
    bound,
    narrowing: undefined,
    rights: createRights(grantFor(principal, route), route),
    onPatients: told,
  };
}
