import type { Limit, LimitCount, Taken } from "./limits.ts";

export const RATE_FIELDS = ["draft-10", "draft-7", "draft-6", "off"] as const;

/**
 * `draft-10`: structured fields. `draft-7`: one `RateLimit` of three values. `draft-6`: `RateLimit-Limit`, `-Remaining` and
 * `-Reset`. `off`: none, on routes whose callers should not learn how much there is.
 *
 * @see https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-ratelimit-headers-10
 * @see https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-ratelimit-headers-07
 * @see https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-ratelimit-headers-06
 */
export type RateFields = (typeof RATE_FIELDS)[number];

/** The fields of one answer; `index` is the limit that binds most. */
export type RenderFields = (taken: Taken, index: number, now: number) => Readonly<Record<string, string>>;

type Named = Pick<Limit, "name" | "kind">;

export function renderFieldsOf(limits: readonly Named[], fields: RateFields): RenderFields {
  switch (fields) {
    case "draft-10":
      return structured(limits);
    case "draft-7":
      return ({ counts }, index, now) => {
        const { limit, remaining, seconds } = binding(counts, index, now);
        return {
          "RateLimit-Policy": oldPolicy(counts),
          RateLimit: `limit=${limit}, remaining=${remaining}, reset=${seconds}`,
        };
      };
    case "draft-6":
      return ({ counts }, index, now) => {
        const { limit, remaining, seconds } = binding(counts, index, now);
        return {
          "RateLimit-Policy": oldPolicy(counts),
          "RateLimit-Limit": String(limit),
          "RateLimit-Remaining": String(remaining),
          "RateLimit-Reset": String(seconds),
        };
      };
    case "off":
      return () => ({});
  }
}

/**
 * `RateLimit-Policy`: Strings with a quota and a window in seconds; the same for every answer of a tier without calendars.
 * `RateLimit`: what is left of the limit that binds most, and of every contract quota, and in how many seconds all of it is
 * back.
 *
 * @see https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-ratelimit-headers-10#section-3
 */
function structured(limits: readonly Named[]): RenderFields {
  const quotas = limits.flatMap(({ kind }, index) => (kind === "quota" ? [index] : []));
  const policyOf = (counts: readonly LimitCount[]): string =>
    limits
      .map(({ name }, index) => `"${name}";q=${counts[index]?.limit};w=${inSeconds(counts[index]?.lengthMs ?? 0)}`)
      .join(", ");
  // Windows of one tier change their limits only when this process counts its share.
  let last: { readonly counts: readonly LimitCount[]; readonly text: string } | undefined;
  const windowPolicy = (counts: readonly LimitCount[]): string => {
    if (last === undefined || !sameLimits(last.counts, counts)) last = { counts, text: policyOf(counts) };
    return last.text;
  };
  const item = (counts: readonly LimitCount[], at: number, now: number): string => {
    const count = counts[at] as LimitCount;
    return `"${limits[at]?.name}";r=${count.remaining};t=${secondsUntil(count, now)}`;
  };
  return ({ counts }, index, now) => {
    if (quotas.length === 0) return { "RateLimit-Policy": windowPolicy(counts), RateLimit: item(counts, index, now) };
    const shown = [index, ...quotas.filter((quota) => quota !== index)];
    const items = shown.map((at) => item(counts, at, now));
    return { "RateLimit-Policy": policyOf(counts), RateLimit: items.join(", ") };
  };
}

function sameLimits(one: readonly LimitCount[], other: readonly LimitCount[]): boolean {
  for (let index = 0; index < one.length; index++) if (one[index]?.limit !== other[index]?.limit) return false;
  return true;
}

function oldPolicy(counts: readonly LimitCount[]): string {
  return counts.map(({ limit, lengthMs }) => `${limit};w=${inSeconds(lengthMs)}`).join(", ");
}

function binding(counts: readonly LimitCount[], index: number, now: number): LimitCount & { readonly seconds: number } {
  const count = counts[index] as LimitCount;
  return { ...count, seconds: secondsUntil(count, now) };
}

function inSeconds(milliseconds: number): number {
  return Math.ceil(milliseconds / 1000);
}

/** Rounded up, so that a client that waits as told is not too early; at least one. */
export function secondsUntil({ resetAt }: Pick<LimitCount, "resetAt">, now: number): number {
  return Math.max(1, inSeconds(resetAt - now));
}
