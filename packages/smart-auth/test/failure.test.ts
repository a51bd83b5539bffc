import { asFailure } from "@wardline/policy-types/express";
import { describe, expect, it } from "vitest";
import { createEdge } from "./support/edge.ts";
import { EXPRESS } from "./support/servers.ts";

/** What Express takes for going on, or for passing over what follows. */
const NO_ERRORS: readonly unknown[] = [undefined, null, false, 0, "", "route", "router"];

describe.each(EXPRESS)("whatever is thrown while a request is decided, on %s", (_name, express) => {
  it.each(NO_ERRORS)("%j ends the request, be it denied or permitted", async (thrown) => {
    const edge = await createEdge(express, {
      onDecision: () => {
        throw thrown;
      },
    });
    for (const scope of [undefined, "patient/*.rs", "patient/*.rs"]) {
      expect((await edge.as(scope, "/Patient/p1")).status).toBe(500);
    }
    expect(edge.backend.seen).toEqual([]);
  });

  it.each(NO_ERRORS)("%j ends it at once for a token that is known", async (thrown) => {
    let listens = (): void => undefined;
    const edge = await createEdge(express, { onDecision: () => listens() });
    const authorization = `Bearer ${await edge.issuer.token()}`;
    const ask = () => edge.as(undefined, "/Patient/p1", { headers: { authorization } });
    expect((await ask()).status).toBe(200);
    listens = () => {
      throw thrown;
    };
    expect((await ask()).status).toBe(500);
    expect(edge.backend.seen.length).toBe(1);
  });
});

describe("a failure", () => {
  it("is the error that was thrown, or one that names it", () => {
    const error = new RangeError("one");
    expect(asFailure(error)).toBe(error);
    for (const thrown of NO_ERRORS) expect(asFailure(thrown)).toMatchObject({ cause: thrown });
  });
});
