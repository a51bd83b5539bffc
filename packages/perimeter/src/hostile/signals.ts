import type { HeaderFacts } from "../facts.ts";
import { remembering } from "../remembered.ts";

/** What tells a scanner or a script apart; a hint for abuse-monitor, never a verdict. */
export type Signal = "signal:scanner-agent" | "signal:no-user-agent" | "signal:no-accept" | "signal:path-probing";

/** Names that scanners give themselves. Who hides is found by what he does. */
const SCANNERS =
  /\b(?:sqlmap|nikto|nessus|nmap|masscan|zgrab|acunetix|netsparker|invicti|burp(?:suite|collaborator)?|owasp[ _-]?zap|zaproxy|w3af|arachni|wpscan|joomscan|dirbuster|gobuster|ffuf|feroxbuster|dirsearch|wfuzz|hydra|medusa|nuclei|openvas|qualys|detectify|skipfish|vega|whatweb|commix|jaeles|xsstrike|dalfox|httpx|subfinder|censys|shodan|expanse|leakix|l9explore|fimap|havij|grabber|grendel-scan|paros|webinspect|appscan|whisker|pangolin|jbrofuzz|morfeus|zmeu|brutus|crowbar|katana|gospider|hakrawler|fuzz faster u fool)\b/i;

export type ReadSignals = (headers: HeaderFacts, probesPath: boolean) => readonly Signal[];

export function signalReader(): ReadSignals {
  const isScanner = remembering((agent) => SCANNERS.test(agent));

  return function readSignals({ lines }, probesPath) {
    const signals: Signal[] = [];
    const agent = lines.get("user-agent")?.[0];
    if (agent === undefined || agent.trim() === "") signals.push("signal:no-user-agent");
    else if (isScanner(agent)) signals.push("signal:scanner-agent");
    if (!lines.has("accept")) signals.push("signal:no-accept");
    if (probesPath) signals.push("signal:path-probing");
    return signals;
  };
}
