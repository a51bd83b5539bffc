import { closed, date, flag, list, named, secret, someWords, text } from "./parts.ts";

const action = {
  anyOf: [
    { enum: ["keep", "remove", "mask", "generalise", "pseudonymise", "encrypt"] },
    closed({ mask: closed({ last: { type: "integer", minimum: 1, maximum: 8 } }, ["last"]) }, ["mask"]),
  ],
} as const;

/** What a route says of its answers' redaction. */
export const routeRedaction: object = {
  anyOf: [
    text,
    list(
      closed({ when: closed({ clients: someWords, roles: someWords, purposes: someWords }), profile: text }, [
        "profile",
      ]),
    ),
  ],
};

/** Members of the policy that say in which form data leave. */
export const data: Readonly<Record<string, object>> = {
  redaction: closed({
    profiles: named(closed({ only: someWords, rules: list(closed({ path: text, action }, ["path", "action"])) })),
    sensitive: list(
      closed(
        {
          category: text,
          fate: { enum: ["drop", "redact", "encrypt"] },
          unless: list(closed({ roles: someWords, purposes: someWords, consent: flag })),
        },
        ["category", "fate"],
      ),
    ),
    pseudonyms: closed(
      {
        purpose: text,
        keyId: { type: "string", pattern: "^[a-z0-9]{1,8}$" },
        keys: {
          type: "object",
          minProperties: 1,
          propertyNames: { pattern: "^[a-z0-9]{1,8}$" },
          additionalProperties: secret,
        },
      },
      ["purpose", "keyId", "keys"],
    ),
    encryption: closed({ keyRing: text, passphrase: secret }, ["keyRing", "passphrase"]),
  }),
  dlp: {
    anyOf: [
      { const: false },
      closed({
        path: { enum: ["refuse", "report", "off"] },
        query: { enum: ["refuse", "report", "off"] },
        headers: { enum: ["refuse", "report", "off"] },
        searches: { enum: ["require-post", "report", "off"] },
      }),
    ],
  },
};

export const registry: object = closed({
  owner: text,
  version: text,
  dataClass: text,
  vendor: closed(
    {
      name: text,
      agreement: text,
      reviewed: date,
      reviewMonths: { type: "integer", minimum: 6, maximum: 12 },
    },
    ["name"],
  ),
  dependsOn: someWords,
  consumers: someWords,
  approvedScopes: someWords,
  introduced: date,
  deprecated: date,
  retired: date,
  successor: text,
});
