/**
 * What one policy uses, and what the next would use in its place. While the next is assembled the first goes on, and when the
 * next is refused nothing of it is left (F11).
 */
export interface Succession<Kept> {
  /** For the policy that is being assembled. The same settings give the same thing, with what it has learnt. */
  prepare(settings: string, make: (before: Kept | undefined) => Kept): Kept;
  /** Of the policy in force. */
  readonly current: () => Kept | undefined;
  /** What was prepared is in force. Gives what it replaces. */
  settle(): Kept | undefined;
  /** Nothing that was prepared comes into force. Gives what was made for it alone. */
  abandon(): Kept | undefined;
}

export function createSuccession<Kept>(): Succession<Kept> {
  type Standing = { readonly settings: string; readonly kept: Kept };
  let current: Standing | undefined;
  let next: Standing | undefined;

  return {
    prepare(settings, make) {
      if (next?.settings !== settings) {
        next = current?.settings === settings ? current : { settings, kept: make(current?.kept) };
      }
      return next.kept;
    },
    current: () => current?.kept,
    settle() {
      const before = current;
      current = next ?? current;
      next = undefined;
      return before === current ? undefined : before?.kept;
    },
    abandon() {
      const refused = next === current ? undefined : next;
      next = undefined;
      return refused?.kept;
    },
  };
}
