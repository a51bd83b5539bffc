import type { SearchParameterType } from "@wardline/policy-types";
import { COMPOSITES } from "./generated/composites.ts";

const byName: ReadonlyMap<string, readonly SearchParameterType[]> = new Map(
  COMPOSITES.trim()
    .split("\n")
    .map((line) => {
      const [type, code, ...components] = line.split(" ");
      return [`${type} ${code}`, components as SearchParameterType[]];
    }),
);

/** The types of a composite's parts; undefined unless all the types it is evaluated on agree. */
export function componentsOf(types: readonly string[], code: string): readonly SearchParameterType[] | undefined {
  const [first, ...others] = types.map((type) => byName.get(`${type} ${code}`));
  return others.every((other) => String(other) === String(first)) ? first : undefined;
}
