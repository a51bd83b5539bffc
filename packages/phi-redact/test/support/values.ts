import type { Json } from "@wardline/policy-types/express";
import { PRESETS } from "../../src/index.ts";
import type { PhiRedactOptions } from "../../src/options.ts";
import { createRedactor } from "../../src/redactor.ts";

export const KEY = new Uint8Array(32).fill(7);
export const PSEUDONYMS = { purpose: "test", keyId: "k1", keys: { k1: KEY } };

/** Calls `visit` for every string in a value, with the last three names on the way to it. */
export function visitStrings(value: Json | undefined, visit: (place: string, value: string) => void, place = ""): void {
  if (typeof value === "string") visit(place, value);
  else if (Array.isArray(value)) for (const item of value) visitStrings(item, visit, place);
  else if (value !== null && typeof value === "object") {
    for (const [name, member] of Object.entries(value))
      visitStrings(member, visit, `${place}.${name}`.split(".").slice(-3).join("."));
  }
}

/** What `resource` becomes under one-off rules, without what every profile does. */
export function redacted(
  resource: Json,
  rules: NonNullable<(typeof PRESETS)["full"]["rules"]>,
  options: PhiRedactOptions = {},
): Json | undefined {
  const full = PRESETS.full.rules ?? [];
  const own = new Set(rules.map(({ path }) => path));
  const profile = { name: "test", rules: [...rules, ...full.filter(({ path }) => !own.has(path))] };
  return createRedactor({ profile, pseudonyms: PSEUDONYMS, ...options }).redact(resource);
}

/** A cipher that hides nothing from the test: it says what it was given. */
export const SPY_CIPHER = {
  prepare: () => Promise.resolve(),
  encryptField: (value: unknown, place: unknown) => ({
    extension: [
      { url: "http://hl7.org/fhir/StructureDefinition/data-absent-reason", valueCode: "masked" },
      {
        url: "urn:wardline:encrypted-field",
        valueString: `w1.k.k.${Buffer.from(JSON.stringify([value, place])).toString("base64url")}`,
      },
    ] as const,
  }),
};

/** What the spy was given, out of an element it left. */
export function spied(element: Json | undefined): Json {
  const text = JSON.stringify(element).match(/w1\.k\.k\.([\w-]+)/)?.[1] ?? "";
  return JSON.parse(Buffer.from(text, "base64url").toString()) as Json;
}
