import { createRequire } from "node:module";
import { ConfigurationError } from "@wardline/policy-types";
import type { Node } from "yaml";

/** Loaded with the first text: a policy that is given as a value needs no parser. */
const loadYaml = () => createRequire(import.meta.url)("yaml") as typeof import("yaml");

/** A parsed file that still knows where everything stood. */
export interface Located {
  readonly value: unknown;
  /** Line, from 1, of the part at `path` (`routes[0].zone`), or of the nearest part around it. */
  readonly lineOf: (path: string) => number | undefined;
}

/** Parses YAML 1.2, of which JSON is a part. Throws a `ConfigurationError` with every syntax fault and its line. */
export function parseLocated(text: string, name: string): Located {
  const { LineCounter, parseDocument } = loadYaml();
  const counter = new LineCounter();
  const document = parseDocument(text, { uniqueKeys: true, lineCounter: counter, prettyErrors: false });
  if (document.errors.length > 0) {
    const issues = document.errors.map(({ message, pos }) => ({
      path: "",
      code: "syntax",
      message: message.toLowerCase(),
      line: counter.linePos(pos[0]).line,
    }));
    throw new ConfigurationError(name, issues);
  }
  const lineAt = (offset: number | undefined): number | undefined =>
    offset === undefined ? undefined : counter.linePos(offset).line;
  return {
    value: document.toJS({ maxAliasCount: 100 }) as unknown,
    lineOf(path) {
      let node: Node | null = document.contents;
      let line = lineAt(node?.range?.[0]);
      for (const step of stepsOf(path)) {
        const found = childOf(node, step);
        if (found === undefined) break;
        node = found.node;
        line = lineAt(found.at) ?? line;
      }
      return line;
    },
  };
}

function stepsOf(path: string): (string | number)[] {
  return [...path.matchAll(/\[(\d+)\]|([^.[\]]+)/g)].map(([, index, key]) =>
    index === undefined ? (key ?? "") : Number(index),
  );
}

function childOf(node: Node | null, step: string | number): { node: Node | null; at: number | undefined } | undefined {
  const { isMap, isNode, isPair, isSeq } = loadYaml();
  if (isSeq(node) && typeof step === "number") {
    const item: unknown = node.items[step];
    return isNode(item) ? { node: item, at: item.range?.[0] } : undefined;
  }
  if (!isMap(node)) return undefined;
  const pair = node.items.find((item) => isPair(item) && isNode(item.key) && String(item.key) === String(step));
  if (pair === undefined) return undefined;
  const key = pair.key as Node;
  return { node: isNode(pair.value) ? pair.value : null, at: key.range?.[0] };
}
