import type { ParsedPool } from "./options.ts";
import { type Share, type SlotKind, SlotShares } from "./shares.ts";
import { createWaitingLine, type WaitingLine } from "./waiting.ts";

/** A request for a slot, and what it is told. */
export interface SlotRequest {
  readonly pool: string;
  /** Its slot may be called back before its work has ended. */
  readonly mayBorrow: boolean;
  readonly priority: number;
  /** It has a slot from now on; called at once, or after a wait. */
  readonly onSlot: (kind: SlotKind) => void;
  /** It gets none: no room to wait, displaced by somebody more urgent, or waited as long as it may. */
  readonly onRefusal: (why: SlotRefusal) => void;
  /** Its borrowed slot belongs to its owner again: the work is to end. */
  readonly onRecall: () => void;
}

export type SlotRefusal = "full" | "displaced" | "waited";

/** Runs `action` after a while; gives the way to prevent it. */
export type After = (ms: number, action: () => void) => () => void;

export interface Pools {
  /**
   * Asks for a slot. Gives the one function that ends the request, whatever has become of it: waiting, running, called back
   * or over. It may be called any number of times.
   */
  ask(request: SlotRequest): () => void;
  standings(): PoolStandings;
}

export interface PoolStandings {
  readonly loans: number;
  readonly pools: readonly {
    readonly name: string;
    readonly reserved: number;
    readonly running: number;
    readonly waiting: number;
    /** Called back and not yet ended. */
    readonly ending: number;
    /** Loans called back so far. */
    readonly recalled: number;
  }[];
}

interface Pool extends Share {
  readonly name: string;
  readonly priority: number;
  readonly waitMs: number;
  readonly waiting: WaitingLine<Ticket>;
  /** Running requests that may be called back, in the order they began. */
  readonly borrowers: Set<Ticket>;
  ending: number;
  recalled: number;
}

interface Ticket {
  readonly request: SlotRequest;
  readonly pool: Pool;
  readonly priority: number;
  readonly arrival: number;
  phase: "waiting" | "running" | "recalled" | "over";
  stopWaiting: () => void;
}

/**
 * Slots of several pools. A pool below its reserve never waits: when its idle slots are lent, the youngest loan of the least
 * urgent borrower is called back in the same step. A called-back request no longer counts against the capacity; it is
 * told to end, and `ending` says how many have not yet done so.
 *
 * Does NOT know requests, timers or load; see `reservedPools`.
 *
 * Throws when a pool is asked for that does not exist.
 */
export function createPools(capacity: number, parsed: readonly ParsedPool[], after: After = afterTimeout): Pools {
  const pools = new Map(parsed.map((pool) => [pool.name, openPool(pool)]));
  const all = [...pools.values()];
  const shares = new SlotShares(capacity, all);
  let arrivals = 0;

  return {
    ask(request) {
      const pool = pools.get(request.pool);
      if (pool === undefined) throw new Error("no pool of this name");
      const ticket: Ticket = {
        request,
        pool,
        priority: request.priority,
        arrival: arrivals++,
        phase: "over",
        stopWaiting: () => undefined,
      };
      const kind = shares.available(pool, request.mayBorrow);
      if (kind === undefined) wait(ticket);
      else run(ticket, kind);
      return () => end(ticket);
    },
    standings: () => ({ loans: shares.loans, pools: all.map(standingOf) }),
  };

  function run(ticket: Ticket, kind: SlotKind): void {
    ticket.phase = "running";
    shares.add(ticket.pool);
    if (kind === "loan") ticket.pool.borrowers.add(ticket);
    const victim = kind === "own" && shares.overdrawn ? recall() : undefined;
    ticket.request.onSlot(kind);
    victim?.request.onRecall();
  }

  function wait(ticket: Ticket): void {
    const { joined, displaced } = ticket.pool.waiting.join(ticket);
    if (displaced !== undefined) refuse(displaced, "displaced");
    if (!joined) return refuse(ticket, "full");
    ticket.phase = "waiting";
    ticket.stopWaiting = after(ticket.pool.waitMs, () => {
      ticket.pool.waiting.leave(ticket);
      refuse(ticket, "waited");
    });
  }

  function refuse(ticket: Ticket, why: SlotRefusal): void {
    ticket.phase = "over";
    ticket.stopWaiting();
    ticket.request.onRefusal(why);
  }

  /** Takes a loan away from its borrower: there is one, because only borrowers are let in beyond the common slots. */
  function recall(): Ticket | undefined {
    const debtors = all.filter(({ running, reserved, borrowers }) => running > reserved && borrowers.size > 0);
    const debtor = debtors.reduce<Pool | undefined>(
      (least, pool) => (least === undefined || pool.priority < least.priority ? pool : least),
      undefined,
    );
    const victim = debtor && [...debtor.borrowers].at(-1);
    if (debtor === undefined || victim === undefined) return undefined;
    debtor.borrowers.delete(victim);
    shares.remove(debtor);
    debtor.ending += 1;
    debtor.recalled += 1;
    victim.phase = "recalled";
    return victim;
  }

  function end(ticket: Ticket): void {
    const { pool, phase } = ticket;
    ticket.phase = "over";
    switch (phase) {
      case "waiting":
        ticket.stopWaiting();
        pool.waiting.leave(ticket);
        break;
      case "running":
        pool.borrowers.delete(ticket);
        shares.remove(pool);
        callNext();
        break;
      case "recalled":
        pool.ending -= 1;
        break;
      case "over":
    }
  }

  function callNext(): void {
    for (let next = nextWaiting(); next !== undefined; next = nextWaiting()) {
      next.ticket.stopWaiting();
      next.ticket.pool.waiting.leave(next.ticket);
      run(next.ticket, next.kind);
    }
  }

  /** A pool within its reserve first, then the more urgent pool, then the longer wait. */
  function nextWaiting(): { readonly ticket: Ticket; readonly kind: SlotKind } | undefined {
    let best: { readonly ticket: Ticket; readonly kind: SlotKind } | undefined;
    for (const pool of all) {
      const ticket = pool.waiting.first();
      const kind = ticket && shares.available(pool, ticket.request.mayBorrow);
      if (ticket === undefined || kind === undefined) continue;
      if (kind === "own") return { ticket, kind };
      if (best === undefined || goesBefore(ticket, best.ticket)) best = { ticket, kind };
    }
    return best;
  }
}

function goesBefore(a: Ticket, b: Ticket): boolean {
  return a.pool.priority === b.pool.priority ? a.arrival < b.arrival : a.pool.priority > b.pool.priority;
}

function openPool({ name, reserved, lend, maximum, priority, waiting, waitMs }: ParsedPool): Pool {
  const line = createWaitingLine<Ticket>(waiting);
  const counts = { running: 0, ending: 0, recalled: 0 };
  return { name, reserved, lend, maximum, priority, waitMs, waiting: line, borrowers: new Set(), ...counts };
}

function standingOf({ name, reserved, running, waiting, ending, recalled }: Pool): PoolStandings["pools"][number] {
  return { name, reserved, running, waiting: waiting.size, ending, recalled };
}

const afterTimeout: After = (ms, action) => {
  const timer = setTimeout(action, ms);
  return () => clearTimeout(timer);
};
