import type { HoursCondition } from "./rules.ts";

const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
const TIME = /^(?:([01]\d|2[0-3]):([0-5]\d)|24:00)$/;

/** Why hours cannot be meant; `undefined` when they can. */
export function hoursFault({ timeZone, days = DAYS, from, to }: HoursCondition): string | undefined {
  try {
    new Intl.DateTimeFormat("en", { timeZone });
  } catch {
    return "timeZone is no IANA time zone";
  }
  if (typeof timeZone !== "string") return "timeZone is missing";
  if (!Array.isArray(days) || days.length === 0 || !days.every((day: (typeof DAYS)[number]) => DAYS.includes(day))) {
    return `days must be of ${DAYS.join(", ")}`;
  }
  if (!TIME.test(from) || !TIME.test(to) || from === "24:00" || from === to) {
    return "from and to must be two different times of day, as 08:00";
  }
  return undefined;
}

/**
 * Whether a moment lies within hours of a time zone, its changes of clock included. The answer is kept for a minute, as
 * hours have no seconds.
 */
export function createHours({ timeZone, days = DAYS, from, to }: HoursCondition): (now: number) => boolean {
  const clock = new Intl.DateTimeFormat("en-GB", {
    timeZone,
    weekday: "short",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  let minute = Number.NaN;
  let answer = false;
  return (now) => {
    const current = Math.floor(now / 60_000);
    if (current !== minute) {
      answer = isWithin(now);
      minute = current;
    }
    return answer;
  };

  function isWithin(now: number): boolean {
    const parts = Object.fromEntries(clock.formatToParts(now).map(({ type, value }) => [type, value]));
    const at = DAYS.indexOf(parts["weekday"]?.toLowerCase() as (typeof DAYS)[number]);
    const today = DAYS[at];
    const yesterday = DAYS[(at + 6) % 7];
    if (today === undefined || yesterday === undefined) return false;
    const time = `${parts["hour"]}:${parts["minute"]}`;
    if (from < to) return days.includes(today) && from <= time && time < to;
    return (days.includes(today) && from <= time) || (days.includes(yesterday) && time < to);
  }
}
