import { LDAP_RULES, NOSQL_RULES, PROTOCOL_RULES, TEMPLATE_RULES } from "./injections.ts";
import { privateTargetRule } from "./private-target.ts";
import type { HostileRule, Surface } from "./rule.ts";
import { SCRIPT_RULES } from "./script.ts";
import { SHELL_RULES } from "./shell.ts";
import { SQL_RULES } from "./sql.ts";
import { PROBE_RULES, SSRF_SCHEME, TRAVERSAL_RULES } from "./traversal.ts";

const OF_TEXT: readonly HostileRule[] = [
  ...PROBE_RULES,
  ...PROTOCOL_RULES,
  ...TRAVERSAL_RULES,
  ...SQL_RULES,
  ...NOSQL_RULES,
  ...LDAP_RULES,
  ...SHELL_RULES,
  ...TEMPLATE_RULES,
  ...SCRIPT_RULES,
];

/** Rules that judge a part of the request other than a text, and so are no `HostileRule`: id and reason. */
const STRUCTURAL_RULES: Readonly<Record<string, string>> = Object.freeze({
  "protocol/content-type": "a media type that two parsers could read differently",
  "protocol/connection": "a connection that is to be kept and closed at once",
  "protocol/accept-encoding": "no list of content codings",
  "protocol/range": "many or backward ranges make a small request cost a large answer",
  "protocol/body-without-type": "a body without a media type is guessed at by whoever reads it",
  "protocol/parameter-count": "more parameters than any search has",
  "protocol/parameter-name": "a parameter name longer than any chain of searches",
  "protocol/method-override": "a form field that turns a POST into another method",
  "protocol/json-name": "a name that JSON readers treat specially",
  "xml/doctype": "a document type or an entity makes a parser read files, fetch addresses and grow without end",
  "xml/nul": "XML in an encoding that hides its declarations from whoever looks for them",
  "script/narrative": "a narrative with active content, which FHIR forbids",
});

/** Every rule by id, with its reason. */
export const HOSTILE_RULES: ReadonlyMap<string, string> = new Map([
  ...[...OF_TEXT, SSRF_SCHEME, privateTargetRule(new Set())].map(({ id, reason }) => [id, reason] as const),
  ...Object.entries(STRUCTURAL_RULES),
]);

const SURFACES: readonly Surface[] = [
  "path",
  "parameter-name",
  "parameter",
  "header",
  "form",
  "json",
  "json-name",
  "xml",
];

export type RulesBySurface = Readonly<Record<Surface, readonly HostileRule[]>>;

/** The rules that are asked about each part of a request. */
export function rulesBySurface(allowedOrigins: ReadonlySet<string>): RulesBySurface {
  const addresses = [SSRF_SCHEME, privateTargetRule(allowedOrigins)].map((one) => ({
    ...one,
    on: ["parameter", "form", "json", "xml"] as const,
  }));
  const all: readonly HostileRule[] = [...OF_TEXT, ...addresses];
  return Object.freeze(
    Object.fromEntries(
      SURFACES.map((surface) => [surface, all.filter(({ on }) => on === undefined || on.includes(surface))]),
    ) as Record<Surface, HostileRule[]>,
  );
}
