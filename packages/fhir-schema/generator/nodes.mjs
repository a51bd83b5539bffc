// One line per type and per element that has children: `name<base element element ...`, an element being
// `name` + `?` (0..1) `!` (1..1) `*` (0..n) `+` (1..n) + types joined by `|`, with `=list` for a closed code list.
// `@` is the line of the element itself, `@Type.path` another line, `any` every datatype an extension can carry.
import { codesOf } from "./codes.mjs";

const CARDINALITY = { "0..1": "?", "1..1": "!", "0..*": "*", "1..*": "+" };

/** `{ lines, lists }`: the node lines, and the closed lists they name. */
export function nodeLines(definitions) {
  const lists = new Map();
  const lines = [];
  for (const structure of definitions.structures) {
    if (structure.kind === "primitive-type") continue;
    const inherited = inheritedNames(definitions, structure);
    const parents = structure.snapshot.element.filter((element) => isParent(structure, element));
    for (const parent of parents) {
      const own = structure.snapshot.element.filter(({ path }) => isChild(path, parent.path));
      const base = parent.path === structure.type ? baseOf(structure) : parent.type[0].code;
      const skip = parent.path === structure.type ? inherited : ELEMENT_NAMES[base];
      const words = own
        .filter(({ path }) => !skip.has(path.slice(parent.path.length + 1)))
        .map((element) => elementWord(definitions, lists, element));
      lines.push([base === undefined ? parent.path : `${parent.path}<${base}`, ...words].join(" "));
    }
  }
  return { lines, lists };
}

const ELEMENT_NAMES = {
  Element: new Set(["id", "extension"]),
  BackboneElement: new Set(["id", "extension", "modifierExtension"]),
};

const baseOf = ({ baseDefinition }) => baseDefinition?.slice(baseDefinition.lastIndexOf("/") + 1);

function inheritedNames({ structures }, structure) {
  const base = structures.find(({ type }) => type === baseOf(structure));
  const names = base?.snapshot.element.slice(1).map(({ path }) => path.slice(base.type.length + 1)) ?? [];
  return new Set(names);
}

function isParent(structure, { path, type }) {
  return path === structure.type || ["Element", "BackboneElement"].includes(type?.[0].code);
}

function isChild(path, parent) {
  return path.startsWith(`${parent}.`) && !path.slice(parent.length + 1).includes(".");
}

function elementWord(definitions, lists, element) {
  const name = element.path.slice(element.path.lastIndexOf(".") + 1);
  const cardinality = CARDINALITY[`${element.min}..${element.max}`];
  if (cardinality === undefined) throw new Error(`${element.path} has a cardinality of an unknown kind`);
  const types = typesOf(element).join("|");
  const open = types === openTypes(definitions) && element.path !== "Extension.value[x]";
  return name + cardinality + (open ? "any" : types) + listOf(definitions, lists, element);
}

function openTypes({ structures }) {
  const extension = structures.find(({ type }) => type === "Extension");
  return typesOf(extension.snapshot.element.find(({ path }) => path === "Extension.value[x]")).join("|");
}

function typesOf(element) {
  if (element.contentReference !== undefined) return [`@${element.contentReference.slice(1)}`];
  return element.type.map(({ code, extension }) => {
    if (code === "Element" || code === "BackboneElement") return "@";
    if (!code.startsWith("http://hl7.org/fhirpath/")) return code;
    // The definitions type Resource.id as a string; the text of R4 and its JSON schema say id.
    if (element.path.endsWith(".url")) return extension[0].valueUrl;
    return element.path === "Resource.id" ? "id" : "string";
  });
}

function listOf(definitions, lists, { binding, type }) {
  if (binding?.strength !== "required" || !["code", "CodeableConcept"].includes(type[0].code)) return "";
  const [url] = binding.valueSet.split("|");
  const groups = codesOf(definitions, url);
  if (groups === undefined) return "";
  const name = url.slice(url.lastIndexOf("/") + 1);
  if (type[0].code === "code") {
    lists.set(name, [...new Set(groups.flatMap(({ codes }) => codes))]);
    return `=${name}`;
  }
  lists.set(
    `${name}#`,
    groups.flatMap(({ system, codes }) => codes.map((code) => `${system}|${code}`)),
  );
  return `=${name}#`;
}
