import type { Principal } from "@wardline/policy-types";
import { describe, expect, it, vi } from "vitest";
import { chargedBy } from "../src/charged.ts";
import { createOwners, type WindowOwner } from "../src/keys.ts";
import { limitOfWindow } from "../src/limits.ts";

const PRINCIPAL: Principal = {
  method: "jwt",
  issuer: "https://as.example",
  subject: "user-1",
  clientId: "app-1",
  roles: [],
  purposeOfUse: [],
  launch: {},
  scopes: [],
};
const AT_HOME = "192.0.2.1";
const AT_WORK = "192.0.2.2";

/** Whom a tier with limits on these charges, and how often that was looked up. */
function tierBy(...owners: readonly WindowOwner[]) {
  const limits = owners.map((by) => limitOfWindow({ name: by, by, limit: 1, windowSeconds: 1 }));
  const ownerOf = vi.fn(createOwners(56));
  const chargedFor = chargedBy(limits, ownerOf);
  return { ownerOf, from: (principal: Principal | undefined, address: string) => chargedFor({ principal, address }) };
}

describe("whom a tier charges", () => {
  it("is found out once for a principal whom all its limits name", () => {
    const { from, ownerOf } = tierBy("client", "user");
    const charged = from(PRINCIPAL, AT_HOME);
    expect([charged.keys.length, new Set(charged.keys).size, charged.notes]).toEqual([2, 2, []]);
    expect(from(PRINCIPAL, AT_WORK)).toBe(charged);
    expect(ownerOf).toHaveBeenCalledTimes(2);
    // Another that says the same is somebody else until it was looked at.
    expect(from({ ...PRINCIPAL }, AT_HOME)).toEqual(charged);
    expect(ownerOf).toHaveBeenCalledTimes(4);
  });

  it("follows the address where a limit is on addresses", () => {
    const { from } = tierBy("client", "address");
    const [home, work] = [from(PRINCIPAL, AT_HOME), from(PRINCIPAL, AT_WORK)];
    expect([home.keys[0] === work.keys[0], home.keys[1] === work.keys[1]]).toEqual([true, false]);
    expect(from(PRINCIPAL, AT_HOME)).toEqual(home);
  });

  it("follows the address of a principal that lacks what a limit is on, and says so once", () => {
    const { from } = tierBy("device", "client", "device");
    const [home, work] = [from(PRINCIPAL, AT_HOME), from(PRINCIPAL, AT_WORK)];
    expect([home.keys[0] === work.keys[0], home.keys[1] === work.keys[1]]).toEqual([false, true]);
    expect([home.notes, work.notes]).toEqual([["no device: charged to the address"], home.notes]);
  });

  it("is the address of whoever has no name", () => {
    const { from } = tierBy("client");
    const [home, work] = [from(undefined, AT_HOME), from(undefined, AT_WORK)];
    expect(home.keys).not.toEqual(work.keys);
    expect(from(undefined, AT_HOME)).toEqual(home);
  });
});
