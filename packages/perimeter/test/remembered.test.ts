import { describe, expect, it, vi } from "vitest";
import { remembering } from "../src/remembered.ts";

describe("a judge that remembers", () => {
  it("judges a text once, also one that nothing is said of", () => {
    const judge = vi.fn((text: string) => (text === "bad" ? "found" : undefined));
    const once = remembering(judge);
    expect(["good", "bad", "good", "bad"].map(once)).toEqual([undefined, "found", undefined, "found"]);
    expect(judge).toHaveBeenCalledTimes(2);
  });

  it("S8: is bounded: the oldest of many texts is judged again, a long one always", () => {
    const judge = vi.fn((text: string) => text.length);
    const once = remembering(judge);
    for (let n = 0; n <= 512; n++) once(`text ${n}`);
    expect(judge).toHaveBeenCalledTimes(513);
    once("text 512");
    expect(judge).toHaveBeenCalledTimes(513);
    once("text 0");
    expect(judge).toHaveBeenCalledTimes(514);
    const long = "x".repeat(257);
    expect([once(long), once(long)]).toEqual([257, 257]);
    expect(judge).toHaveBeenCalledTimes(516);
  });

  it("two judges never meet", () => {
    expect([remembering(() => 1)("a"), remembering(() => 2)("a")]).toEqual([1, 2]);
  });
});
