import type { Interaction, InteractionCode } from "@wardline/policy-types";
import type { RouteSettings } from "./settings.ts";

type Level = "system" | "type" | "instance" | "version" | "history" | "search";

/** Where each interaction lives, and its methods. */
const PLACES: readonly (readonly [code: InteractionCode, level: Level, methods: readonly string[]])[] = [
  ["read", "instance", ["GET", "HEAD"]],
  ["update", "instance", ["PUT"]],
  ["patch", "instance", ["PATCH"]],
  ["delete", "instance", ["DELETE"]],
  ["vread", "version", ["GET", "HEAD"]],
  ["history-instance", "history", ["GET", "HEAD"]],
  ["history-type", "history", ["GET", "HEAD"]],
  ["history-system", "history", ["GET", "HEAD"]],
  ["search-type", "type", ["GET", "HEAD"]],
  ["create", "type", ["POST"]],
  ["search-system", "system", ["GET", "HEAD"]],
  ["batch", "system", ["POST"]],
  ["transaction", "system", ["POST"]],
];

/** Methods that are offered where this interaction was asked for (RFC 9110 section 10.2.1). */
export function allowedMethods(interaction: Interaction, { interactions }: RouteSettings): readonly string[] {
  const level = levelOf(interaction);
  const methods = PLACES.filter(([code, place]) => place === level && interactions.has(code)).flatMap(
    ([, , allowed]) => allowed,
  );
  return [...new Set(methods)];
}

function levelOf({ code, id }: Interaction): Level {
  if (code === "vread") return "version";
  if (code.startsWith("history")) return "history";
  if (id !== undefined) return "instance";
  return code === "search-system" || code === "batch" || code === "transaction" ? "system" : "type";
}
