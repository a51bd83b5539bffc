import type { Span, Context as TraceContext, Tracer, TracerProvider } from "@opentelemetry/api";
import type { AccessRecord } from "@wardline/policy-types";
import { afterAnswer, contextOf } from "@wardline/policy-types/express";
import type { RequestHandler } from "express";

/** Whatever makes spans: a `TracerProvider` of @opentelemetry/api. */
export interface SpanSource {
  getTracer(name: string, version?: string): unknown;
}

type Api = typeof import("@opentelemetry/api");

/** Methods a span may name; any other word is the client's. */
const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/**
 * A span for each request, where @opentelemetry/api is installed: as the child of what `traceparent` names, and as the parent
 * of whatever the upstream makes of ours. Its attributes are words of the policy and of the standard: no address, no id, no
 * query, no name of anybody (A14).
 *
 * @see https://opentelemetry.io/docs/specs/semconv/http/http-spans/
 */
export async function openTracing(given: SpanSource | undefined): Promise<RequestHandler | undefined> {
  // Whoever makes spans has registered before the edge starts; else loading it would be for nothing.
  if (given === undefined && !Object.getOwnPropertySymbols(globalThis).some(isOfTracing)) return undefined;
  const api = await import("@opentelemetry/api").catch(() => undefined);
  if (api === undefined) return undefined;
  const provider = (given as TracerProvider | undefined) ?? api.trace.getTracerProvider();
  return tracing(api, provider.getTracer("@wardline/gateway"));
}

/** Where every version of @opentelemetry/api keeps what was registered. */
function isOfTracing(symbol: symbol): boolean {
  return symbol.description?.startsWith("opentelemetry.js.api.") === true;
}

function tracing(api: Api, tracer: Tracer): RequestHandler {
  return function tracingMiddleware(req, res, next) {
    const context = contextOf(req);
    const method = METHODS.has(context.method) ? context.method : "_OTHER";
    const route = context.route?.path;
    const span = tracer.startSpan(
      route === undefined ? method : `${method} ${route}`,
      {
        kind: api.SpanKind.SERVER,
        attributes: { "http.request.method": method, ...(route === undefined ? {} : { "http.route": route }) },
      },
      parentOf(api, context.traceparent),
    );
    const own = span.spanContext();
    // What comes after this edge continues from here, and the audit record names the same span.
    if (span.isRecording() && api.isSpanContextValid(own)) {
      Object.assign(context, { traceparent: `00-${own.traceId}-${own.spanId}-${flags(own.traceFlags)}` });
    }
    afterAnswer(res, (record) => finish(api, span, record));
    next();
  };
}

function parentOf(api: Api, traceparent: string | undefined): TraceContext {
  const [, traceId = "", spanId = "", traceFlags = "00"] = traceparent?.split("-") ?? [];
  const remote = { traceId, spanId, traceFlags: Number.parseInt(traceFlags, 16), isRemote: true };
  return api.isSpanContextValid(remote) ? api.trace.setSpanContext(api.ROOT_CONTEXT, remote) : api.ROOT_CONTEXT;
}

function finish(api: Api, span: Span, record: AccessRecord): void {
  const { status, zone, apiType, routeId, interaction, resourceType, completed } = record;
  span.setAttributes({
    "http.response.status_code": status,
    "wardline.interaction": interaction,
    ...(zone === undefined ? {} : { "wardline.zone": zone }),
    ...(apiType === undefined ? {} : { "wardline.api_type": apiType }),
    ...(routeId === undefined ? {} : { "wardline.route": routeId }),
    ...(resourceType === undefined ? {} : { "wardline.resource_type": resourceType }),
  });
  if (status >= 500 || !completed) {
    span.setAttribute("error.type", completed ? String(status) : "broken-off");
    span.setStatus({ code: api.SpanStatusCode.ERROR });
  }
  span.end();
}

function flags(traceFlags: number): string {
  return traceFlags.toString(16).padStart(2, "0");
}
