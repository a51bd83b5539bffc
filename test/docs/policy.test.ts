import { checkPolicy } from "@wardline/gateway";
import { ConfigurationError, POLICY_SCHEMA } from "@wardline/policy-types";
import { describe, expect, it } from "vitest";
import { readPage } from "./support.ts";

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly anyOf?: readonly Schema[];
}

interface Row {
  readonly keys: readonly string[];
  readonly cells: readonly string[];
}

/** Every key of the schema, written as the page writes it: `routes[].path`, `tiers.*.quotas[].per`. */
function keysOf(schema: Schema, path: string): readonly string[] {
  const { properties = {}, items, additionalProperties, anyOf = [] } = schema;
  return [
    ...anyOf.flatMap((one) => keysOf(one, path)),
    ...(items === undefined ? [] : keysOf(items, `${path}[]`)),
    ...(typeof additionalProperties === "object" ? keysOf(additionalProperties, `${path}.*`) : []),
    ...Object.entries(properties).flatMap(([name, member]) => {
      const key = path === "" ? name : `${path}.${name}`;
      return [key, ...keysOf(member, key)];
    }),
  ];
}

function rowsOf(page: string): readonly Row[] {
  let above: readonly string[] = [];
  return page.split("\n").flatMap((line): Row[] => {
    if (line.startsWith("## ")) above = [];
    if (line.startsWith("Below ")) above = ticked(line.split(/[;:]/)[0] ?? "");
    if (!line.startsWith("| `")) return [];
    const cells = line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim());
    const keys = ticked(cells[0] ?? "").flatMap((key) => (key.startsWith(".") ? above.map((one) => one + key) : [key]));
    return [{ keys, cells }];
  });
}

function ticked(text: string): readonly string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, one = ""]) => one);
}

describe("docs/policy.md", () => {
  const known = new Set(keysOf(POLICY_SCHEMA as Schema, ""));
  const holdsOthers = (key: string): boolean =>
    [...known].some((other) => other.startsWith(`${key}.`) || other.startsWith(`${key}[]`));
  const leaves = [...known].filter((key) => !holdsOthers(key));
  const rows = rowsOf(readPage("docs/policy.md"));
  const told = rows.flatMap(({ keys }) => keys);

  it("tells of every key of the schema", () => {
    expect(leaves.length).toBeGreaterThan(200);
    expect(leaves.filter((key) => !told.includes(key))).toEqual([]);
  });

  it("tells of no key that does not exist, and of none twice", () => {
    expect(told.filter((key) => !known.has(key))).toEqual([]);
    expect(told.filter((key, index) => told.indexOf(key) !== index)).toEqual([]);
  });

  it("says of each its default and its unit or form", () => {
    expect(rows.filter(({ cells }) => cells.length !== 4 || cells[1] === "" || cells[2] === "")).toEqual([]);
  });

  it.each([
    ["an introspection secret", introspecting],
    ["a nonce key", (secret: string) => ({ dpop: { nonceKey: secret } })],
    ["a page-link key", (secret: string) => ({ pageLinks: { keys: [secret] } })],
    ["a TLS key", (secret: string) => ({ listen: { zones: ["patient"], tls: { cert: "edge.crt", key: secret } } })],
    ["a webhook's secret", (secret: string) => ({ abuse: { webhook: { url: "https://ops.example.org", secret } } })],
    ["a passphrase", (secret: string) => ({ redaction: { encryption: { keyRing: "ring", passphrase: secret } } })],
  ])("S15: %s in place of a reference is refused and not repeated", (_what, part) => {
    const base = { upstream: "https://ehr.internal.example/r4", issuer: "https://id.example.org" };
    const judge = (secret: string): string => {
      try {
        const given = part(secret);
        checkPolicy("issuers" in given ? { upstream: base.upstream, ...given } : { ...base, ...given });
        return "";
      } catch (error) {
        return error instanceof ConfigurationError ? `${error.message} ${JSON.stringify(error.issues)}` : "no finding";
      }
    };
    expect(judge("env:SECRET")).toBe("");
    const told = judge("hunter2-hunter2");
    expect(told).toMatch(/secret|key|passphrase|nonceKey/i);
    expect(told).not.toContain("hunter2");
  });
});

function introspecting(secret: string): object {
  const authentication = { method: "client_secret_basic", secret };
  const introspection = { endpoint: "https://id.example.org/introspect", clientId: "edge", authentication };
  return { issuers: [{ issuer: "https://id.example.org", introspection }] };
}
