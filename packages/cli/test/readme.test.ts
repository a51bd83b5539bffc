import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { MEANS_NO } from "../src/exit.ts";
import { createProgram } from "../src/program.ts";

interface Named {
  name(): string;
  readonly commands: readonly Named[];
}

it("the README names every command and no other", async () => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const terminal = { out: () => Promise.resolve(), err: () => undefined, colours: false, watched: false };
  const program: Named = await createProgram(
    [],
    { ...terminal, ask: undefined, environment: {}, now: Date.now },
    () => undefined,
  );
  // `keys new policy` stands in the table as `keys new`.
  const real = program.commands.flatMap((group) =>
    group.commands.length === 0 ? [group.name()] : group.commands.map((one) => `${group.name()} ${one.name()}`),
  );
  const table = readme.slice(readme.indexOf("## Commands"), readme.indexOf("| Exit code"));
  const named = table.split("\n").flatMap((line) => {
    const [, cell = ""] = /^\| (`[^|]+)\|/.exec(line) ?? [];
    return [...cell.matchAll(/`([^`]+)`/g)].map(([, words]) => words);
  });
  expect(new Set(named)).toEqual(new Set(real));
});

it("the README says of each command what its exit code 1 means, as its help does", async () => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const said = [...readme.matchAll(/^\| (`[^|]+`) +\|[^|]+\| +([^|]*?) +\|$/gm)].flatMap(
    ([, cell = "", meaning = ""]) =>
      meaning === "" ? [] : [...cell.matchAll(/`([^`]+)`/g)].map(([, words = ""]) => [words, meaning] as const),
  );
  const commands = said.filter(([words]) => /^[a-z][a-z -]+$/.test(words) && !words.startsWith("-"));
  expect(Object.fromEntries(commands)).toEqual(MEANS_NO);
});
