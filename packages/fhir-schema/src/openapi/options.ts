import { findings, refuseUnknownKeys } from "@wardline/policy-types";
import type { SchemaIssue } from "../issues.ts";
import { type ApiPath, compileOperations } from "./operations.ts";

/** What is wrong with an answer: names and places of the document, no value. */
export interface OpenApiReport {
  /** As the document writes it: `GET /claims/{id}`. */
  readonly operation: string;
  readonly status: number;
  readonly requestId: string;
  readonly issues: readonly SchemaIssue[];
}

export interface OpenApiOptions {
  /** What becomes of answers that are not as declared. `report`: sent, and `onReport` told. `refuse`: 502. Default `off`. */
  readonly responses?: "off" | "report" | "refuse";
  /** Told of every answer that is not as declared. */
  readonly onReport?: (report: OpenApiReport) => void;
  /** Longest request body, in bytes. Default 1 MiB. */
  readonly requestBodyBytes?: number;
  /** Findings per request at most. Default 20. */
  readonly maxIssues?: number;
}

export interface ParsedOpenApi {
  readonly paths: readonly ApiPath[];
  readonly responses: "off" | "report" | "refuse";
  readonly onReport: (report: OpenApiReport) => void;
  readonly requestBodyBytes: number;
  readonly maxIssues: number;
}

export function parseOpenApi(document: object, options: OpenApiOptions): ParsedOpenApi {
  const found = findings();
  refuseUnknownKeys(found, options, ["responses", "onReport", "requestBodyBytes", "maxIssues"]);
  const { responses = "off", onReport, requestBodyBytes = 1024 * 1024, maxIssues = 20 } = options;
  if (!["off", "report", "refuse"].includes(responses))
    found.add("responses", "unknown-value", "off, report or refuse");
  if (onReport !== undefined && typeof onReport !== "function") found.add("onReport", "not-a-function", "a function");
  if (responses === "report" && onReport === undefined)
    found.add("onReport", "report-unheard", "`responses: report` needs somebody to report to");
  if (!isWithin(requestBodyBytes, 1, 1 << 30)) found.add("requestBodyBytes", "out-of-range", "whole bytes, 1 to 1 GiB");
  if (!isWithin(maxIssues, 1, 1000)) found.add("maxIssues", "out-of-range", "a whole number from 1 to 1000");
  const paths = compileOperations(document, found);
  found.throwIfAny("openApiRoutes()");
  return Object.freeze({ paths, responses, onReport: onReport ?? (() => undefined), requestBodyBytes, maxIssues });
}

function isWithin(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}
