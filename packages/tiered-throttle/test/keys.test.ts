import type { Principal } from "@wardline/policy-types";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createOwners, hashKey, partitionOf } from "../src/keys.ts";

const PRINCIPAL: Principal = {
  method: "jwt",
  issuer: "https://as.example",
  subject: "user-1",
  clientId: "app-1",
  organisation: "org-1",
  device: "dev-1",
  department: "ward-7",
  roles: [],
  purposeOfUse: [],
  launch: {},
  scopes: [],
};
const OWNERS = ["client", "user", "organisation", "device", "department"] as const;

describe("whom a window charges", () => {
  it.each([
    ["client", ["client", "https://as.example", "app-1"]],
    ["user", ["user", "https://as.example", "user-1"]],
    ["organisation", ["organisation", "https://as.example", "org-1"]],
    ["device", ["device", "https://as.example", "dev-1"]],
    ["department", ["department", "https://as.example", "org-1", "ward-7"]],
    ["address", ["address", "192.0.2.1"]],
  ] as const)("%s", (by, parts) => {
    expect(partitionOf(by, { principal: PRINCIPAL, address: "192.0.2.1" }, 56)).toEqual({ parts });
  });

  it.each(OWNERS)("an address, and says so, when there is no %s", (by) => {
    const { clientId: _c, organisation: _o, device: _d, department: _w, ...bare } = PRINCIPAL;
    const expected = { parts: ["address", "192.0.2.1"], because: `no ${by}: charged to the address` };
    expect(partitionOf(by, { principal: undefined, address: "192.0.2.1" }, 56)).toEqual(expected);
    if (by !== "user") expect(partitionOf(by, { principal: bare, address: "192.0.2.1" }, 56)).toEqual(expected);
  });

  it("the same name under another issuer is somebody else", () => {
    const other = { ...PRINCIPAL, issuer: "https://other.example" };
    for (const by of OWNERS) {
      const [a, b] = [PRINCIPAL, other].map(
        (principal) => partitionOf(by, { principal, address: undefined }, 56).parts,
      );
      expect(a).not.toEqual(b);
    }
  });

  it.each([
    ["2001:db8:0:1100::1", "2001:db8:0:11ff:ffff::2", true],
    ["2001:db8:0:1100::1", "2001:db8:0:1200::1", false],
    ["::ffff:192.0.2.1", "192.0.2.1", true],
    ["::ffff:c000:201", "192.0.2.1", true],
    ["192.0.2.1", "192.0.2.2", false],
    ["::ffff:192.0.2.1", "::ffff:192.0.2.2", false],
    ["fe80::1%eth0", "fe80::1", true],
  ])("S5: %s and %s: one counter is %s", (a, b, same) => {
    const [one, two] = [a, b].map((address) => partitionOf("address", { principal: undefined, address }, 56).parts);
    expect(hashKey(one ?? []) === hashKey(two ?? [])).toBe(same);
  });
});

describe("S8: keys", () => {
  it("two lists of parts give one key only when they are equal", () => {
    const part = fc.string({ maxLength: 4, unit: fc.constantFrom("a", "1", ":", "0", "é") });
    fc.assert(
      fc.property(fc.array(part, { maxLength: 4 }), fc.array(part, { maxLength: 4 }), (a, b) => {
        expect(hashKey(a) === hashKey(b)).toBe(JSON.stringify(a) === JSON.stringify(b));
      }),
      { numRuns: 500 },
    );
  });

  it("hold nothing of the caller in clear, and differ by owner", () => {
    const ownerOf = createOwners(56);
    const caller = { principal: PRINCIPAL, address: "192.0.2.1" };
    const keys = ([...OWNERS, "address"] as const).map((by) => ownerOf(by, caller).key);
    expect(new Set(keys).size).toBe(OWNERS.length + 1);
    for (const key of keys) expect(key).toMatch(/^[\w-]{43}$/);
  });

  it("are the same again, remembered or not", () => {
    const ownerOf = createOwners(56);
    const caller = { principal: PRINCIPAL, address: "192.0.2.1" };
    for (const by of OWNERS) {
      const first = ownerOf(by, caller);
      expect(ownerOf(by, caller)).toEqual(first);
      expect(ownerOf(by, { ...caller, principal: { ...PRINCIPAL } })).toEqual(first);
      expect(first.key).toBe(hashKey(partitionOf(by, caller, 56).parts));
    }
  });

  it("of a principal that lacks the part follow its address", () => {
    const ownerOf = createOwners(56);
    const { device: _d, ...bare } = PRINCIPAL;
    const keys = ["192.0.2.1", "192.0.2.2", "192.0.2.1"].map(
      (address) => ownerOf("device", { principal: bare, address }).key,
    );
    expect([keys[0] === keys[1], keys[0] === keys[2]]).toEqual([false, true]);
  });

  it("a flood of addresses does not change anybody's key", () => {
    const ownerOf = createOwners(56);
    const keyOf = (address: string): string => ownerOf("address", { principal: undefined, address }).key;
    const before = keyOf("192.0.2.1");
    for (let index = 0; index < 5000; index += 1) keyOf(`10.0.${index >> 8}.${index & 255}`);
    expect(keyOf("192.0.2.1")).toBe(before);
  });
});
