import type { Json, RequestBody } from "@wardline/policy-types/express";
import { formsOf } from "./forms.ts";
import { type HostileFinding, inspectParameters, inspectText, type ParameterPolicy, push } from "./inspect.ts";
import { isPrivateTarget } from "./private-target.ts";
import { SSRF_SCHEME } from "./traversal.ts";
import { inspectXml } from "./xml.ts";

export interface BodyPolicy extends ParameterPolicy {
  readonly allowedOrigins: ReadonlySet<string>;
}

/** More findings than this say nothing new. */
const MOST_FINDINGS = 20;

/**
 * Looks at a request body. In FHIR every string is data and may say anything, an attack included: only what a server
 * would follow (references, endpoints), names and narratives with active content are judged. In a form, in other JSON
 * and in other XML every text is judged as a parameter's value is.
 *
 * Does NOT decide whether the body is valid, and does not look into media types that are neither JSON, XML nor a form.
 */
export function inspectBody({ mediaType, json, form, bytes }: RequestBody, policy: BodyPolicy): HostileFinding[] {
  if (form !== undefined) return inspectForm(form, policy);
  if (json !== undefined) return isFhirJson(mediaType, json) ? inspectFhir(json, policy) : inspectJson(json, policy);
  if (bytes !== undefined && isXml(mediaType)) return inspectXml(bytes, policy.rules);
  return [];
}

export function isXml(mediaType: string): boolean {
  return mediaType.endsWith("/xml") || mediaType.endsWith("+xml");
}

function inspectForm(form: string, policy: BodyPolicy): HostileFinding[] {
  const found = inspectParameters(form, "form", policy);
  const overriding = [...new URLSearchParams(form).keys()].some((name) => name.toLowerCase() === "_method");
  return overriding ? [{ rule: "protocol/method-override", surface: "form" }, ...found] : found;
}

/** JSON Patch carries FHIR values without saying so. */
function isFhirJson(mediaType: string, json: Json): boolean {
  if (mediaType === "application/fhir+json" || mediaType === "application/json-patch+json") return true;
  return json !== null && typeof json === "object" && !Array.isArray(json) && typeof json["resourceType"] === "string";
}

/** Walks without recursion: the depth was bounded when the text was read, the size with it. */
function walk(json: Json, visit: (name: string, value: Json) => boolean): void {
  const stack: Json[] = [json];
  for (let value = stack.pop(); value !== undefined; value = stack.pop()) {
    if (value === null || typeof value !== "object") continue;
    if (Array.isArray(value)) {
      for (const item of value) {
        if (typeof item === "string" && !visit("", item)) return;
        if (item !== null && typeof item === "object") stack.push(item);
      }
      continue;
    }
    for (const name of Object.keys(value)) {
      const item = value[name] as Json;
      if (!visit(name, item)) return;
      if (item !== null && typeof item === "object") stack.push(item);
    }
  }
}

function inspectFhir(json: Json, { allowedOrigins }: BodyPolicy): HostileFinding[] {
  const found: HostileFinding[] = [];
  walk(json, (name, value) => {
    if (name.startsWith("$")) found.push({ rule: "protocol/json-name", surface: "json-name" });
    if (typeof value !== "string") return found.length < MOST_FINDINGS;
    if (name === "div" && isActive(value)) found.push({ rule: "script/narrative", surface: "json" });
    if (FOLLOWED.has(name) && value.includes(":")) {
      if (SSRF_SCHEME.matches(formsOf(value))) found.push({ rule: SSRF_SCHEME.id, surface: "json" });
      else if (isPrivateTarget(value, allowedOrigins)) found.push({ rule: "ssrf/private-target", surface: "json" });
    }
    return found.length < MOST_FINDINGS;
  });
  return found;
}

/** Reference.reference, Subscription.channel.endpoint, Endpoint.address: what a server follows. */
const FOLLOWED: ReadonlySet<string> = new Set(["reference", "endpoint", "address"]);

/**
 * Whether a narrative does something: an element, an address or an attribute that runs a script or fetches one. Looks from
 * left to right once, however the text is made.
 *
 * @see https://hl7.org/fhir/R4/narrative.html
 */
function isActive(narrative: string): boolean {
  let inTag = false;
  for (const [mark] of narrative.matchAll(MARKS)) {
    if (mark === "<" || mark === ">") inTag = mark === "<";
    else if (inTag || !mark.endsWith("=")) return true;
  }
  return false;
}

const MARKS =
  /<\s*(?:script|iframe|object|embed|applet|form|link|base|meta|style)\b|javascript\s*:|[<>]|\son[a-z]{3,30}\s*=/gi;

function inspectJson(json: Json, { rules }: BodyPolicy): HostileFinding[] {
  const found: HostileFinding[] = [];
  walk(json, (name, value) => {
    if (name !== "") push(found, inspectText(name, rules["json-name"]), "json-name");
    if (typeof value === "string") push(found, inspectText(value, rules.json), "json");
    return found.length < MOST_FINDINGS;
  });
  return found;
}
