import type { RequestHandler } from "express";
import { describe, expectTypeOf, it } from "vitest";
import {
  DEFAULT_SUPPORT_TYPES,
  type IntrospectionAuthentication,
  parseScope,
  type ReadStored,
  type ReplayStore,
  type ResourceScope,
  type RevocationList,
  type SmartAuthOptions,
  smartAuth,
  smartConfiguration,
} from "../src/index.ts";

const OPTIONS: SmartAuthOptions = {
  issuers: [{ issuer: "https://as.example", audience: ["a"] }],
  baseUrl: "https://a",
};

/** What a user's compiler sees; checked when the tests are compiled. */
describe("the public types", () => {
  it("give handlers for an Express app", () => {
    expectTypeOf(smartAuth).returns.toEqualTypeOf<RequestHandler>();
    expectTypeOf(smartConfiguration).returns.toEqualTypeOf<RequestHandler>();
    expectTypeOf(parseScope).returns.toEqualTypeOf<ResourceScope | undefined>();
    expectTypeOf(DEFAULT_SUPPORT_TYPES).toEqualTypeOf<readonly string[]>();
  });

  it("take ways to authenticate that are complete", () => {
    expectTypeOf<{ method: "client_secret_basic"; secret: string }>().toExtend<IntrospectionAuthentication>();
    expectTypeOf<{ method: "client_secret_basic" }>().not.toExtend<IntrospectionAuthentication>();
    expectTypeOf<{ method: "private_key_jwt"; secret: string }>().not.toExtend<IntrospectionAuthentication>();
  });

  it("take stores that answer with a boolean, later", () => {
    expectTypeOf<{ add: (key: string) => Promise<boolean> }>().toExtend<ReplayStore>();
    expectTypeOf<{ add: (key: string) => boolean }>().not.toExtend<ReplayStore>();
    expectTypeOf<{ isRevoked: () => Promise<undefined> }>().not.toExtend<RevocationList>();
  });

  it("take readers that give JSON or nothing", () => {
    expectTypeOf<
      (reference: { readonly type: string; readonly id: string }) => Promise<undefined>
    >().toExtend<ReadStored>();
    expectTypeOf<() => Promise<Date>>().not.toExtend<ReadStored>();
  });

  it("refuse misspelled options and unknown interactions", () => {
    // @ts-expect-error: the key is `issuers`
    const misspelled: SmartAuthOptions = { ...OPTIONS, issuer: [] };
    // @ts-expect-error: no such interaction
    const unknown: SmartAuthOptions = { ...OPTIONS, interactions: ["reed"] };
    expectTypeOf(misspelled).toEqualTypeOf(unknown);
  });
});
