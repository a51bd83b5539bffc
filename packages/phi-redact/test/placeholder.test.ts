import { expect, it } from "vitest";
it("exists", () => {
  expect(1).toBe(1);
});
