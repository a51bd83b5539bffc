import type { Interaction, RoutePolicy } from "@wardline/policy-types";
import type { Upstream } from "./upstream.ts";

/** Which system answers for what, behind one FHIR base. */
export interface Backends {
  readonly all: readonly Upstream[];
  forType(type: string | undefined): Upstream;
  /** `undefined` when the request asks several systems at once, which none of them could answer. */
  forInteraction(interaction: Interaction | undefined): Upstream | undefined;
}

/** Requires a policy whose names were checked. */
export function backendsOf(route: RoutePolicy, upstreams: ReadonlyMap<string, Upstream>): Backends {
  const named = (name: string): Upstream => {
    const upstream = upstreams.get(name);
    if (upstream === undefined) throw new Error("the policy was not checked before assembly");
    return upstream;
  };
  const otherwise = named(route.upstream);
  const byType = new Map(
    (route.backends ?? []).flatMap(({ types, upstream }) => types.map((type) => [type, named(upstream)] as const)),
  );
  const forType = (type: string | undefined): Upstream =>
    type === undefined ? otherwise : (byType.get(type) ?? otherwise);

  return {
    all: [...new Set([otherwise, ...byType.values()])],
    forType,
    forInteraction(interaction) {
      if (byType.size === 0 || interaction === undefined) return otherwise;
      const { code, type, search, entries } = interaction;
      const parts = code === "batch" || code === "transaction" ? entries.map((entry) => entry.interaction) : [];
      const asked = new Set([
        ...parts.map((part) => forType(part.type)),
        ...(parts.length === 0 ? [forType(type)] : []),
      ]);
      // A search over all types would silently miss the data of the other systems.
      if (code === "search-system" || (code === "history-system" && type === undefined)) return undefined;
      // What a criterion or an include reaches has to lie in the same system as what it starts from.
      for (const { types } of (search?.criteria ?? []).flatMap(({ steps }) => steps))
        for (const one of types) asked.add(forType(one));
      return asked.size === 1 ? [...asked][0] : undefined;
    },
  };
}
