import type { IncomingMessage, ServerResponse } from "node:http";
import type { Problem } from "@wardline/policy-types";
import { recordDecision, sendProblem } from "@wardline/policy-types/express";
import { loadShed } from "../shedding/problems.ts";
import { openHold } from "./hold.ts";
import { type ParsedPools, type PoolDecision, parsePools, type ReservedPoolsOptions } from "./options.ts";
import { createPools } from "./pools.ts";
import { noSlot, poolRateExceeded, poolUnknown, slotRecalled } from "./problems.ts";
import { createRateShares } from "./rate-shares.ts";
import { createTally, type PoolTally } from "./tally.ts";

/** Where the pools stand, for an operator's console. */
export interface PoolsSnapshot {
  readonly capacity: number;
  /** Slots lent at the moment. */
  readonly loans: number;
  readonly pools: readonly PoolSnapshot[];
}

export interface PoolSnapshot extends PoolTally {
  readonly name: string;
  readonly reserved: number;
  readonly running: number;
  readonly waiting: number;
  /** Called back and not yet ended. */
  readonly ending: number;
  readonly recalled: number;
}

/** Middleware of Express 4 and 5. */
export interface ReservedPools {
  (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void): void;
  snapshot(): PoolsSnapshot;
}

/**
 * Shares the server's slots and rate out among pools, so that prior authorisation and devices have room whatever the others
 * do. Mount it after smartAuth() and the tier, before the handler: a request holds its slot until its answer or its connection has
 * ended, and longer if `holdSlot` says so.
 *
 * Does NOT stop work: a handler whose client has left, or whose borrowed slot was called back, sees the response close and has to
 * end by itself. Does NOT share slots between processes: divide the capacity by their number.
 *
 * Throws a `ConfigurationError` with every mistake in the options.
 */
export function reservedPools(options: ReservedPoolsOptions): ReservedPools {
  const parsed = parsePools(options);
  const pools = createPools(parsed.capacity, parsed.pools);
  const rates =
    parsed.requestsPerSecond === undefined ? undefined : createRateShares(parsed.requestsPerSecond, parsed.pools);
  const tally = createTally(parsed.pools.map(({ name }) => name));
  const levels = [...new Set(parsed.pools.map(({ priority }) => priority))].sort((a, b) => a - b);
  const ranks = new Map(parsed.pools.map(({ name, priority }) => [name, levels.indexOf(priority)]));

  function reservedPoolsMiddleware(req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void): void {
    // Nobody is left to answer, and no end of an answer will come to return the slot.
    if (res.destroyed) return;
    const arrived = parsed.now();
    const facts = readFacts(req, parsed);
    const rank = facts && ranks.get(facts.pool);
    if (facts === undefined || rank === undefined) return refuse("", poolUnknown(), "no pool for the request");
    const { pool } = facts;
    if (parsed.shedder?.sheds(rank, levels.length) === true)
      return refuse(pool, loadShed(), "load: less urgent pools are shed");
    const rate = rates?.take(pool, arrived);
    if (rate?.kind === "none") return refuse(pool, poolRateExceeded(rate.retryMs), `rate of pool ${pool} is used up`);

    let admitted = false;
    let end = (): void => undefined;
    // F13: whatever ends the answer or its connection ends the wait or returns the slot.
    const letGo = openHold(req, () => {
      if (!admitted) rate?.giveBack();
      end();
    });
    res.once("close", letGo);
    end = pools.ask({
      ...facts,
      onSlot(kind) {
        if (res.destroyed) return;
        admitted = true;
        record({ pool, kind: "permit", waitedMs: parsed.now() - arrived }, `${kind} slot of pool ${pool}`);
        next();
      },
      onRefusal(why) {
        rate?.giveBack();
        refuse(pool, noSlot(why, parsed.retryAfterSeconds), `no slot of pool ${pool}: ${why}`);
      },
      onRecall() {
        // An answer that is complete only has to arrive: cutting it would free nothing sooner.
        if (!res.writableEnded)
          refuse(pool, slotRecalled(parsed.retryAfterSeconds), `lent slot of pool ${pool} called back`);
      },
    });

    function refuse(name: string, problem: Problem, because: string): void {
      record({ pool: name, kind: "deny", code: problem.code, waitedMs: parsed.now() - arrived }, because);
      sendProblem(res, problem);
    }

    function record(decision: PoolDecision, because: string): void {
      const { kind, code } = decision;
      recordDecision(req, {
        control: "tiered-throttle-pools",
        kind,
        because: [because],
        ...(code === undefined ? {} : { code }),
      });
      tally.count(decision);
      try {
        parsed.onDecision(Object.freeze(decision));
      } catch {
        // A listener that fails changes nothing about who is let through.
      }
    }
  }

  return Object.assign(reservedPoolsMiddleware, {
    snapshot(): PoolsSnapshot {
      const { loans, pools: standings } = pools.standings();
      return {
        capacity: parsed.capacity,
        loans,
        pools: standings.map((standing) => ({ ...standing, ...tally.of(standing.name) })),
      };
    },
  });
}

interface PoolFacts {
  readonly pool: string;
  readonly mayBorrow: boolean;
  readonly priority: number;
}

/** A rule that throws names no pool, and without a pool nothing is admitted. */
function readFacts(req: IncomingMessage, { poolOf, mayBorrow, priorityOf }: ParsedPools): PoolFacts | undefined {
  try {
    return { pool: poolOf(req), mayBorrow: mayBorrow(req) === true, priority: Number(priorityOf(req)) || 0 };
  } catch {
    return undefined;
  }
}
