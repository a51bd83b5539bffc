/**
 * A parameter's name as a lenient server may read it: in any case, with "." or a space for "_", and as a list.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6749#appendix-B
 */
export function foldedName(name: string): string {
  return name.replace(/\[.*/s, "").trim().toLowerCase().replaceAll(/[. ]/g, "_");
}

/** A12: what is not judged under this name may be read as one of `names` by the server behind. */
export function isSpelledOtherwise(name: string, names: ReadonlySet<string>): boolean {
  const folded = foldedName(name);
  return folded !== name && names.has(folded);
}

/**
 * What a query or a form says to a server that parts it at ";" as well; `undefined` where it says nothing else.
 *
 * @see https://www.w3.org/TR/html401/appendix/notes.html#h-B.2.2
 */
export function partedAtSemicolons(text: string): URLSearchParams | undefined {
  return text.includes(";") ? new URLSearchParams(text.replaceAll(";", "&")) : undefined;
}
