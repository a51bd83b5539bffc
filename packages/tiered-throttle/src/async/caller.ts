import type { IncomingMessage } from "node:http";
import { contextOf } from "@wardline/policy-types/express";
import { hashKey } from "../keys.ts";

/** Who asks, in parts; only hashes of them are kept. */
export interface AsyncCaller {
  readonly caller: readonly string[];
  readonly organisation: readonly string[];
}

/** The same client acting for the same user is the same caller; the organisation is the token's, else the client itself. */
export function callerOf(req: IncomingMessage): AsyncCaller | undefined {
  const { principal } = contextOf(req);
  if (principal === undefined) return undefined;
  const { issuer, subject, clientId, tenant = "", organisation } = principal;
  return {
    caller: [issuer, subject, clientId ?? "", tenant],
    organisation:
      organisation === undefined
        ? ["client", issuer, tenant, clientId ?? subject]
        : ["organisation", issuer, tenant, organisation],
  };
}

/** S8: what a journal, a store and their backups hold in place of names. */
export interface Owner {
  readonly owner: string;
  readonly organisation: string;
}

export function ownerOf(caller: AsyncCaller | undefined): Owner | undefined {
  return caller && { owner: hashKey(caller.caller), organisation: hashKey(caller.organisation) };
}
