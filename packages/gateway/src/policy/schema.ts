import { type Findings, nearest, POLICY_SCHEMA } from "@wardline/policy-types";
import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";
import { neededFor, partAt, type SchemaPart } from "./shape.ts";

/** Checks the shape of a policy against its JSON Schema and reports every fault in words an operator can act on. */
export function checkShape(value: unknown, found: Findings): void {
  const validate = compiledFor(value);
  if (validate(value)) return;
  const told = new Set<string>();
  for (const error of worthTelling(validate.errors ?? [])) {
    const [path, message] = [pathOf(error), describe(error)];
    // Two alternatives of a schema find the same fault.
    if (told.has(`${path} ${message}`)) continue;
    told.add(`${path} ${message}`);
    found.add(path, error.keyword, message);
  }
}

/** Of a value with alternatives: what is wrong with the one that was meant, or else that none fits. */
function worthTelling(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  const choices = errors.filter(({ keyword }) => keyword === "anyOf");
  const isMeant = (choice: ErrorObject): boolean =>
    errors.some((error) => isAlternative(error, choice) && !isOtherKind(error, choice));
  return errors.filter((error) => {
    if (error.keyword === "propertyNames") return false;
    if (error.keyword === "anyOf") return !isMeant(error);
    const choice = choices.find((one) => isAlternative(error, one));
    return choice === undefined || !isOtherKind(error, choice);
  });
}

function isAlternative(error: ErrorObject, { schemaPath }: ErrorObject): boolean {
  return error.schemaPath !== schemaPath && error.schemaPath.startsWith(`${schemaPath}/`);
}

/** The wrong kind of value altogether, so that the alternative was not meant. */
function isOtherKind(error: ErrorObject, choice: ErrorObject): boolean {
  return error.instancePath === choice.instancePath && ["const", "enum", "type"].includes(error.keyword);
}

/** `/routes/0/zone` as `routes[0].zone`. */
function pathOf({ instancePath, keyword, params, propertyName }: ErrorObject): string {
  const unknown = keyword === "additionalProperties" ? `/${String(params["additionalProperty"])}` : "";
  const named = propertyName === undefined ? "" : `/${propertyName}`;
  return (instancePath + unknown + named)
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))
    .reduce((path, part) => {
      if (/^\d+$/.test(part)) return `${path}[${part}]`;
      return path === "" ? part : `${path}.${part}`;
    }, "");
}

const KINDS: Readonly<Record<string, string>> = {
  string: "a text",
  integer: "a whole number",
  number: "a number",
  boolean: "true or false",
  array: "a list, `[...]`",
  object: "an object of `key: value` members",
};

type Told = ErrorObject & { readonly params: Readonly<Record<string, unknown>> };

function describe(error: ErrorObject): string {
  const { keyword, params, parentSchema, schemaPath } = error as Told;
  const { properties = {} } = partAt(POLICY_SCHEMA, schemaPath);
  switch (keyword) {
    case "required": {
      const name = String(params["missingProperty"]);
      return `\`${name}\` is missing; write ${formOf(properties[name] ?? {})}`;
    }
    case "anyOf":
      return `must be ${formOf({ anyOf: error.schema as readonly SchemaPart[] })}`;
    case "additionalProperties": {
      const name = String(params["additionalProperty"]);
      const known = Object.keys(properties);
      const near = nearest(name, known);
      const holders = known.filter((key) => isWithin(properties[key] ?? {}, name));
      if (holders.length > 0 && near?.toLowerCase() !== name.toLowerCase()) {
        return `unknown key \`${name}\` here; it belongs within ${holders.map((key) => `\`${key}\``).join(" or ")}`;
      }
      return `unknown key \`${name}\`, ${near === undefined ? `known keys are ${known.join(", ")}` : `did you mean \`${near}\`?`}`;
    }
    case "enum": {
      const allowed = params["allowedValues"] as readonly string[];
      const near = typeof error.data === "string" ? nearest(error.data, allowed) : undefined;
      return near === undefined ? `must be one of ${allowed.join(", ")}` : `did you mean \`${near}\`?`;
    }
    case "const":
      return `must be ${JSON.stringify(params["allowedValue"])}`;
    case "pattern":
      // The value may be a secret itself, so it is not repeated.
      return `must be ${String(parentSchema?.["description"] ?? `of the form ${String(params["pattern"])}`)}`;
    case "type":
      return `must be ${KINDS[String(params["type"])] ?? String(params["type"])}`;
    case "minItems":
    case "minProperties":
      return "must have at least one entry; without any, leave the key out";
    case "maxItems":
      return `must have at most ${String(params["limit"])} entries`;
    case "uniqueItems":
      return "names the same twice; write each once";
    case "minLength":
      return "must not be empty";
    case "minimum":
      return `must be ${String(params["limit"])} or more`;
    case "maximum":
      return `must be ${String(params["limit"])} or less`;
    default:
      return error.message ?? "is not valid";
  }
}

/** What may stand there, in words. */
function formOf({ description, type, const: fixed, enum: allowed, anyOf }: SchemaPart): string {
  if (description !== undefined) return description;
  if (fixed !== undefined) return JSON.stringify(fixed);
  if (allowed !== undefined) return allowed.length === 1 ? String(allowed[0]) : `one of ${allowed.join(", ")}`;
  if (anyOf !== undefined) return [...new Set(anyOf.map(formOf))].join(", or ");
  return KINDS[type ?? ""] ?? "a value";
}

let last: { readonly text: string; readonly validate: ValidateFunction } | undefined;

/** A reload has mostly the same members as what runs, so the last one is remembered. */
function compiledFor(value: unknown): ValidateFunction {
  const needed = neededFor([value], POLICY_SCHEMA);
  const text = JSON.stringify(needed);
  if (last?.text === text) return last.validate;
  // `allErrors`: an operator's file, read once at start, so that all mistakes can be told together (S10 is about requests).
  // The schema is our own, and strict by a test; code that runs once is not worth making fast.
  const ajv = new Ajv({
    allErrors: true,
    strict: false,
    verbose: true,
    validateSchema: false,
    code: { optimize: false },
  });
  last = { text, validate: ajv.compile(needed) };
  return last.validate;
}

/** A right key one level too high: the commonest slip of indentation. */
function isWithin({ properties, anyOf = [] }: SchemaPart, name: string): boolean {
  return Object.hasOwn(properties ?? {}, name) || anyOf.some((one) => isWithin(one, name));
}
