import {
  type PhiRedactOptions,
  PRESETS,
  type PresetName,
  phiRedact,
  type RedactionProfile,
} from "@wardline/phi-redact";
import { type Findings, nearest, type PolicyDocument, type RoutePolicy, type TrustZone } from "@wardline/policy-types";
import type { ConsentRegistry } from "@wardline/smart-auth";
import type { RequestHandler } from "express";
import type { Material } from "../state/material.ts";

/** What leaves under a route that says nothing of it: the zone table of the design. */
const BY_ZONE: Readonly<Record<TrustZone, PresetName>> = Object.freeze({
  patient: "minimum-necessary",
  internal: "full",
  partner: "minimum-necessary",
  device: "minimum-necessary/telemetry",
});

/** What a person asks of her own record is hers whole. @see 45 CFR 164.502(b)(2)(ii), 164.524; 42 CFR 422.119 */
const BY_API_TYPE: Readonly<Record<string, PresetName | undefined>> = Object.freeze({ "patient-access": "full" });

export function redaction(
  policy: PolicyDocument,
  route: RoutePolicy,
  material: Material,
  bases: readonly string[],
  consent: ConsentRegistry,
): RequestHandler {
  const { profiles = {}, sensitive } = policy.redaction ?? {};
  const profileOf = (name: string): PresetName | RedactionProfile => {
    const own = Object.hasOwn(profiles, name) ? profiles[name] : undefined;
    return own === undefined ? (name as PresetName) : { name, ...own };
  };
  const chosen = route.redaction ?? BY_API_TYPE[route.apiType] ?? BY_ZONE[route.zone];
  const options: PhiRedactOptions = {
    ...(typeof chosen === "string"
      ? { profile: profileOf(chosen) }
      : { profiles: chosen.map(({ when = {}, profile }) => ({ when, profile: profileOf(profile) })) }),
    ...(sensitive === undefined ? {} : { sensitive }),
    ...material.redactionKeys,
    ...(route.extraParameters === undefined ? {} : { extraParameters: route.extraParameters }),
    // Live: a permission that ends while an answer is made is over for the rest of it (A10).
    consent: ({ clientId, organisation }) =>
      consent.view({
        ...(clientId === undefined ? {} : { clientId }),
        ...(organisation === undefined ? {} : { organisation }),
      }),
    // The upstream is asked what was rewritten.
    parts: "leave-out",
    baseUrls: bases,
    intermediary: new URL(policy.publicOrigin).hostname,
    requestBytes: policy.limits?.requestBodyBytes ?? 1024 * 1024,
  };
  return phiRedact(options);
}

/** Adds what a route or profile names that does not exist. */
export function checkRedaction({ redaction: own, routes }: PolicyDocument, found: Findings): void {
  const names = [...new Set([...Object.keys(PRESETS), ...Object.keys(own?.profiles ?? {})])];
  for (const name of Object.keys(own?.profiles ?? {})) {
    if (Object.hasOwn(PRESETS, name))
      found.add(`redaction.profiles.${name}`, "repeated", "is the name of a preset; take another");
  }
  for (const [index, { redaction: chosen }] of routes.entries()) {
    const wanted =
      chosen === undefined ? [] : typeof chosen === "string" ? [chosen] : chosen.map(({ profile }) => profile);
    for (const name of wanted) {
      if (names.includes(name)) continue;
      const near = nearest(name, names);
      const hint = near === undefined ? `known ones are ${names.join(", ")}` : `did you mean \`${near}\`?`;
      found.add(`routes[${index}].redaction`, "unknown-name", `there is no redaction profile \`${name}\`, ${hint}`);
    }
  }
}
