/** Checks AuditEvents against BALP's profiles, as the shared vectors restate them. */
export interface Profile {
  readonly name: string;
  readonly type?: Code;
  readonly subtype?: Code;
  readonly subtypeFrom?: string;
  readonly action?: string;
  readonly outcome?: string;
  readonly counts: Readonly<Record<string, string>>;
  readonly required: readonly string[];
  readonly forbidden?: readonly string[];
  readonly closed: readonly string[];
  readonly slices: readonly Slice[];
}

export interface ValueSet {
  readonly url: string;
  readonly codes: readonly Code[];
}

interface Slice {
  readonly element: "agent" | "entity";
  readonly name: string;
  readonly min: number;
  readonly max: string;
  readonly requires: readonly string[];
  readonly forbids: readonly string[];
  readonly fixed: Readonly<Record<string, unknown>>;
  readonly from: Readonly<Record<string, string>>;
}

interface Code {
  readonly system: string;
  readonly code: string;
}

type Node = Readonly<Record<string, unknown>>;

export function profileFaults(event: object, profile: Profile, valueSets: readonly ValueSet[]): string[] {
  const node = event as Node;
  const faults: string[] = [];
  const demand = (holds: boolean, fault: string): void => {
    if (!holds) faults.push(fault);
  };
  const inSet = (value: unknown, url: string): boolean =>
    (valueSets.find((set) => set.url === url)?.codes ?? []).some((code) => fits(value, code));

  if (profile.type !== undefined) demand(fits(node["type"], profile.type), "type");
  const { subtype, subtypeFrom } = profile;
  if (subtype !== undefined)
    demand(
      list(node["subtype"]).some((one) => fits(one, subtype)),
      "subtype",
    );
  if (subtypeFrom !== undefined)
    demand(
      list(node["subtype"]).some((one) => inSet(one, subtypeFrom)),
      "subtype",
    );
  if (profile.action !== undefined) demand(node["action"] === profile.action, "action");
  if (profile.outcome !== undefined) demand(node["outcome"] === profile.outcome, "outcome");
  for (const name of profile.required) demand(node[name] !== undefined, `${name} is required`);
  for (const name of profile.forbidden ?? []) demand(node[name] === undefined, `${name} is forbidden`);
  for (const [name, count] of Object.entries(profile.counts)) {
    demand(list(node[name]).length >= Number(count.split("..")[0]), `too few ${name}`);
  }
  for (const slice of profile.slices) {
    const { element, name, min, max, requires, forbids, fixed, from } = slice;
    const members = list(node[element]).filter((one) => isOf(one as Node, slice, inSet)) as Node[];
    demand(members.length >= min, `${element} ${name} is missing`);
    demand(max === "*" || members.length <= Number(max), `too many ${element} ${name}`);
    for (const member of members) {
      for (const path of requires) demand(at(member, path) !== undefined, `${name} needs ${path}`);
      for (const path of forbids) demand(at(member, path) === undefined, `${name} may not have ${path}`);
      for (const [path, value] of Object.entries(fixed)) demand(fits(at(member, path), value), `${name} ${path}`);
      for (const [path, url] of Object.entries(from)) demand(inSet(at(member, path), url), `${name} ${path}`);
    }
  }
  return faults;
}

/** Slices are told apart by their type, fixed or from a value set. */
function isOf(member: Node, { fixed, from }: Slice, inSet: (value: unknown, url: string) => boolean): boolean {
  if (fixed["type"] !== undefined) return fits(member["type"], fixed["type"]);
  return from["type"] !== undefined && inSet(member["type"], from["type"]);
}

/** A pattern: a coding fits a concept that has it among others. */
function fits(value: unknown, pattern: unknown): boolean {
  if (typeof pattern !== "object" || pattern === null) return value === pattern;
  if (typeof value !== "object" || value === null) return false;
  const { system, code } = pattern as Partial<Code>;
  const codings = "coding" in value ? list(value.coding) : [value];
  return codings.some((one) => (one as Code).system === system && (one as Code).code === code);
}

function at(node: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>((value, name) => (value as Node | undefined)?.[name], node);
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}
