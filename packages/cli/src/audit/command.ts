import type { Command } from "commander";
import type { Commands } from "../commands.ts";
import { addProofs } from "./proofs.ts";
import { addReading } from "./reading.ts";
import { addVerify } from "./verify.ts";

export function addAudit(commands: Commands): void {
  const audit: Command = commands.program
    .command("audit")
    .description("Reads the audit log, shows that it is intact, and proves single entries to somebody else.");
  addVerify(audit, commands);
  addReading(audit, commands);
  addProofs(audit, commands);
}
