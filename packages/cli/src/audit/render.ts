import type { AuditEvent, LedgerVerdict } from "@wardline/audit-event";
import { columns, type Paint, plural, shown } from "../output.ts";

export interface Effort {
  readonly bytes: number;
  readonly elapsedMs: number;
}

export function renderVerdict(folder: string, verdict: LedgerVerdict, effort: Effort, paint: Paint): string {
  if (!verdict.ok) {
    const { change, at, because, verified } = verdict;
    const facts = [
      ["kind", change],
      ["where", `${at.file === "" ? folder : at.file}, line ${at.line}, entry ${at.seq}`],
      ["because", because],
      ["intact up to", `${plural(verified.entries, "entry", "entries")}, head ${verified.entries}:${verified.hash}`],
    ];
    return `${paint("red", "not intact")}  ${folder}\n${columns(facts)}`;
  }
  const { entries, segments, head, from, checkpoints, clockWentBack } = verdict;
  const seconds = (effort.elapsedMs / 1000).toFixed(1);
  const facts = [
    [
      "entries",
      `${entries - from} in ${plural(segments, "file")}${from === 0 ? "" : `, from entry ${from}: those before have expired`}`,
    ],
    ["head", `${head.entries}:${head.hash}`],
    [
      "checkpoints",
      checkpoints === "not-checked"
        ? "not checked: without --keys a log written anew cannot be told from the truth"
        : `${checkpoints.agreed} agree, the last covers ${plural(checkpoints.entries, "entry", "entries")}`,
    ],
    ...(clockWentBack === 0 ? [] : [["clock", `went back ${plural(clockWentBack, "time")}`]]),
    ["effort", `${renderBytes(effort.bytes)} in ${seconds} s`],
  ];
  return `${paint("green", "intact")}  ${folder}\n${columns(facts)}`;
}

/** One line for each entry: number, time, outcome, what, who. */
export function renderEntry(seq: number, at: string, event: unknown): string {
  const { outcome, subtype, type, action, outcomeDesc, agent = [], entity = [] } = event as Partial<AuditEvent>;
  const who = agent.filter(({ requestor }) => requestor).map(({ who }) => nameOf(who));
  const what = entity.map(({ what, name }) => (what === undefined ? name : nameOf(what)));
  const named = subtype?.[0] ?? type;
  // DICOM's codes are numbers.
  const verb = (/^\d+$/.test(named?.code ?? "") ? named?.display : undefined) ?? named?.code ?? "?";
  const end = outcome === "0" ? "ok" : (outcomeDesc ?? `outcome ${outcome ?? "?"}`);
  const parts = [
    String(seq),
    at,
    `${action ?? "?"} ${verb}`,
    end,
    `by ${who.join(", ") || "?"}`,
    what.filter(Boolean).join(", "),
  ];
  return `${shown(parts.join("  "))}\n`;
}

function nameOf({ reference, identifier, display }: AuditEvent["agent"][number]["who"]): string {
  return reference ?? identifier?.value ?? display ?? "?";
}

export function renderBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = bytes === 0 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}
