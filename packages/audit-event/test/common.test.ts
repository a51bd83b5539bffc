import { expect, it, vi } from "vitest";
import { common } from "../src/common.ts";
import { jsonText } from "../src/json-text.ts";

const made = () => {
  const make = vi.fn((text: string) => ({ text }));
  return { make, part: common(make) };
};

it("makes a part once, and gives nobody the means to change it for the others", () => {
  const { make, part } = made();
  expect(part("GET")).toBe(part("GET"));
  expect(make).toHaveBeenCalledOnce();
  expect(Object.isFrozen(part("GET"))).toBe(true);
  expect(jsonText(part("GET"))).toBe('{"text":"GET"}');
});

it("S8: keeps 500 and no more; what comes after is made each time, and right", () => {
  const { make, part } = made();
  for (let at = 0; at < 600; at++) part(`t${at}`);
  make.mockClear();
  expect(part("t0")).toEqual({ text: "t0" });
  expect(make).not.toHaveBeenCalled();
  expect(part("t599")).toEqual({ text: "t599" });
  expect(part("t599")).toEqual({ text: "t599" });
  expect(make).toHaveBeenCalledTimes(2);
});

it("S8: keeps no long text", () => {
  const { make, part } = made();
  const long = "s".repeat(1_001);
  expect([part(long), part(long)]).toEqual([{ text: long }, { text: long }]);
  expect(make).toHaveBeenCalledTimes(2);
});
