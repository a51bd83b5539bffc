/** How far a ledger goes: the number of its entries and the hash of the last one, which stands for all before it. */
export interface LedgerPosition {
  readonly entries: number;
  /** SHA-256 in lower-case hexadecimal; of an empty ledger, its genesis hash. */
  readonly hash: string;
}

export interface LedgerState {
  /**
   * `failed`: a write failed and nobody knows what of it is on disk. Nothing is appended until the ledger has checked
   * what is there and cut off what was never acknowledged, by itself or when it is opened again.
   */
  readonly status: "open" | "failed" | "closed";
  /** What is on disk for certain. */
  readonly durable: LedgerPosition;
  /** Bytes accepted and not yet on disk. */
  readonly queuedBytes: number;
  /** How many of them it accepts at most; absent where nothing bounds them. */
  readonly mostQueuedBytes?: number;
  /** Why it failed: a system error code, `EIO`. */
  readonly because?: string;
  /** What opening it found unfinished after a crash and put aside. `hole`: by order of `putAside`. */
  readonly recovered?: { readonly file: string; readonly bytes: number; readonly hole?: true };
  /** The signed checkpoints, when there are any. */
  readonly checkpoint?: {
    /** How many entries the last one on disk covers. */
    readonly entries: number;
    /** Why none can be signed now: a system error code. */
    readonly failing?: string;
    /** How many entries the last one covers that was taken outside. */
    readonly witnessed?: number;
    /** Why none can be taken outside now. */
    readonly witnessFailing?: string;
  };
}

/**
 * A log that only grows. What `append` has acknowledged survives the death of the process and of the machine.
 *
 * The folder of segment files that `openLedger` opens is one; another store passes the same contract suite.
 */
export interface Ledger {
  /**
   * Appends the events together and in order. Resolves when all of them are on stable storage, with the position
   * after the last.
   *
   * @throws {DependencyError} `retryable` when nothing was written (the queue is full, the ledger is not yet well again);
   *   otherwise the events may or may not be on disk, or the ledger is closed
   */
  append(events: readonly object[]): Promise<LedgerPosition>;
  state(): LedgerState;
  /** Takes no more, finishes what was accepted, and gives the ledger up for others to open. Bounded in time. */
  close(): Promise<void>;
}
