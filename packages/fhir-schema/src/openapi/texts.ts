import type { Parameter, Place } from "./parameters.ts";
import { type Decode, decodeHeader, decodePath, decodeQuery, isSpread } from "./values.ts";

/** The texts of a request that parameters are read from, still encoded. */
export interface RequestTexts {
  readonly path: ReadonlyMap<string, string>;
  readonly query: readonly NamedText[];
  readonly cookies: readonly NamedText[];
  /** Values by name in lower case, one for each line. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly decoders: Readonly<Record<Place, Decode>>;
}

export interface NamedText {
  readonly name: string;
  readonly text: string;
}

/** Splits the texts of a request once. `query` is without the question mark. */
export function requestTexts(
  path: ReadonlyMap<string, string>,
  query: string,
  rawHeaders: readonly string[],
): RequestTexts {
  const headers = new Map<string, string[]>();
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? "").toLowerCase();
    headers.set(name, [...(headers.get(name) ?? []), rawHeaders[index + 1] ?? ""]);
  }
  const cookies = (headers.get("cookie") ?? []).flatMap((line) => pairsOf(line, ";", decodeHeader));
  return { path, query: pairsOf(query, "&", decodeQuery), cookies, headers, decoders: DECODERS };
}

const DECODERS: Readonly<Record<Place, Decode>> = Object.freeze({
  path: decodePath,
  query: decodeQuery,
  header: decodeHeader,
  cookie: decodePath,
});

/** The texts given for one parameter. Of an object that is written as its properties, each under the property's name. */
export function readTexts(parameter: Parameter, { path, query, cookies, headers }: RequestTexts): readonly NamedText[] {
  const { name } = parameter;
  switch (parameter.in) {
    case "path": {
      const text = path.get(name);
      return text === undefined ? [] : [{ name, text }];
    }
    case "query": {
      const names = namesOf(parameter);
      return query.flatMap((pair) => {
        const property = names.get(pair.name);
        return property === undefined ? [] : [{ name: property, text: pair.text }];
      });
    }
    case "header": {
      const lines = headers.get(name.toLowerCase()) ?? [];
      return lines.map((text) => ({ name, text }));
    }
    case "cookie": {
      const names = namesOf(parameter);
      return cookies.flatMap((pair) => {
        const property = names.get(pair.name);
        return property === undefined ? [] : [{ name: property, text: pair.text }];
      });
    }
  }
}

/** Whether the query has a name that no parameter has, or one that cannot be read. */
export function unknownNames(parameters: readonly Parameter[], { query }: RequestTexts): boolean {
  const known = new Set(parameters.filter((one) => one.in === "query").flatMap((one) => [...namesOf(one).keys()]));
  return query.some(({ name }) => !known.has(name));
}

/** The names a parameter is written under, and what each stands for: `color[R]` of a deep object is `R`. */
function namesOf(parameter: Parameter): ReadonlyMap<string, string> {
  const { name, style, shape } = parameter;
  if (shape.kind !== "object" || !isSpread(parameter)) return new Map([[name, name]]);
  const properties = [...shape.properties.keys()];
  return new Map(properties.map((property) => [style === "deepObject" ? `${name}[${property}]` : property, property]));
}

/** A name that cannot be decoded, or a text beyond ASCII, is kept under an empty name, which no parameter has. */
function pairsOf(text: string, separator: string, decode: Decode): readonly NamedText[] {
  return text
    .split(separator)
    .filter((piece) => piece !== "")
    .map((piece) => {
      const equals = piece.indexOf("=");
      const name = equals === -1 ? piece : piece.slice(0, equals);
      const plain = /^[\x20-\x7e]*$/.test(piece);
      return { name: (plain ? decode(name) : undefined) ?? "", text: equals === -1 ? "" : piece.slice(equals + 1) };
    });
}
