/** A List of Strings with Integer parameters, as RFC 9651 section 4.2 parses it; throws on anything else. */
export function parseStringList(text: string): { value: string; parameters: Record<string, number> }[] {
  let rest = text;
  const eat = (pattern: RegExp): string => {
    const match = pattern.exec(rest);
    if (match === null || match.index !== 0) throw new Error(`not a structured field at: ${rest}`);
    rest = rest.slice(match[0].length);
    return match[1] ?? match[0];
  };
  const items: { value: string; parameters: Record<string, number> }[] = [];
  for (;;) {
    const value = eat(/^"((?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"/).replace(/\\(.)/g, "$1");
    const parameters: Record<string, number> = {};
    while (rest.startsWith(";")) {
      eat(/^; */);
      const key = eat(/^[a-z*][a-z0-9_.*-]*/);
      eat(/^=/);
      parameters[key] = Number(eat(/^-?\d{1,15}(?![\d.])/));
    }
    items.push({ value, parameters });
    if (rest === "") return items;
    eat(/^[ \t]*,[ \t]*/);
  }
}
