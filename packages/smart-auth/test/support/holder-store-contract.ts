import { expect, it } from "vitest";
import type { HolderStore } from "../../src/index.ts";

export interface HolderStoreUnderTest {
  readonly store: HolderStore;
  /** Moves the store's clock. */
  readonly pass: (seconds: number) => void | Promise<void>;
}

/** What every holder store must do. `create` makes an empty one whose clock stands at `now`, in seconds. */
export function holderStoreContract(
  create: (now: number) => HolderStoreUnderTest | Promise<HolderStoreUnderTest>,
): void {
  const now = 1_800_000_000;

  it("gives the first holder to whoever asks", async () => {
    const { store } = await create(now);
    expect(await store.hold("a", "one", now + 60)).toBe("one");
    expect(await store.hold("a", "two", now + 600)).toBe("one");
    expect(await store.hold("a", "one", now + 60)).toBe("one");
    expect(await store.hold("b", "two", now + 60)).toBe("two");
  });

  it("remembers it until it expires, however often it is asked", async () => {
    const { store, pass } = await create(now);
    await store.hold("a", "one", now + 60);
    await pass(59);
    expect(await store.hold("a", "two", now + 120)).toBe("one");
    await pass(2);
    expect(await store.hold("a", "two", now + 120)).toBe("two");
  });

  it("has one first of many at once", async () => {
    const { store } = await create(now);
    const holders = await Promise.all(Array.from({ length: 50 }, (_, at) => store.hold("a", `h${at}`, now + 60)));
    expect(new Set(holders).size).toBe(1);
  });
}
