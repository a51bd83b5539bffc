/** Fewer bytes than this in the time an upstream may be silent is as good as silence. */
const LEAST_BYTES = 1024;

/**
 * How quickly a body comes. An upstream that sends a byte now and then is never silent, and would keep a request, its slots and its
 * connection for as long as it liked (F1). Looked at when a piece comes: silence has a deadline of its own.
 */
export class Pace {
  readonly #windowMs: number;
  #since: number;
  #bytes = 0;

  /** @param windowMs milliseconds in which `LEAST_BYTES` must come */
  constructor(windowMs: number, now: number) {
    this.#windowMs = windowMs;
    this.#since = now;
  }

  isTooSlow(bytes: number, now: number): boolean {
    this.#bytes += bytes;
    if (now - this.#since < this.#windowMs) return false;
    const isTooSlow = this.#bytes < LEAST_BYTES;
    this.restart(now);
    return isTooSlow;
  }

  /** Nobody took anything until now. */
  restart(now: number): void {
    this.#since = now;
    this.#bytes = 0;
  }
}
