import { DependencyError } from "@wardline/policy-types";
import { describe, expect, it } from "vitest";
import type { Ledger } from "../../src/index.ts";

/** What every store behind `auditEvent()` keeps. `open` gives a fresh, empty ledger. */
export function ledgerContract(name: string, open: () => Promise<Ledger>): void {
  describe(`the ledger contract: ${name}`, () => {
    it("counts what it acknowledges, in the order it was given", async () => {
      const ledger = await open();
      const positions = await Promise.all([
        ledger.append([{ n: 1 }]),
        ledger.append([{ n: 2 }, { n: 3 }]),
        ledger.append([{ n: 4 }]),
      ]);
      expect(positions.map((position) => position.entries)).toEqual([1, 3, 4]);
      expect(new Set(positions.map((position) => position.hash)).size).toBe(3);
      expect(ledger.state()).toMatchObject({ status: "open", durable: positions[2], queuedBytes: 0 });
      await ledger.close();
    });

    it("acknowledges nothing for nothing", async () => {
      const ledger = await open();
      const before = ledger.state().durable;
      expect(await ledger.append([])).toEqual(before);
      await ledger.close();
    });

    it("finishes on close what it has accepted, and refuses afterwards", async () => {
      const ledger = await open();
      const accepted = ledger.append([{ n: 1 }]);
      const closed = ledger.close();
      expect((await accepted).entries).toBe(1);
      await closed;
      await ledger.close();
      expect(ledger.state().status).toBe("closed");
      await expect(ledger.append([{ n: 2 }])).rejects.toBeInstanceOf(DependencyError);
    });

    it("rejects what JSON cannot hold, and stays open", async () => {
      const ledger = await open();
      await expect(ledger.append([{ toJSON: () => undefined }])).rejects.toThrow("an event is an object");
      await expect(ledger.append([[]])).rejects.toThrow("an event is an object");
      expect((await ledger.append([{ n: 1 }])).entries).toBe(1);
      await ledger.close();
    });
  });
}
