import { createHash } from "node:crypto";
import type { OpenApiDocument, OperationObject } from "./document.ts";

const STYLE = [
  "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b;background:#fff}",
  "table{border-collapse:collapse;width:100%}",
  "th,td{text-align:left;vertical-align:top;padding:.3rem .6rem;border-bottom:1px solid #ccc}",
  "code{font-family:ui-monospace,monospace}",
  ".old{color:#8a1c00}",
].join("");

/** What lets the page's own style through and nothing else. */
export const PAGE_CSP: string = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

/** The document for people: one file of HTML, no script, nothing loaded, every text escaped. */
export function apiPage(document: OpenApiDocument): string {
  const { info, servers, tags, paths } = document;
  const rows = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const sections = tags.map(({ name, description }) => {
    const own = rows.filter(({ operation }) => operation.tags.includes(name));
    return `<section><h2>${escapeHtml(name)}</h2><p>${escapeHtml(description)}</p><table><thead><tr><th scope="col">Method</th><th scope="col">Path</th><th scope="col">What it does</th></tr></thead><tbody>${own.map(row).join("")}</tbody></table></section>`;
  });
  const title = escapeHtml(info.title);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${title}</title><style>${STYLE}</style></head>
<body><main><h1>${title} <small>${escapeHtml(info.version)}</small></h1><p>${escapeHtml(info.description ?? "")}</p><p>Base: <code>${escapeHtml(servers[0]?.url ?? "/")}</code></p>
${sections.join("\n")}</main></body></html>
`;
}

interface Row {
  readonly path: string;
  readonly method: string;
  readonly operation: OperationObject;
}

function row({ path, method, operation: { summary, deprecated } }: Row): string {
  const old = deprecated === true ? ' <strong class="old">deprecated</strong>' : "";
  return `<tr><td><code>${escapeHtml(method.toUpperCase())}</code></td><td><code>${escapeHtml(path)}</code></td><td>${escapeHtml(summary)}${old}</td></tr>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}
