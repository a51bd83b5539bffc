import type { Principal } from "@wardline/policy-types";
import { contextOf } from "@wardline/policy-types/express";
import type { Request } from "express";
import type { Access } from "../access.ts";
import type { GuardFacts } from "../guard/facts.ts";
import { bindingsOf, createPages } from "../links/pages.ts";
import type { Rights } from "../rights.ts";
import type { SmartAuthSettings } from "../settings.ts";

/** What an answer will be judged by. */
export interface Judged {
  readonly rights: Rights;
  readonly access: Access;
  /** Which of the searches that together answer it. */
  readonly part: number;
  /** Whom page links are sealed for. Absent: nobody's. */
  readonly principal?: Principal;
}

const PAGED = /^(?:search|history)-/;

/** What the guard needs to know of one request; the patients it tells of are noted for the audit (A15). */
export function guardFacts(req: Request, judged: Judged, { sealer, route }: SmartAuthSettings): GuardFacts {
  const { rights, access, part, principal } = judged;
  const { baseUrl, baseUrls, extraParameters } = route;
  const context = contextOf(req);
  context.delivered ??= new Set();
  const { delivered } = context;
  const pages =
    sealer === undefined || principal === undefined || !PAGED.test(access.interaction.code)
      ? undefined
      : createPages({
          sealer,
          bindings: bindingsOf(principal, rights.grant, baseUrl),
          baseUrl,
          access,
          part,
          rights,
        });
  return {
    access,
    interaction: access.interaction,
    bound: access.bound,
    narrowing: access.narrowing,
    rights,
    baseUrl,
    baseUrls,
    extraParameters,
    pages,
    onPatients: (ids, what) => {
      for (const id of ids) {
        context.patients.add(id);
        if (what !== "written") delivered.add(id);
      }
    },
  };
}

/** A15: a write is recorded with its patients whether or not its answer repeats them. */
export function notePatients(req: Request, { patients }: Access): void {
  if (patients === undefined) return;
  const noted = contextOf(req).patients;
  for (const id of patients) noted.add(id);
}

/** The reasons of a permit, and the scopes it rests on: the same list for what is permitted for the same reasons again. */
export function withScopes(because: readonly string[], { grant: { clauses } }: Rights): readonly string[] {
  const [only] = because;
  const key = because.length === 1 && only !== undefined ? only : because.join("\n");
  const lists = REASONS.get(clauses) ?? new Map<string, readonly string[]>();
  const known = lists.get(key);
  if (known !== undefined) return known;
  const list = Object.freeze([...because, ...clauses.map(({ from }) => from)]);
  if (lists.size < MOST_REASONS) REASONS.set(clauses, lists.set(key, list));
  return list;
}

/** Kept with a token's clauses, and no longer. */
const REASONS = new WeakMap<object, Map<string, readonly string[]>>();
const MOST_REASONS = 32;
