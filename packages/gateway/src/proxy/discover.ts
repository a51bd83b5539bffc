import { resolveSrv } from "node:dns/promises";
import type { UpstreamTarget } from "@wardline/policy-types";

/** Names servers by DNS. */
export type ResolveSrv = (name: string) => Promise<readonly SrvRecord[]>;

export interface SrvRecord {
  readonly name: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

/**
 * The servers an SRV name stands for: those of the lowest priority number, by weight.
 *
 * @see https://www.rfc-editor.org/rfc/rfc2782
 */
export function targetsFrom(records: readonly SrvRecord[], base: URL): readonly UpstreamTarget[] {
  const first = Math.min(...records.map(({ priority }) => priority));
  return records
    .filter(({ priority, name }) => priority === first && name !== "" && name !== ".")
    .map(({ name, port, weight }) => ({
      url: `${base.protocol}//${name.replace(/\.$/, "")}:${port}${base.pathname.replace(/(?<!\/)\/+$/, "")}`,
      weight: Math.max(1, weight),
    }));
}

/** Keeps asking. What was known stays in use while DNS does not answer, and an empty answer changes nothing. */
export function followSrv(
  { name, base, refreshMs, resolve = resolveSrv }: { name: string; base: URL; refreshMs: number; resolve?: ResolveSrv },
  onTargets: (targets: readonly UpstreamTarget[]) => void,
): () => void {
  let ended = false;
  let timer: NodeJS.Timeout | undefined;
  const ask = async (): Promise<void> => {
    try {
      const targets = targetsFrom(await resolve(name), base);
      if (!ended && targets.length > 0) onTargets(targets);
    } catch {
      // Stale names are better than none; a server that is really gone fails its probe or its request.
    }
    if (!ended) timer = setTimeout(() => void ask(), refreshMs).unref();
  };
  void ask();
  return () => {
    ended = true;
    clearTimeout(timer);
  };
}
