import { type Findings, nearest, POLICY_SCHEMA } from "@wardline/policy-types";
import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";

/** Checks the shape of a policy against its JSON Schema and reports every fault in words an operator can act on. */
export function checkShape(value: unknown, found: Findings): void {
  const validate = compiled();
  if (validate(value)) return;
  for (const error of validate.errors ?? []) {
    if (error.keyword === "propertyNames") continue;
    found.add(pathOf(error), error.keyword, describe(error));
  }
}

/** `/routes/0/zone` as `routes[0].zone`. */
function pathOf({ instancePath, keyword, params }: ErrorObject): string {
  const unknown = keyword === "additionalProperties" ? `/${String(params["additionalProperty"])}` : "";
  return (instancePath + unknown)
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))
    .reduce((path, part) => {
      if (/^\d+$/.test(part)) return `${path}[${part}]`;
      return path === "" ? part : `${path}.${part}`;
    }, "");
}

function describe(error: ErrorObject): string {
  const { keyword, params, parentSchema } = error as ErrorObject & { params: Record<string, unknown> };
  switch (keyword) {
    case "required":
      return `\`${String(params["missingProperty"])}\` is missing`;
    case "additionalProperties": {
      const name = String(params["additionalProperty"]);
      const known = Object.keys((parentSchema?.["properties"] ?? {}) as object);
      const near = nearest(name, known);
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
      // The value may be the secret itself, so it is not repeated.
      if (String(params["pattern"]).startsWith("^(env|file|provider)"))
        return "must name where the secret is, `env:NAME` or `file:/path`, not hold it";
      return `has the wrong form; it must match ${String(params["pattern"])}`;
    default:
      return error.message ?? "is not valid";
  }
}

let validator: ValidateFunction | undefined;

/** A constant that is costly to make and not always needed. */
function compiled(): ValidateFunction {
  // `allErrors`: an operator's file, read once at start, so that all mistakes can be told together (S10 is about requests).
  validator ??= new Ajv({ allErrors: true, strict: true, verbose: true }).compile(POLICY_SCHEMA);
  return validator;
}
