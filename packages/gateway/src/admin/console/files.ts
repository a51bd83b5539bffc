import { type RequestHandler, Router } from "express";
import { PAGE } from "./page.ts";
import { SCRIPT } from "./script.ts";
import { STYLE } from "./style.ts";

/** Own files only, nothing inline; nobody may frame it, and it sends no form. */
const CSP = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** The console: a page that holds nothing itself, and shows what the operator's token opens. */
export function consolePage(): Router {
  const router = Router({ caseSensitive: true });
  router.get("/console", file("html", PAGE));
  router.get("/console.js", file("js", SCRIPT));
  router.get("/console.css", file("css", STYLE));
  return router;
}

function file(type: string, text: string): RequestHandler {
  return (_req, res) => {
    res.set("Content-Security-Policy", CSP).set("Referrer-Policy", "no-referrer").type(type).send(text);
  };
}
