import { expect, it } from "vitest";
import type { ConsentRegistry } from "../../src/index.ts";

/** What every consent registry must do. `create` makes an empty one. */
export function consentRegistryContract(create: () => Promise<ConsentRegistry>): void {
  const APP = { clientId: "app-1", organisation: "acme" };
  const said = async (registry: ConsentRegistry, caller: object = APP, patient = "p1") =>
    (await registry.view(caller)).withheldBy(patient);

  it("withholds nothing to begin with", async () => {
    const view = await (await create()).view(APP);
    expect([view.withholdsAny(), view.withheldBy("p1")]).toEqual([false, []]);
  });

  it("withholds from whom it was told, and from nobody else", async () => {
    const registry = await create();
    await registry.revoke("p1", { client: "app-1" });
    expect(await said(registry)).toBe("all");
    expect(await said(registry, { clientId: "app-2", organisation: "acme" })).toEqual([]);
    expect(await said(registry, APP, "p2")).toEqual([]);
    expect((await registry.view({ clientId: "app-2" })).withholdsAny()).toBe(false);
    await registry.revoke("p2", { organisation: "acme" });
    expect(await said(registry, { clientId: "app-2", organisation: "acme" }, "p2")).toBe("all");
    expect(await said(registry, { clientId: "app-2", organisation: "other" }, "p2")).toEqual([]);
  });

  it("withholds from a caller who does not say whose it is", async () => {
    const registry = await create();
    await registry.revoke("p1", { organisation: "acme" });
    expect(await said(registry, { clientId: "app-1" })).toBe("all");
    expect(await said(registry, {})).toBe("all");
  });

  it("withholds categories, from everyone or from one", async () => {
    const registry = await create();
    await registry.revoke("p1", { category: "sud" });
    await registry.revoke("p1", { category: "hiv", client: "app-1" });
    expect([...new Set(await said(registry))].sort()).toEqual(["hiv", "sud"]);
    expect(await said(registry, { clientId: "app-2" })).toEqual(["sud"]);
  });

  it("takes back exactly what was revoked", async () => {
    const registry = await create();
    await registry.revoke("p1", { client: "app-1" });
    await registry.revoke("p1", { category: "sud" });
    await registry.restore("p1", { client: "app-2" });
    expect(await said(registry)).toBe("all");
    await registry.restore("p1", { client: "app-1" });
    expect(await said(registry)).toEqual(["sud"]);
    await registry.restore("p1", { category: "sud" });
    expect((await registry.view(APP)).withholdsAny()).toBe(false);
  });

  const agreed = async (registry: ConsentRegistry, caller: object = APP, patient = "p1") =>
    (await registry.view(caller)).permits(patient, "sud");

  it("A5: permits nothing to begin with, and only what, to whom and by whom it was told", async () => {
    const registry = await create();
    expect(await agreed(registry)).toBe(false);
    await registry.permit("p1", { category: "hiv" });
    await registry.permit("p2", { category: "sud" });
    await registry.permit("p1", { category: "sud", client: "app-2" });
    await registry.permit("p1", { category: "sud", organisation: "other" });
    expect(await agreed(registry)).toBe(false);
    expect(await agreed(registry, {})).toBe(false);
    expect(await agreed(registry, { clientId: "app-2" })).toBe(true);
    await registry.permit("p1", { category: "sud", client: "app-1", organisation: "acme" });
    expect(await agreed(registry)).toBe(true);
    expect(await agreed(registry, { clientId: "app-1" })).toBe(false);
    expect((await registry.view(APP)).withholdsAny()).toBe(false);
  });

  it("A10: what is withheld is not permitted, and a permission ends when it is withdrawn", async () => {
    const registry = await create();
    await registry.permit("p1", { category: "sud" });
    const view = await registry.view(APP);
    await registry.revoke("p1", { category: "sud", client: "app-1" });
    expect([await agreed(registry), view.permits("p1", "sud")]).toEqual([false, false]);
    await registry.restore("p1", { category: "sud", client: "app-1" });
    await registry.revoke("p1", {});
    expect(await agreed(registry)).toBe(false);
    await registry.restore("p1", {});
    expect(await agreed(registry)).toBe(true);
    await registry.withdraw("p1", { category: "sud" });
    expect([await agreed(registry), view.permits("p1", "sud")]).toEqual([false, false]);
  });

  it("a document may permit, and does no more once it is gone", async () => {
    const registry = await create();
    await registry.record({ source: "Consent/1", patient: "p1", withheld: [], permitted: [{ category: "sud" }] });
    expect(await agreed(registry)).toBe(true);
    await registry.record({ source: "Consent/1", patient: "p1", withheld: [{ category: "hiv" }] });
    expect(await agreed(registry)).toBe(false);
    await registry.record({ source: "Consent/2", patient: "p1", withheld: [], permitted: [{ category: "sud" }] });
    await registry.forget("Consent/2");
    expect(await agreed(registry)).toBe(false);
  });

  it("keeps the last word of a document, whoever its patient was before", async () => {
    const registry = await create();
    const source = "Consent/1";
    await registry.record({ source, patient: "p1", withheld: [{ client: "app-1" }, { category: "sud" }] });
    await registry.record({ source: "Consent/2", patient: "p1", withheld: [{ category: "hiv" }] });
    expect(await said(registry)).toBe("all");
    await registry.record({ source, patient: "p2", withheld: [{}] });
    expect([await said(registry), await said(registry, APP, "p2")]).toEqual([["hiv"], "all"]);
    await registry.forget(source);
    await registry.forget("Consent/3");
    expect([await said(registry), await said(registry, APP, "p2")]).toEqual([["hiv"], []]);
  });

  it("A10: changes a view that was asked for before", async () => {
    const registry = await create();
    const view = await registry.view(APP);
    await registry.revoke("p1", {});
    expect([view.withholdsAny(), view.withheldBy("p1")]).toEqual([true, "all"]);
  });
}
