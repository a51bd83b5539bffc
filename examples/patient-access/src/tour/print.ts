import { stripVTControlCharacters, styleText } from "node:util";

type Style = "bold" | "dim" | "green" | "red" | "yellow";

/** Where the tour writes, in colour where a person reads it on a terminal. */
export interface Printer {
  readonly line: (text?: string) => void;
  readonly style: (style: Style, text: string) => string;
}

export function printer(out: NodeJS.WriteStream, env: NodeJS.ProcessEnv): Printer {
  // https://no-color.org: present and not empty.
  const coloured = out.isTTY && (env["NO_COLOR"] ?? "") === "";
  return {
    line: (text = "") => void out.write(`${text}\n`),
    style: (style, text) => (coloured ? styleText(style, text, { validateStream: false }) : text),
  };
}

const WIDTH = 100;
const LABEL = 10;

/** `      label     text`, the text wrapped under itself. */
export function labelled(label: string, text: string, indent = 6): string {
  const start = indent + LABEL;
  const lines = wrap(text, WIDTH - start);
  const padding = " ".repeat(LABEL - stripVTControlCharacters(label).length);
  return " ".repeat(indent) + label + padding + lines.join(`\n${" ".repeat(start)}`);
}

/** A word longer than the width stays whole: it may be a URL to copy. */
function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    const longer = `${last} ${word}`;
    if (last !== undefined && stripVTControlCharacters(longer).length <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}
