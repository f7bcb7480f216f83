import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Attributes,
  context,
  DiagLogLevel,
  diag,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type TextMapPropagator,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources'
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node'
import type { Logger } from 'pino'
import { DriverError } from '../../../drivers/errors.ts'
import { type DriverObserver, observedDriver } from '../../../drivers/observed.ts'
import { describeError } from '../../../http/describe-error.ts'
import { noteTrace } from '../../../http/request-context.ts'
import { software } from '../../../http/software.ts'
import { type HubInstruments, noHubInstruments } from '../../../hub/instruments.ts'
import { routeTemplate } from './route-template.ts'
import type { PropagatorName } from './tracing-env.ts'
import { noWatch, type ServerName, type Watch } from './watch.ts'

const makers: Record<PropagatorName, () => TextMapPropagator> = {
  tracecontext: () => new W3CTraceContextPropagator(),
  baggage: () => new W3CBaggagePropagator(),
}

/** Whatever stops this process waits for the grace time of requests and then for this. */
const writeOutMs = 3_000

/**
 * Traces by OpenTelemetry: a span for each request, within the trace that its `traceparent` names (W3C Trace Context),
 * and in it one for each call to the storage. Registers itself for the whole process, as OpenTelemetry wants it, so
 * that what the SDKs of storages tell is in the same traces.
 */
export function openTracing(logger: Logger, propagators: ReadonlySet<PropagatorName>): Watch {
  diag.setLogger(diagnosticsTo(logger), DiagLogLevel.WARN)
  const provider = new NodeTracerProvider({
    resource: defaultResource()
      .merge(resourceFromAttributes({ 'service.name': software.name, 'service.version': software.version }))
      .merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
  })
  provider.register({
    propagator: new CompositePropagator({ propagators: [...propagators].map((name) => makers[name]()) }),
  })
  const tracer = provider.getTracer(software.name, software.version)
  return {
    ...noWatch,
    instruments: (server) => requestSpans(tracer, server),
    driver: (driver) => observedDriver(driver, driverSpans(tracer, driver.name)),
    close: () => writeOut(provider, logger),
  }
}

/** Sends what is still in memory, within {@link writeOutMs}: an end in order is none the less one without a collector. */
async function writeOut(provider: NodeTracerProvider, logger: Logger): Promise<void> {
  try {
    const isLate = await Promise.race([
      provider.shutdown().then(() => false),
      sleep(writeOutMs, true, { ref: false }),
    ])
    if (isLate)
      logger.warn({ waitedMs: writeOutMs }, 'the last traces are lost: the collector does not answer')
  } catch (error) {
    logger.warn({ err: describeError(error) }, 'the last traces are lost: the collector does not take them')
  }
}

/** By the semantic conventions for HTTP, but without `url.path`, which names owners and their files. */
function requestSpans(tracer: Tracer, server: ServerName): HubInstruments {
  const spans = new WeakMap<ServerResponse, Span>()
  return {
    ...noHubInstruments,
    begin(req, res, next) {
      const parent = propagation.extract(ROOT_CONTEXT, req.headers)
      const attributes = { ...methodAttributes(req), 'url.scheme': schemeOf(req), 'mandate.server': server }
      const span = tracer.startSpan(nameOf(req), { kind: SpanKind.SERVER, attributes }, parent)
      spans.set(res, span)
      noteTrace(res, span.spanContext().traceId)
      const within = trace.setSpan(parent, span)
      // What is done when the body has ended belongs to the request too.
      context.bind(within, req)
      context.with(within, next)
    },
    end(res, { route = '', status, bytesIn, bytesOut }) {
      const span = spans.get(res)
      if (span === undefined) return
      const template = routeTemplate(route)
      if (template !== undefined) {
        span.updateName(`${nameOf(res.req)} ${template}`).setAttribute('http.route', template)
      }
      span.setAttributes({
        'http.response.status_code': status,
        'http.request.body.size': bytesIn,
        'http.response.size': bytesOut,
      })
      if (status >= 500) {
        span.setAttribute('error.type', String(status)).setStatus({ code: SpanStatusCode.ERROR })
      }
      span.end()
    },
  }
}

/** Those that the conventions take for known (RFC 9110, and PATCH); Node lets more through. */
const knownMethods: ReadonlySet<string> = new Set([
  'CONNECT',
  'DELETE',
  'GET',
  'HEAD',
  'OPTIONS',
  'PATCH',
  'POST',
  'PUT',
  'TRACE',
])

function nameOf({ method = '' }: IncomingMessage): string {
  return knownMethods.has(method) ? method : 'HTTP'
}

function methodAttributes({ method = '' }: IncomingMessage): Attributes {
  if (knownMethods.has(method)) return { 'http.request.method': method }
  return { 'http.request.method': '_OTHER', 'http.request.method_original': method }
}

/** That of the client's own request, where a proxy tells it. */
function schemeOf({ headers, socket }: IncomingMessage): string {
  const told = headers['x-forwarded-proto']
  if (told === 'http' || told === 'https') return told
  return 'encrypted' in socket ? 'https' : 'http'
}

/** Calls that no request makes, probes of the storage for instance, get no trace of their own. */
function driverSpans(tracer: Tracer, driver: string): DriverObserver {
  return async (call, run) => {
    const outer = context.active()
    if (trace.getSpan(outer) === undefined) return await run()
    const attributes = { 'mandate.driver': driver, 'mandate.driver.call': call }
    const span = tracer.startSpan(`${driver} ${call}`, { kind: SpanKind.CLIENT, attributes }, outer)
    try {
      return await context.with(trace.setSpan(outer, span), run)
    } catch (error) {
      span.setAttribute('error.type', error instanceof DriverError ? error.code : 'body')
      if (isFault(error)) span.setStatus({ code: SpanStatusCode.ERROR })
      throw error
    } finally {
      span.end()
    }
  }
}

/** A condition that does not hold, or a file that is not there, is an answer like any other. */
function isFault(error: unknown): boolean {
  return error instanceof DriverError && (error.code === 'unavailable' || error.code === 'backend')
}

/** That a collector cannot be reached, for instance. */
function diagnosticsTo(logger: Logger) {
  const tell = (level: 'error' | 'warn') => (message: string) => logger[level]({ detail: message }, 'traces')
  const nothing = () => undefined
  return { error: tell('error'), warn: tell('warn'), info: nothing, debug: nothing, verbose: nothing }
}
