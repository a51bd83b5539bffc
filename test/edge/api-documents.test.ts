import type { PolicyDocument } from "@wardline/policy-types";
import { describe, expect, it } from "vitest";
import { type Edge, startEdge } from "./support/edge.ts";

let edge: Edge;

const published = (policy: PolicyDocument): PolicyDocument => ({
  ...policy,
  apiDocuments: { title: "FHIR of the town", version: "2026.1" },
});
const at = (path: string): string => new URL(edge.base).origin + path;

describe("what the edge tells anybody about itself", () => {
  it("S7: nothing unless the policy says so", async () => {
    edge = await startEdge();
    expect((await fetch(at("/openapi.json"))).status).toBe(404);
    expect((await fetch(at("/api.html"))).status).toBe(404);
  });

  it("42 CFR 422.119(d): the OpenAPI document and its page, to whoever asks, with the edge's own headers", async () => {
    edge = await startEdge(published);
    const answer = await fetch(at("/openapi.json?x=1"));
    const document = (await answer.json()) as { openapi: string; info: object; paths: Record<string, object> };
    expect(answer.status).toBe(200);
    expect(document.openapi).toMatch(/^3\.1/);
    expect(document.info).toMatchObject({ title: "FHIR of the town", version: "2026.1" });
    expect(Object.keys(document.paths)).toContain("/fhir/{type}/{id}");
    expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
    expect(answer.headers.get("x-request-id")).not.toBeNull();
    expect(answer.headers.get("cache-control")).toBe("public, max-age=300");

    const page = await fetch(at("/api.html"));
    expect(page.headers.get("content-type")).toContain("text/html");
    expect(await page.text()).toContain("FHIR of the town");
  });

  it("says of every documented read what the edge then does", async () => {
    edge = await startEdge(published);
    const { paths } = (await (await fetch(at("/openapi.json"))).json()) as { paths: Record<string, object> };
    expect(paths["/fhir/{type}/{id}"]).toHaveProperty("get");
    expect((await fetch(at("/fhir/Patient/a"))).status).toBe(401);
    expect(paths["/fhir/{type}/{id}"]).not.toHaveProperty("options");
  });

  it("S7: by its exact path and method alone", async () => {
    edge = await startEdge(published);
    for (const path of ["/openapi.json/", "/OpenAPI.json", "//openapi.json", "/x/../openapi.jsonx"]) {
      expect((await fetch(at(path))).status, path).not.toBe(200);
    }
    expect((await fetch(at("/openapi.json"), { method: "POST" })).status).toBe(404);
  });

  it("tells of no zone the policy does not name, and through no door without its routes", async () => {
    edge = await startEdge((policy) => ({
      ...published(policy),
      routes: policy.routes.flatMap((route) => [
        route,
        { ...route, id: "staff", path: "/staff", zone: "internal", apiType: "clinical", addresses: ["127.0.0.0/8"] },
      ]) as PolicyDocument["routes"],
      issuers: policy.issuers.map(({ audience: _audience, ...issuer }) => issuer),
    }));
    const { paths } = (await (await fetch(at("/openapi.json"))).json()) as { paths: Record<string, object> };
    expect(Object.keys(paths).filter((path) => path.startsWith("/staff"))).toEqual([]);
  });
});
