import { contextOf } from "@wardline/policy-types/express";
import type { Request } from "express";
import type { Asked } from "../match.ts";

/** The method and the whole path as the client sent them, wherever the middleware is mounted. */
export function askedOf(req: Request): Asked {
  const mark = req.originalUrl.indexOf("?");
  const path = mark < 0 ? req.originalUrl : req.originalUrl.slice(0, mark);
  return { method: contextOf(req).method, path, query: mark < 0 ? "" : req.originalUrl.slice(mark + 1) };
}
