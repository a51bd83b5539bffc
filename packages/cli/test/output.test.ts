import { describe, expect, it } from "vitest";
import { bytesBefore } from "../src/audit/folder.ts";
import { renderBytes } from "../src/audit/render.ts";
import { columns, painter, shown } from "../src/output.ts";
import { progressBar, renderProgress } from "../src/progress.ts";

describe("output", () => {
  it("sets columns side by side", () => {
    expect(
      columns([
        ["a", "bb", "c"],
        ["aaa", "b", "c"],
      ]),
    ).toBe("a    bb  c\naaa  b   c\n");
  });

  it("S14: shows control characters instead of obeying them", () => {
    expect(shown("a\u001b[2Jb\nc\u202e")).toBe("a\\u{1b}[2Jb\\u{a}c\\u{202e}");
  });

  it("paints only where there are colours", () => {
    expect(painter({ colours: false })("red", "x")).toBe("x");
    expect(painter({ colours: true })("red", "x")).toBe("\u001b[31mx\u001b[0m");
  });

  it.each([
    [0, "0 B"],
    [1023, "1023 B"],
    [1536, "1.5 KiB"],
    [3 * 1024 ** 3, "3.0 GiB"],
  ])("writes %d bytes as %s", (bytes, text) => {
    expect(renderBytes(bytes)).toBe(text);
  });
});

describe("progress", () => {
  it("tells the share and the time left", () => {
    expect(renderProgress(0.25, 10_000)).toContain("25 %  30 s left");
    expect(renderProgress(0.5, 3_600_000)).toContain("50 %  1 h 0 min left");
    expect(renderProgress(0, 10)).not.toContain("left");
  });

  it("draws for somebody who watches, now and then, and cleans up", () => {
    let now = 0;
    const drawn: string[] = [];
    const bar = progressBar(
      terminal(true, () => now, drawn),
      100,
    );
    bar.at(1);
    now = 300;
    bar.at(50);
    bar.at(51);
    bar.end();
    expect(drawn).toEqual([expect.stringContaining("50 %") as string, "\r\u001b[K"]);
  });

  it("draws nothing where nobody watches", () => {
    const drawn: string[] = [];
    const bar = progressBar(
      terminal(false, () => 1e9, drawn),
      100,
    );
    bar.at(50);
    bar.end();
    expect(drawn).toEqual([]);
  });

  it("counts bytes over files, within a file by the entries", () => {
    const before = bytesBefore([
      { first: 0, bytes: 100 },
      { first: 10, bytes: 300 },
      { first: 40, bytes: 50 },
    ]);
    expect([0, 5, 10, 25, 40, 45].map(before)).toEqual([0, 50, 100, 250, 400, 450]);
  });
});

function terminal(watched: boolean, now: () => number, drawn: string[]): Parameters<typeof progressBar>[0] {
  return { watched, now, err: (text) => void drawn.push(text) };
}
