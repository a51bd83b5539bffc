// The same definitions as an ordinary JSON Schema: `$ref`s, `properties`, `required`, the published patterns; no keyword of ours.

const DATE = "([0-9]([0-9]([0-9][1-9]|[1-9]0)|[1-9]00)|[1-9]000)(-(0[1-9]|1[0-2])(-(0[1-9]|[1-2][0-9]|3[0-1])";
const TIME = "T([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\\.[0-9]+)?(Z|(\\+|-)((0[0-9]|1[0-3]):[0-5][0-9]|14:00))";
/** As published with R4, with `^` and `$` put around. */
const PATTERNS = {
  date: `^${DATE})?)?$`,
  dateTime: `^${DATE}(${TIME})?)?)?$`,
  instant: `^${DATE}${TIME}))$`,
  string: "^[ \\r\\n\\t\\S]+$",
  markdown: "^[ \\r\\n\\t\\S]+$",
  code: "^[^\\s]+(\\s[^\\s]+)*$",
  id: "^[A-Za-z0-9\\-\\.]{1,64}$",
  uri: "^\\S*$",
  url: "^\\S*$",
  canonical: "^\\S*$",
};

/** One schema that holds every node of the types, and a `$ref` to the first. `within` is the type of resources in resources. */
export function plainSchema({ nodeRule, nodesWithin, namesOf, codeList, primitives }, types, within) {
  const names = [...nodesWithin([...types, ...nodeRule("Extension").elements.flatMap((element) => element.types)])];
  const definitions = Object.fromEntries(names.map((name) => [name, node(name)]));
  return { $ref: `#/definitions/${types[0]}`, definitions };

  function node(name) {
    const { base, elements } = nodeRule(name);
    const resource = base === "Resource" || base === "DomainResource";
    const properties = elements.flatMap((element) =>
      namesOf(element).flatMap((property, index) => propertySchemas(property, element, element.types[index])),
    );
    const required = elements.filter((element) => element.required && !element.name.endsWith("[x]"));
    return {
      type: "object",
      properties: Object.fromEntries([...(resource ? [["resourceType", { const: name }]] : []), ...properties]),
      required: required.filter(({ types }) => !primitives.has(types[0])).map((element) => element.name),
      additionalProperties: false,
    };
  }

  function propertySchemas(property, { repeats, codes }, type) {
    const list = (items) => (repeats ? { type: "array", items } : items);
    const primitive = primitives.get(type);
    if (primitive === undefined)
      return [[property, list({ $ref: `#/definitions/${type === "Resource" ? within : type}` })]];
    const value =
      codes === undefined
        ? { type: primitive.json, ...(type in PATTERNS ? { pattern: PATTERNS[type] } : {}) }
        : { enum: codeList(codes) };
    return [
      [property, list(value)],
      ...(type === "xhtml" ? [] : [[`_${property}`, list({ $ref: "#/definitions/Element" })]]),
    ];
  }
}
