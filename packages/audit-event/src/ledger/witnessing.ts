import { systemCode } from "./faults.ts";

/**
 * Shows each checkpoint to somebody outside, one at a time. A later checkpoint covers an earlier one, so only the newest
 * waits; what could not be shown is tried again with the next, and after a while of itself.
 */
export class Witnessing {
  readonly #tell: ((note: string) => Promise<void>) | undefined;
  #waiting: { readonly note: string; readonly entries: number } | undefined;
  #telling: Promise<void> | undefined;
  #retry: NodeJS.Timeout | undefined;
  /** Entries of the last checkpoint that was taken; `undefined`: nobody is told. */
  witnessed: number | undefined;
  failing: string | undefined;

  constructor(tell: ((note: string) => Promise<void>) | undefined) {
    this.#tell = tell;
    if (tell !== undefined) this.witnessed = 0;
  }

  show(note: string, entries: number): void {
    if (this.#tell === undefined) return;
    this.#waiting = { note, entries };
    this.#start();
  }

  /** Waits for what is under way, at most so long. */
  async finish(deadlineMs: number): Promise<void> {
    clearTimeout(this.#retry);
    if (this.#telling === undefined) return;
    await withinDeadline(this.#telling, Math.max(deadlineMs, 1)).catch(() => undefined);
    clearTimeout(this.#retry);
  }

  #start(): void {
    clearTimeout(this.#retry);
    this.#telling ??= this.#work().finally(() => {
      this.#telling = undefined;
    });
  }

  async #work(): Promise<void> {
    const tell = this.#tell;
    for (let next = this.#waiting; next !== undefined && tell !== undefined; next = this.#waiting) {
      this.#waiting = undefined;
      try {
        await withinDeadline(tell(next.note));
        this.witnessed = next.entries;
        this.failing = undefined;
      } catch (error) {
        this.failing = systemCode(error);
        this.#waiting ??= next;
        this.#retry = setTimeout(() => this.#start(), RETRY_MS).unref();
        return;
      }
    }
  }
}

/** F1, F10: a witness or a signer that hangs has our deadline. */
export async function withinDeadline<Value>(work: Promise<Value>, milliseconds: number = DEADLINE_MS): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(Object.assign(new Error("too late"), { code: "ETIMEDOUT" })), milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

const DEADLINE_MS = 10_000;
const RETRY_MS = 30_000;
