import { compileProfiles, type ProfileDefinitions } from "../../../src/profiles/compile.ts";
import type { ProfileOptions } from "../../../src/profiles/options.ts";
import type { ProfileValidator } from "../../../src/profiles/validate.ts";

export type Element = Readonly<Record<string, unknown>> & { readonly id: string };

export const URL_OF_TEST = "https://example.org/StructureDefinition/test";

/** A profile from the few elements a test is about; each may be any number of anything unless it says otherwise. */
export function profile(type: string, elements: readonly Element[], more: object = {}): object {
  return {
    resourceType: "StructureDefinition",
    url: URL_OF_TEST,
    type,
    derivation: "constraint",
    snapshot: {
      element: [{ id: type, min: 0, max: "*" }, ...elements].map((element) => ({ min: 0, max: "*", ...element })),
    },
    ...more,
  };
}

export function compiled(
  elements: readonly Element[],
  {
    type = "Observation",
    others = [],
    valueSets = [],
    options = {},
  }: {
    readonly type?: string;
    readonly others?: readonly object[];
    readonly valueSets?: NonNullable<ProfileDefinitions["valueSets"]>;
    readonly options?: ProfileOptions;
  } = {},
): ProfileValidator {
  return compileProfiles({ structureDefinitions: [profile(type, elements), ...others], valueSets }, options);
}

/** `code expression` of each error. */
export function errorsOf(validator: ProfileValidator, resource: unknown): readonly string[] {
  return validator
    .validate(resource, [URL_OF_TEST])
    .filter(({ severity }) => severity === "error")
    .map(({ issue, expression }) => `${issue} ${expression ?? ""}`);
}

export const type = (code: string, ...profiles: string[]): object => ({
  code,
  ...(profiles.length === 0 ? {} : { profile: profiles }),
});
