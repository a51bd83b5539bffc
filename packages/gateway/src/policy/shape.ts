/** What of JSON Schema the policy's schema is made of. */
export interface SchemaPart {
  readonly description?: string;
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly string[];
  readonly anyOf?: readonly SchemaPart[];
  readonly properties?: Readonly<Record<string, SchemaPart>>;
  readonly additionalProperties?: boolean | SchemaPart;
  readonly items?: SchemaPart;
}

/**
 * The part of a schema that can have a say about these values: to compile the rest takes longer than all else at a start. It
 * judges them as the whole schema would, and finds the same faults at the same places of it.
 */
export function neededFor(values: readonly unknown[], part: SchemaPart): SchemaPart {
  const { properties, additionalProperties, items, anyOf } = part;
  const records = values.filter(isRecord);
  const named = (name: string): unknown[] => records.flatMap((one) => (Object.hasOwn(one, name) ? [one[name]] : []));
  const others = (): unknown[] => records.flatMap((one) => Object.values(one));
  return {
    ...part,
    ...(properties === undefined
      ? {}
      : {
          properties: Object.fromEntries(
            Object.entries(properties).flatMap(([name, member]) => {
              const found = named(name);
              return found.length === 0 ? [] : [[name, neededFor(found, member)]];
            }),
          ),
        }),
    ...(typeof additionalProperties === "object"
      ? { additionalProperties: neededFor(others(), additionalProperties) }
      : {}),
    ...(items === undefined ? {} : { items: neededFor(values.filter(Array.isArray).flat(), items) }),
    ...(anyOf === undefined ? {} : { anyOf: anyOf.map((choice) => neededFor(values, choice)) }),
  };
}

/** The schema an error speaks of, in the whole: `#/properties/routes/items/required`. */
export function partAt(schema: SchemaPart, schemaPath: string): SchemaPart {
  const steps = schemaPath.split("/").slice(1, -1).map(decodeStep);
  return steps.reduce((part, step) => (part as Readonly<Record<string, SchemaPart>>)[step] ?? {}, schema);
}

/** @see https://www.rfc-editor.org/rfc/rfc6901#section-6 */
function decodeStep(step: string): string {
  return decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~");
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
