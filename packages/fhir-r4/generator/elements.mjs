// Walks element paths through the StructureDefinitions, so that every path in the tables is known to exist.

/** @typedef {{ segments: string[], leaf: string, targets: string[] }} ElementPath */

export function elementWalker(structures) {
  const byType = new Map();
  for (const structure of structures) {
    if (structure.derivation === "constraint" || structure.kind === "logical") continue;
    byType.set(structure.type, new Map(structure.snapshot.element.map((element) => [element.id, element])));
  }

  /** Where the children of an element are described: in the same definition, elsewhere in it, or in its datatype. */
  function childrenOf(type, element, code) {
    if (element.contentReference) return { type, at: element.contentReference.slice(1) };
    return code === "BackboneElement" || code === "Element" ? { type, at: element.id } : { type: code, at: code };
  }

  /** Every JSON property an element step can mean, with the type it then has. */
  function step(place, name) {
    const elements = byType.get(place.type);
    const plain = elements?.get(`${place.at}.${name}`);
    if (plain) {
      const types = plain.contentReference ? ["BackboneElement"] : plain.type.map((type) => systemType(type));
      return types.map((code) => ({
        property: name,
        code,
        element: plain,
        place: childrenOf(place.type, plain, code),
      }));
    }
    const choice = elements?.get(`${place.at}.${name}[x]`);
    if (!choice) return [];
    return choice.type.map(({ code }) => ({
      property: name + code[0].toUpperCase() + code.slice(1),
      code,
      choice: true,
      element: choice,
      place: childrenOf(place.type, choice, code),
    }));
  }

  return {
    types: byType,
    /**
     * @param {string} type
     * @param {{ name: string, as?: string, filter?: string }[]} steps
     * @returns {ElementPath[]}
     */
    walk(type, steps) {
      let states = [{ segments: [], place: { type, at: type }, code: type, targets: [] }];
      for (const { name, as, filter } of steps) {
        states = states.flatMap((state) =>
          step(state.place, name)
            .filter((found) => as === undefined || found.code === as)
            .map((found) => ({
              segments: [...state.segments, found.property + (filter ?? "")],
              place: found.place,
              code: found.code,
              choice: found.choice === true,
              targets: targetsOf(found.element, found.code),
            })),
        );
      }
      return states.map(({ segments, code, choice, targets }) => ({ segments, leaf: code, choice, targets }));
    },
  };
}

/** `Resource.id` and the like are typed by a FHIRPath system type; the FHIR type stands in an extension. */
function systemType(type) {
  if (!type.code.startsWith("http://hl7.org/fhirpath/")) return type.code;
  return (
    type.extension?.find((extension) => extension.url.endsWith("structuredefinition-fhir-type"))?.valueUrl ?? "string"
  );
}

/** Resource types an element of type Reference or canonical may point to; `*` for any. */
function targetsOf(element, code) {
  const profiles = (element.type ?? [])
    .filter((type) => type.code === code)
    .flatMap((type) => type.targetProfile ?? []);
  const names = profiles.map((profile) => profile.slice(profile.lastIndexOf("/") + 1));
  const any = names.length === 0 || names.includes("Resource");
  return any ? ["*"] : [...new Set(names)].sort();
}
