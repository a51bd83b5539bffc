import { expect, it } from "vitest";
import type { ReplayStore } from "../../src/index.ts";

export interface ReplayStoreUnderTest {
  readonly store: ReplayStore;
  /** Moves the store's clock. */
  readonly pass: (seconds: number) => void | Promise<void>;
}

/** What every replay store must do. `create` makes an empty one whose clock stands at `now`, in seconds. */
export function replayStoreContract(
  create: (now: number) => ReplayStoreUnderTest | Promise<ReplayStoreUnderTest>,
): void {
  const now = 1_800_000_000;

  it("takes a key once", async () => {
    const { store } = await create(now);
    expect(await store.add("a", now + 60)).toBe(true);
    expect(await store.add("a", now + 60)).toBe(false);
    expect(await store.add("a", now + 600)).toBe(false);
    expect(await store.add("b", now + 60)).toBe(true);
  });

  it("remembers it until it expires, however often it is asked", async () => {
    const { store, pass } = await create(now);
    await store.add("a", now + 60);
    await pass(59);
    expect(await store.add("a", now + 120)).toBe(false);
    await pass(2);
    expect(await store.add("a", now + 120)).toBe(true);
  });

  it("gives one of many at once the yes", async () => {
    const { store } = await create(now);
    const answers = await Promise.all(Array.from({ length: 50 }, () => store.add("a", now + 60)));
    expect(answers.filter(Boolean).length).toBe(1);
  });

  it("keeps a key that expires late behind others that expire early", async () => {
    const { store, pass } = await create(now);
    await store.add("late", now + 1000);
    await store.add("early", now + 1);
    await pass(10);
    expect([await store.add("late", now + 1000), await store.add("early", now + 60)]).toEqual([false, true]);
  });
}
