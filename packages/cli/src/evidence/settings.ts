import type { PolicySetting } from "./requirement.ts";

/** A setting of the given policy. */
export interface SettingValue {
  readonly path: string;
  readonly value: string;
  /** `default`: the policy does not say. */
  readonly from: "policy" | "default";
}

export function settingValue(policy: unknown, { path, otherwise }: PolicySetting): SettingValue {
  const found = at(policy, path.replaceAll("[]", ".[]").split(".")).filter((value) => value !== undefined);
  if (found.length === 0) return { path, value: otherwise, from: "default" };
  return { path, value: [...new Set(found.map(show))].join("; "), from: "policy" };
}

/** `[]` stands for every entry of a list, `*` for every member. */
function at(value: unknown, steps: readonly string[]): readonly unknown[] {
  const [step, ...rest] = steps;
  if (step === undefined) return [value];
  if (value === null || typeof value !== "object") return [];
  if (step === "[]") return Array.isArray(value) ? value.flatMap((one) => at(one, rest)) : [];
  if (step === "*") return Object.values(value).flatMap((one) => at(one, rest));
  return at((value as Readonly<Record<string, unknown>>)[step], rest);
}

function show(value: unknown): string {
  if (Array.isArray(value) && value.every((one) => typeof one !== "object")) return value.join(", ");
  return typeof value === "string" ? value : JSON.stringify(value);
}
