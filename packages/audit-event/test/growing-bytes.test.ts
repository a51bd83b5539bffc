import { expect, it } from "vitest";
import { GrowingBytes } from "../src/growing-bytes.ts";

const MIB = 1024 * 1024;

it("holds what was put in, one behind the other, however often it grows", () => {
  const bytes = new GrowingBytes(0);
  let expected = "";
  for (let n = 0; n < 2000; n++) {
    bytes.addText(`${n} Müller 患者 🩺`);
    bytes.addByte(0x0a);
    bytes.addBytes(Buffer.from("ö"));
    expected += `${n} Müller 患者 🩺\nö`;
  }
  expect(bytes.view(0).toString()).toBe(expected);
  expect(bytes.view(0, 2).toString()).toBe("0 ");
});

it("leaves nothing where it was before it grew", () => {
  const bytes = new GrowingBytes(64);
  bytes.addText("Müller");
  const { memory } = bytes;
  bytes.reserve(64);
  expect(bytes.memory).not.toBe(memory);
  expect(bytes.view(0).toString()).toBe("Müller");
  expect(memory.includes("ller")).toBe(false);
});

it("leaves nothing in memory of what was taken back", () => {
  const bytes = new GrowingBytes(1024);
  bytes.addText("kept");
  bytes.addText("Müller");
  bytes.cutTo(4);
  expect(bytes.view(0).toString()).toBe("kept");
  expect(bytes.memory.includes("ller")).toBe(false);
});

it("is wiped, and used again", () => {
  const bytes = new GrowingBytes(1024);
  bytes.addText("Müller");
  const { memory } = bytes;
  bytes.wipe();
  expect(bytes.length).toBe(0);
  expect(memory.includes("ller")).toBe(false);
  bytes.addText("x");
  expect(bytes.memory).toBe(memory);
  expect(bytes.view(0).toString()).toBe("x");
});

it("S8: keeps no memory above 1 MiB", () => {
  const bytes = new GrowingBytes(0);
  bytes.addText("x".repeat(MIB));
  bytes.wipe();
  expect(bytes.memory.length).toBe(MIB);
  bytes.addText("x".repeat(MIB + 1));
  const { memory } = bytes;
  bytes.wipe();
  expect(bytes.memory.length).toBeLessThan(1024);
  expect(memory.includes("x")).toBe(false);
});
