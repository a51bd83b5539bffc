/** What a caller did on one day. */
export interface DayTotals {
  readonly patients: number;
  readonly resources: number;
  readonly bytes: number;
}

/** How the days of a group of callers are spread, as mean and variance of their logarithms. */
export interface PeerLevel {
  readonly days: number;
  readonly patients: Spread;
  readonly resources: Spread;
  readonly bytes: Spread;
}

interface Spread {
  readonly mean: number;
  readonly variance: number;
}

/** Takes a day that has ended into the level. The last thousand days count. */
export function stepPeers(level: PeerLevel | undefined, day: DayTotals): PeerLevel {
  const days = Math.min((level?.days ?? 0) + 1, REMEMBERED_DAYS);
  return {
    days,
    patients: spread(level?.patients, day.patients, days),
    resources: spread(level?.resources, day.resources, days),
    bytes: spread(level?.bytes, day.bytes, days),
  };
}

/** What hardly a day of a peer goes beyond, three standard deviations up; `undefined` while too few days are known. */
export function highOfPeers(level: PeerLevel | undefined): DayTotals | undefined {
  if (level === undefined || level.days < LEAST_DAYS) return undefined;
  const high = ({ mean, variance }: Spread) => Math.expm1(mean + 3 * Math.sqrt(variance));
  return { patients: high(level.patients), resources: high(level.resources), bytes: high(level.bytes) };
}

/** An exponentially weighted mean and variance. @see https://doi.org/10.1080/00401706.1962.10490022 Welford's update */
function spread(before: Spread | undefined, value: number, days: number): Spread {
  const log = Math.log1p(value);
  if (before === undefined) return { mean: log, variance: 0 };
  const weight = 1 / days;
  const delta = log - before.mean;
  const mean = before.mean + weight * delta;
  return { mean, variance: (1 - weight) * (before.variance + weight * delta * delta) };
}

const REMEMBERED_DAYS = 1000;
const LEAST_DAYS = 50;
