import type { Ajv } from "ajv";
import { isRecord } from "../record.ts";
import { type Document, entriesOf, type JsonObject, pointerTo } from "./document.ts";
import { type KeywordKind, kindOf } from "./keywords.ts";
import { linearPattern } from "./patterns.ts";
import { FORMATS, faultOf, jsonSchema, type Validate } from "./validators.ts";

/** Which way a value travels: `readOnly` properties are not sent to us, `writeOnly` ones not by us. */
export type Direction = "request" | "response";

/**
 * The schemas of a document, made ready for the validator: references become entries of one book, so that schemas may
 * contain themselves; what the version says differently from JSON Schema is translated; what would not be judged is
 * reported.
 */
export class SchemaBook {
  readonly #document: Document;
  readonly #ajv: Ajv;
  readonly #definitions: Readonly<Record<Direction, Record<string, unknown>>>;
  readonly #waiting: (() => void)[] = [];

  constructor(document: Document) {
    this.#document = document;
    this.#ajv = jsonSchema(document);
    this.#definitions = {
      request: Object.create(null) as JsonObject & {},
      response: Object.create(null) as JsonObject & {},
    };
  }

  /** A validator for the schema at a place. Ready to be called once `finish` has run. */
  add(schema: unknown, at: string, direction: Direction): Validate {
    const own = this.#translate(schema, at, direction);
    let validate: Validate = () => ({ keyword: "", schemaPath: "" });
    this.#waiting.push(() => {
      try {
        const compiled = this.#ajv.compile({ allOf: [own], definitions: this.#definitions[direction] });
        validate = (value) => faultOf(compiled, value);
      } catch (error) {
        const reason = error instanceof Error ? error.message : "not a schema";
        this.#document.found.add(at, "schema-invalid", `not a valid schema: ${reason}`);
      }
    });
    return (value) => validate(value);
  }

  /** Compiles what was added, if nothing was found wrong with it. */
  finish(): void {
    if (this.#document.found.issues.length > 0) return;
    for (const compile of this.#waiting.splice(0)) compile();
  }

  #translate(schema: unknown, at: string, direction: Direction): unknown {
    if (typeof schema === "boolean") return schema;
    const { found, version } = this.#document;
    if (!isRecord(schema)) {
      found.add(at, "schema-invalid", "a schema is expected here");
      return false;
    }
    const { $ref } = schema;
    const reference = typeof $ref === "string" ? { $ref: this.#refer($ref, at, direction) } : undefined;
    // 3.0: what stands beside a reference is ignored. 3.1: both hold.
    if (version === "3.0" && reference !== undefined) return reference;
    const translated: Record<string, unknown> = { ...reference };
    for (const [name, value] of entriesOf(schema)) {
      const kind = kindOf(name, version);
      if (kind === undefined) found.add(pointerTo(at, name), "keyword-unknown", "a keyword that would not be judged");
      else this.#put(translated, { name, value, kind, at: pointerTo(at, name), direction });
    }
    return settled(translated, schema, version, direction);
  }

  #put(
    into: Record<string, unknown>,
    {
      name,
      value,
      kind,
      at,
      direction,
    }: {
      readonly name: string;
      readonly value: unknown;
      readonly kind: KeywordKind;
      readonly at: string;
      readonly direction: Direction;
    },
  ): void {
    const translate = (part: unknown, place: string): unknown => this.#translate(part, place, direction);
    switch (kind) {
      case "annotation":
        return;
      case "value":
        this.#vet(name, value, at);
        into[name] = value;
        return;
      case "schema":
        into[name] = translate(value, at);
        return;
      case "list":
        into[name] = Array.isArray(value) ? value.map((part, index) => translate(part, `${at}/${index}`)) : value;
        return;
      case "map":
        if (name === "patternProperties")
          for (const pattern of Object.keys(value ?? {})) this.#vet("pattern", pattern, at);
        into[name] = Object.fromEntries(
          (isRecord(value) ? Object.entries(value) : []).map(([key, part]) => [
            key,
            translate(part, pointerTo(at, key)),
          ]),
        );
    }
  }

  #vet(name: string, value: unknown, at: string): void {
    const { found } = this.#document;
    if (name === "format" && !FORMATS.has(String(value)))
      found.add(at, "format-unknown", `a format that would not be judged; known are ${[...FORMATS].join(", ")}`);
    if (name !== "pattern") return;
    try {
      linearPattern(String(value));
    } catch {
      found.add(
        at,
        "pattern-not-linear",
        "a pattern that cannot be judged in linear time: no look-around or back-references",
      );
    }
  }

  #refer(reference: string, at: string, direction: Direction): string {
    const definitions = this.#definitions[direction];
    const name = encodeURIComponent(reference);
    if (!(name in definitions)) {
      const value = this.#document.resolve(reference, at);
      // Set before it is translated, because a schema may contain itself.
      definitions[name] = true;
      if (value !== undefined) definitions[name] = this.#translate(value, reference, direction);
    }
    return `#/definitions/${encodeURIComponent(name)}`;
  }
}

/** The last differences: `nullable` and boolean limits of 3.0, and which properties travel which way. */
function settled(
  translated: Record<string, unknown>,
  schema: JsonObject,
  version: Document["version"],
  direction: Direction,
): unknown {
  if (version === "3.0") {
    if (schema["nullable"] === true && typeof schema["type"] === "string")
      translated["type"] = [schema["type"], "null"];
    delete translated["nullable"];
    exclusive(translated, "exclusiveMinimum", "minimum");
    exclusive(translated, "exclusiveMaximum", "maximum");
  }
  const hidden = new Set(
    (isRecord(schema["properties"]) ? Object.entries(schema["properties"]) : [])
      .filter(([, part]) => isRecord(part) && part[direction === "request" ? "readOnly" : "writeOnly"] === true)
      .map(([name]) => name),
  );
  if (hidden.size === 0) return translated;
  const { properties, required } = translated;
  translated["properties"] = {
    ...(properties as object),
    ...Object.fromEntries([...hidden].map((name) => [name, false])),
  };
  if (Array.isArray(required)) translated["required"] = required.filter((name) => !hidden.has(String(name)));
  return translated;
}

function exclusive(schema: Record<string, unknown>, name: string, limit: string): void {
  const exclusively = schema[name];
  if (typeof exclusively !== "boolean") return;
  delete schema[name];
  if (!exclusively) return;
  schema[name] = schema[limit];
  delete schema[limit];
}
