import { AsyncLocalStorage } from "node:async_hooks";
import { MAX_NAMES } from "./people.ts";

/** What is known to be PHI within one request and its answer, for the log lines written meanwhile. */
export interface ExchangePhi {
  /** Runs a request: what is added during it is known during it only. */
  run<Result>(work: () => Result): Result;
  /** Names of people in this exchange. Ignored outside of one. */
  addNames(names: readonly string[]): void;
  /** Texts found in this request, to be masked word for word. Ignored outside of one. */
  addTexts(texts: readonly string[]): void;
  names(): readonly string[];
  texts(): readonly string[];
}

/** Give the same one to `dlp()` and to the log redactors. */
export function exchangePhi(): ExchangePhi {
  const storage = new AsyncLocalStorage<{ readonly names: Set<string>; readonly texts: Set<string> }>();
  return {
    run: (work) => storage.run({ names: new Set(), texts: new Set() }, work),
    addNames: (names) => addAll(storage.getStore()?.names, names),
    addTexts: (texts) => addAll(storage.getStore()?.texts, texts),
    names: () => [...(storage.getStore()?.names ?? [])],
    texts: () => [...(storage.getStore()?.texts ?? [])],
  };
}

function addAll(set: Set<string> | undefined, values: readonly string[]): void {
  for (const value of values) if (set !== undefined && set.size < MAX_NAMES && value.length > 2) set.add(value);
}
