/** What the queue needs to know of those who wait in it. */
export interface Waiter {
  readonly priority: number;
  /** Order of arrival over all pools. */
  readonly arrival: number;
}

/** Those who wait for a slot of one pool: the higher priority first, then in the order of arrival. Bounded. */
export interface WaitingLine<Who extends Waiter> {
  readonly size: number;
  /** Whose turn it is. */
  first(): Who | undefined;
  /** Lets `who` wait; when the line is full, in place of its last if that one is less urgent, which is then given back. */
  join(who: Who): { readonly joined: boolean; readonly displaced?: Who };
  leave(who: Who): void;
}

export function createWaitingLine<Who extends Waiter>(most: number): WaitingLine<Who> {
  const line: Who[] = [];
  return {
    get size() {
      return line.length;
    },
    first: () => line[0],
    join(who) {
      let displaced: Who | undefined;
      if (line.length >= most) {
        const last = line.at(-1);
        if (last === undefined || last.priority >= who.priority) return { joined: false };
        displaced = line.pop();
      }
      const behind = line.findLastIndex(({ priority }) => priority >= who.priority);
      line.splice(behind + 1, 0, who);
      return displaced === undefined ? { joined: true } : { joined: true, displaced };
    },
    leave(who) {
      const at = line.indexOf(who);
      if (at >= 0) line.splice(at, 1);
    },
  };
}
