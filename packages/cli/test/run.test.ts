import { describe, expect, it } from "vitest";
import { createProgram } from "../src/program.ts";
import { run } from "./support/terminal.ts";

describe("wardline", () => {
  it("shows help with an example for every command, and exits with 0", async () => {
    const commands = await leaves();
    expect(commands.length).toBeGreaterThan(20);
    for (const words of commands) {
      const { code, out } = await run([...words, "--help"]);
      expect(out, words.join(" ")).toContain("Example");
      expect(out, words.join(" ")).toContain(
        `$ ${words.includes("evidence") ? "npx vitest" : `wardline ${words.join(" ")}`}`,
      );
      expect(out, words.join(" ")).toContain("--json");
      expect(code).toBe(0);
    }
  });

  it.each([
    ["an unknown command", ["polcy"], /polcy/],
    ["an unknown option", ["policy", "lint", "x.yaml", "--jsn"], /--json/],
    ["a missing argument", ["policy", "lint"], /policy/],
    ["a number that is none", ["serve", "x.yaml", "--port", "any"], /whole number/],
    ["a port that is none", ["serve", "x.yaml", "--port", "70000"], /65535/],
    ["a file that is not there", ["policy", "version", "/nowhere/policy.yaml"], /ENOENT/],
  ])("exits with 2 for %s, and says so on standard error", async (_what, args, message) => {
    const { code, out, err } = await run(args);
    expect(err).toMatch(message);
    expect(out).toBe("");
    expect(code).toBe(2);
  });

  it("tells an error as one JSON line with --json, and never with a stack", async () => {
    const { err } = await run(["policy", "version", "/nowhere/policy.yaml", "--json"]);
    expect(JSON.parse(err)).toMatchObject({
      code: "configuration-invalid",
      issues: [{ path: "/nowhere/policy.yaml" }],
    });
    expect((await run(["policy", "version", "/nowhere/policy.yaml"])).err).not.toMatch(/\n\s+at /);
  });

  it("paints for eyes only", async () => {
    expect((await run(["--help"])).out).not.toContain("\u001b");
    expect((await run(["--help"], { colours: true })).out).toContain("\u001b");
  });
});

interface Named {
  name(): string;
  readonly commands: readonly Named[];
}

/** The words of every command that does something. */
async function leaves(): Promise<readonly (readonly string[])[]> {
  const walk = (command: Named, words: readonly string[]): (readonly string[])[] =>
    command.commands.length === 0
      ? [words]
      : command.commands.flatMap((child) => walk(child, [...words, child.name()]));
  const terminal = { out: () => Promise.resolve(), err: () => undefined, colours: false, watched: false };
  return walk(
    await createProgram([], { ...terminal, ask: undefined, environment: {}, now: Date.now }, () => undefined),
    [],
  );
}
