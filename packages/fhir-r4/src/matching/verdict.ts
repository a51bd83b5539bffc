/** What evaluating a criterion can say. `undecided` is never to be taken for a yes. */
export type Verdict = boolean | "undecided";

/** OR: one yes is enough; without one, a doubt stays a doubt. */
export function anyOf<Item>(items: Iterable<Item>, judge: (item: Item) => Verdict): Verdict {
  let verdict: Verdict = false;
  for (const item of items) {
    const one = judge(item);
    if (one === true) return true;
    if (one === "undecided") verdict = one;
  }
  return verdict;
}

/** AND: one no is enough. */
export function allOf<Item>(items: Iterable<Item>, judge: (item: Item) => Verdict): Verdict {
  let verdict: Verdict = true;
  for (const item of items) {
    const one = judge(item);
    if (one === false) return false;
    if (one === "undecided") verdict = one;
  }
  return verdict;
}

export function not(verdict: Verdict): Verdict {
  return verdict === "undecided" ? verdict : !verdict;
}

/** A yes only as doubt: the value agrees as far as it can be compared. */
export function atMostUndecided(agrees: boolean): Verdict {
  return agrees ? "undecided" : false;
}
