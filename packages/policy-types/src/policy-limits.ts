/** Whose counter a request is charged to. */
export type WindowOwnerName = "client" | "user" | "organisation" | "device" | "department" | "address";

/** `limit` requests per `windowSeconds`. */
export interface WindowPolicy {
  /** Policy name shown in RateLimit-Policy; token characters. */
  readonly name: string;
  readonly limit: number;
  readonly windowSeconds: number;
  readonly by: WindowOwnerName;
}

/** What a contract allows in a day or a month. */
export interface QuotaPolicy {
  readonly name: string;
  readonly limit: number;
  readonly per: "day" | "month";
  /** Default `organisation`. */
  readonly by?: WindowOwnerName;
  /** IANA name of the zone whose midnight counts. Default UTC. */
  readonly timeZone?: string;
  /** How much of what was left may be spent in the next period. Default 0. */
  readonly carry?: number;
}

export interface TierPolicy {
  readonly windows?: readonly WindowPolicy[];
  readonly quotas?: readonly QuotaPolicy[];
  /** Requests at once per client; absent: unbounded. */
  readonly concurrency?: number;
  /** What a request of each class takes. Default 1 each. */
  readonly costs?: { readonly ordinary?: number; readonly expensive?: number; readonly bulk?: number };
}

type OneOf<Word extends string> = Word | readonly Word[];

/** For whom another tier than the route's own is. Everything that is given must hold; of a list, one is enough. */
export interface TierChoice {
  readonly tier: string;
  readonly when: {
    readonly operationClass?: OneOf<"ordinary" | "expensive" | "bulk">;
    readonly issuer?: OneOf<string>;
    readonly client?: OneOf<string>;
    readonly organisation?: OneOf<string>;
    readonly user?: OneOf<string>;
    readonly device?: OneOf<string>;
    readonly department?: OneOf<string>;
  };
}

/** Room that is kept for some traffic whatever the others do. */
export interface PoolsPolicy {
  /** Requests at once, over all pools. */
  readonly capacity: number;
  readonly requestsPerSecond?: number;
  /** By API type or zone; `ordinary` for the rest. */
  readonly pools: Readonly<
    Record<
      string,
      {
        /** Slots that are this pool's. Default 0. */
        readonly reserved?: number;
        /** Idle slots of the reserve that others may borrow until called back. Default 0. */
        readonly lend?: number;
        readonly maximum?: number;
        /** The higher goes first and is shed last. Default 0. */
        readonly priority?: number;
        /** Requests that may wait. Default 0. */
        readonly waiting?: number;
        readonly waitMs?: number;
        readonly reservedPerSecond?: number;
      }
    >
  >;
  /** Refuse by load, the lowest priority first. Default false. */
  readonly shedByLoad?: boolean;
}

/** When an upstream is left alone for a while. */
export interface BreakerPolicy {
  readonly windowMs?: number;
  readonly minimumCalls?: number;
  /** Share of failed calls that opens. Default 0.5. */
  readonly errorRate?: number;
  /** Share of slow calls that opens. Default 0.8. */
  readonly slowRate?: number;
  readonly slowCallMs?: number;
  readonly openMs?: number;
  readonly maxOpenMs?: number;
  readonly probes?: number;
  /** Calls at once. Default unbounded. */
  readonly concurrency?: number;
  /** Whether an instance that opens opens for all that share a `redis`. Default false. */
  readonly shared?: boolean;
}

/** Exports that are answered later from this edge's own disk, in place of being passed through. */
export interface BulkExportPolicy {
  /**
   * Folder of jobs and files, one process each; with `queue: redis` of files, one for all instances. It holds patient records: an
   * encrypted disk.
   */
  readonly folder: string;
  /** Who remembers the jobs: `folder`, or `redis` for all instances together, by BullMQ. Default `folder`. */
  readonly queue?: "folder" | "redis";
  /** Exports that run at once, per route. Default 2. */
  readonly concurrency?: number;
  /** Exports of one organisation that wait or run, per route. Default 5. */
  readonly perOrganisation?: number;
  /** Exports that wait, per route. Default 100. */
  readonly waiting?: number;
  /** How long one may wait and run, and how long its files are kept afterwards. Default 86400, at most 302400. */
  readonly lifetimeSeconds?: number;
}

/** Counted at the door per address, before any crypto. */
export interface DoorPolicy {
  readonly limit?: number;
  readonly windowSeconds?: number;
  /** Refusals with 401 per address before it is refused at the door. Absent: not counted apart. */
  readonly failures?: { readonly limit: number; readonly windowSeconds: number };
  /** Absent: unbounded. */
  readonly connections?: ConnectionPolicy;
}

/** How many connections may be open at one process at once. */
export interface ConnectionPolicy {
  readonly total?: number;
  /** Further ones are closed on arrival, before TLS. */
  readonly perAddress?: number;
  /** Requests on further ones get 429. */
  readonly perClient?: number;
  /** Proxies through which many callers come: addresses and CIDR ranges without a limit of their own. */
  readonly exempt?: readonly string[];
}

/** State that several instances share. */
export interface RedisPolicy {
  /** `redis://` or `rediss://`, or where that URL is: `env:REDIS_URL`. */
  readonly url: string;
  /** Begins every key. Default `wardline:`. */
  readonly prefix?: string;
  /** Instances that share it: the share of a limit each counts alone while it is down. Default 2. */
  readonly replicas?: number;
  /** What counters do while it is down. Revocation, consent and replay refuse in any case. Default `local`. */
  readonly onFailure?: "local" | "closed";
}
