import { INTERACTION_CODES } from "../interaction.ts";

/** Pieces of the policy's JSON Schema that several places share. */
export const name: object = {
  type: "string",
  pattern: "^[A-Za-z][A-Za-z0-9_-]{0,63}$",
  description: "a name of at most 64 letters, digits, `_` and `-` that begins with a letter",
};
export const text: object = { type: "string", minLength: 1 };
export const flag: object = { type: "boolean" };
export const positive: object = { type: "integer", minimum: 1 };
export const count: object = { type: "integer", minimum: 0 };
export const share: object = { type: "number", minimum: 0, maximum: 1 };
export const port: object = { type: "integer", minimum: 0, maximum: 65_535 };
export const words: object = { type: "array", items: { type: "string", minLength: 1 }, uniqueItems: true };
export const someWords: object = { ...words, minItems: 1 };
export const oneOrSome: object = { anyOf: [text, someWords] };
export const url: object = {
  type: "string",
  pattern: "^https?://[^\\s/?#]+[^\\s?#]*$",
  description: "an absolute URL without a query, `https://host/path`",
};
export const date: object = {
  type: "string",
  pattern: "^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])$",
  description: 'a day as text, `"2026-11-01"`',
};
/** Where a secret is, never the secret. */
export const secret: object = {
  type: "string",
  pattern: "^(env|file|provider):.+$",
  description: "where the secret is, `env:NAME` or `file:/path`, not the secret",
};
/** What a route offers: its operations are registered by name. */
export const interactions: object = codes(INTERACTION_CODES.filter((code) => code !== "operation"));
/** What a rule is about. */
export const anyInteractions: object = codes(INTERACTION_CODES);

function codes(known: readonly string[]): object {
  return { type: "array", minItems: 1, uniqueItems: true, items: { enum: known } };
}

/** An object of these members and no others. */
export function closed(properties: object, required: readonly string[] = []): object {
  return { type: "object", additionalProperties: false, required, properties };
}

/** Entries by name. */
export function named(entry: object): object {
  return { type: "object", minProperties: 1, propertyNames: name, additionalProperties: entry };
}

export function list(items: object): object {
  return { type: "array", minItems: 1, items };
}
