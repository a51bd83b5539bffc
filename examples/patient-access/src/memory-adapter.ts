import type { Adapter, AdapterPayload } from "oidc-provider";

const MOST_ENTRIES = 10_000;

interface Entry {
  readonly payload: AdapterPayload;
  /** Milliseconds since the epoch. */
  readonly expires: number;
}

/**
 * Where oidc-provider keeps sessions, codes and grants: in memory, bounded, gone with the process. In production this is
 * your database.
 *
 * @see https://github.com/panva/node-oidc-provider/blob/main/docs/README.md#adapter
 */
export function memoryAdapter(): (model: string) => Adapter {
  const entries = new Map<string, Entry>();
  return (model) => new MemoryAdapter(`${model}:`, entries);
}

class MemoryAdapter implements Adapter {
  readonly #prefix: string;
  readonly #entries: Map<string, Entry>;

  constructor(prefix: string, entries: Map<string, Entry>) {
    this.#prefix = prefix;
    this.#entries = entries;
  }

  async upsert(id: string, payload: AdapterPayload, expiresIn: number): Promise<void> {
    this.#entries.delete(this.#prefix + id);
    this.#entries.set(this.#prefix + id, { payload, expires: Date.now() + expiresIn * 1000 });
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > MOST_ENTRIES && oldest !== undefined) this.#entries.delete(oldest);
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    const entry = this.#entries.get(this.#prefix + id);
    return entry === undefined || entry.expires < Date.now() ? undefined : entry.payload;
  }

  async findByUid(uid: string): Promise<AdapterPayload | undefined> {
    return this.#where((payload) => payload.uid === uid)[0]?.[1].payload;
  }

  async findByUserCode(userCode: string): Promise<AdapterPayload | undefined> {
    return this.#where((payload) => payload.userCode === userCode)[0]?.[1].payload;
  }

  async consume(id: string): Promise<void> {
    const payload = await this.find(id);
    if (payload !== undefined) payload.consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id: string): Promise<void> {
    this.#entries.delete(this.#prefix + id);
  }

  async revokeByGrantId(grantId: string): Promise<void> {
    for (const [key] of this.#where((payload) => payload.grantId === grantId)) this.#entries.delete(key);
  }

  #where(test: (payload: AdapterPayload) => boolean): readonly (readonly [string, Entry])[] {
    return [...this.#entries].filter(([key, { payload }]) => key.startsWith(this.#prefix) && test(payload));
  }
}
