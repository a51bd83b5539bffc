import { readdirSync } from "node:fs";
import { join } from "node:path";
import { checkPolicy } from "@wardline/gateway";
import { ConfigurationError } from "@wardline/policy-types";
import { describe, expect, it } from "vitest";
import { renderPolicyPage, rowsOf, SITES, typeOf } from "./policy-reference.ts";
import { ROOT, readPage } from "./support.ts";

/** `Default X.` in the comments of the policy's types, by the name of the member. */
const DEFAULTS_IN_TYPES = readdirSync(join(ROOT, "packages/policy-types/src"))
  .filter((file) => /^policy.*\.ts$/.test(file))
  .map((file) => readPage(join("packages/policy-types/src", file)))
  .flatMap((text) => [
    ...text.matchAll(
      /Default `?(?!on\b|none\b|nothing\b)([\w./:-]+?)`?(?:[.:;]|, at most)(?: (?:(?!\*\/)[\s\S])*)?\s*\*\/\s+readonly (\w+)\?:/g,
    ),
  ])
  .map(([, value = "", name = ""]) => [name, value] as const);

describe("docs/policy.md", () => {
  const page = renderPolicyPage(readPage("docs/policy.md"));
  const known = new Set(SITES.keys());
  const holdsOthers = (key: string): boolean =>
    [...known].some((other) => other.startsWith(`${key}.`) || other.startsWith(`${key}[]`));
  const leaves = [...known].filter((key) => !holdsOthers(key));
  const rows = rowsOf(page);
  const told = rows.flatMap(({ keys }) => keys);

  it("is what the schema says", async () => {
    await expect(page).toMatchFileSnapshot(join(ROOT, "docs/policy.md"));
  });

  it.each([
    ["a default of what is needed", "| Key |\n| `redis.url` | none | | | x |\n", /`redis\.url` \| needed/],
    ["needed, of what is not", "| Key |\n| `redis.prefix` | needed | | | x |\n", /`redis\.prefix` \| +\| /],
    ["another type", "| Key |\n| `redis.onFailure` | `local` | boolean | | x |\n", /`local`, `closed` \|/],
    ["other bounds", "| Key |\n| `dpop.futureSeconds` | 5 | integer | seconds | x |\n", /integer, 0 to 60 \|/],
  ])("does not keep %s", (_what, wrong, right) => {
    expect(renderPolicyPage(wrong)).toMatch(right);
  });

  it.each([
    [{ anyOf: [{ const: "off" }, { type: "object", properties: {} }] }, "`off` or object"],
    [{ type: "array", items: { enum: ["a", "b"] }, maxItems: 2 }, "list of `a`, `b`, at most 2"],
    [{ type: "object", additionalProperties: { type: "array", items: { type: "string" } } }, "by name: list"],
    [{ type: "integer", minimum: 1 }, "integer, from 1"],
    [{ type: "string", description: "a or b | c" }, "a or b \\| c"],
  ])("writes %j as the page does", (schema, words) => {
    expect(typeOf([schema])).toBe(words);
  });

  it("tells of every key of the schema", () => {
    expect(leaves.length).toBeGreaterThan(200);
    expect(leaves.filter((key) => !told.includes(key))).toEqual([]);
  });

  it("tells of no key that does not exist, and of none twice", () => {
    expect(told.filter((key) => !known.has(key))).toEqual([]);
    expect(told.filter((key, index) => told.indexOf(key) !== index)).toEqual([]);
  });

  it("has keys of one type in a row", () => {
    const types = (keys: readonly string[]): ReadonlySet<string> =>
      new Set(keys.map((key) => typeOf((SITES.get(key) ?? []).map(({ schema }) => schema))));
    expect(rows.filter(({ keys }) => types(keys).size !== 1)).toEqual([]);
  });

  it("says of each its default and its type", () => {
    expect(rows.filter(({ cells }) => cells.length !== 5 || cells[1] === "" || cells[2] === "")).toEqual([]);
  });

  it("has the defaults that the types tell an editor", () => {
    const last = (key: string): string => key.split(".").at(-1) ?? "";
    const here = rows.flatMap(({ keys, cells }) => keys.map((key) => `${last(key)}: ${cells[1]?.replaceAll("`", "")}`));
    const types = DEFAULTS_IN_TYPES.map(([name, value]) => `${name}: ${value}`);
    expect(types.length).toBeGreaterThan(50);
    expect(types.filter((one) => !here.includes(one))).toEqual([]);
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
