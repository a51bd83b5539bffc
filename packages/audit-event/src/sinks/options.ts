import { type Findings, findings, refuseUnknownKeys } from "@wardline/policy-types";

/** What a sink takes beside its `name` and its `limits`. */
export interface SinkShape {
  /** Texts that must be there, with what to give. */
  readonly required?: Readonly<Record<string, string>>;
  /** Texts that may be left out. */
  readonly optional?: readonly string[];
  /** What the sink looks at itself. */
  readonly others?: readonly string[];
}

/** A sink's mistakes, as far as its shape tells them: a misspelled receiver would else be missed at the first delivery. */
export function lookAtSink(options: object, { required = {}, optional = [], others = [] }: SinkShape): Findings {
  const found = findings();
  refuseUnknownKeys(found, options, ["name", "limits", ...Object.keys(required), ...optional, ...others]);
  const given = options as Readonly<Record<string, unknown>>;
  for (const [name, what] of Object.entries(required)) {
    if (!isText(given[name])) found.add(name, "required", what);
  }
  for (const name of ["name", ...optional]) {
    if (given[name] !== undefined && !isText(given[name])) {
      found.add(name, "malformed", "give a text that is not empty, or leave it out");
    }
  }
  lookAtMembers(found, "limits", given["limits"], ["deadlineMs", "batchEntries", "batchBytes"]);
  return found;
}

/** The server is verified always, so `rejectUnauthorized` is not among them. */
export function lookAtTls(found: Findings, tls: unknown): void {
  lookAtMembers(found, "tls", tls, ["ca", "cert", "key", "passphrase", "servername"]);
}

function lookAtMembers(found: Findings, path: string, given: unknown, known: readonly string[]): void {
  if (given === undefined) return;
  if (typeof given === "object" && given !== null) refuseUnknownKeys(found, given, known, path);
  else found.add(path, "malformed", `give an object with ${known.join(", ")}`);
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}
