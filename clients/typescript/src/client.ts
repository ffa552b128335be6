import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import type { DescMethod, DescService } from "@bufbuild/protobuf";
import {
  type CallOptions,
  type Client as Stub,
  Code,
  ConnectError,
  createClient,
  type Interceptor,
  type Transport,
} from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";

import { PassportError } from "./errors.js";
import { type Gate, gateOf, type Question } from "./gate.js";
import { DecisionService } from "./gen/release_passport/v1/decision_service_pb.js";
import { Retries } from "./retries.js";
import { baseUrl, requireToken, type Target } from "./target.js";
import { VERSION } from "./version.js";

const DEFAULT_TIMEOUT_MS = 30_000;
const KEEPALIVE_MS = 60_000;
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

/** How a client behaves; each has a default that fits. */
export interface ClientOptions {
  /** The deadline of a unary call with its retries, where the call names none: 30 s. */
  readonly timeoutMs?: number;
  /** In place of one to the target, such as createRouterTransport in tests. */
  readonly transport?: Transport;
  /** A number from 0 to 1, which pauses are multiplied by. */
  readonly chance?: () => number;
}

type Call = (request: object, options?: CallOptions) => unknown;

/**
 * A connection to one server, opened by its first call.
 *
 * What goes wrong is a PassportError; no error is ever turned into an answer. A request that takes a request id and has
 * none gets a new one, so that the retries of a call are one change.
 */
export class Client {
  readonly #transport: Transport;
  readonly #sessions: Http2SessionManager | undefined;
  readonly #timeoutMs: number;
  readonly #retries: Retries;
  readonly #services = new Map<DescService, unknown>();

  constructor(target: Target, options: ClientOptions = {}) {
    const url = baseUrl(target);
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.#retries = new Retries(options.chance);
    if (options.transport === undefined) {
      this.#sessions = new Http2SessionManager(url, { pingIntervalMs: KEEPALIVE_MS }, tlsOf(target));
      this.#transport = transportTo(url, this.#sessions, target);
    } else {
      this.#transport = options.transport;
    }
  }

  /** Returns the RPCs of a service, such as `client.service(EvidenceService).submitEvidence({…})`. */
  service<S extends DescService>(service: S): Stub<S> {
    const made = this.#services.get(service) ?? this.#made(service);
    this.#services.set(service, made);
    return made as Stub<S>;
  }

  /** Asks whether a release may proceed; `mayProceed` is false for whatever is not known for certain. */
  async gate(question: Question, options: CallOptions = {}): Promise<Gate> {
    const { acceptCanary, acceptDev, now, ...request } = question;
    const decisions = this.service(DecisionService);
    const answer = await decisions.evaluate(request, options);
    const name = answer.decision?.name ?? "";
    // A repeated request is answered with what was decided then.
    const newest = !answer.replayed || (name !== "" && (await decisions.getDecision({ name }, options)).newest);
    return gateOf(answer, { acceptCanary, acceptDev, newest, now: (now ?? (() => new Date()))() });
  }

  /** Closes the connection; calls that are under way fail. */
  close(): void {
    this.#sessions?.abort();
  }

  #made(service: DescService): Record<string, unknown> {
    const stub = createClient(service, this.#transport) as Record<string, Call>;
    const wrapped = service.methods.map((method) => {
      const call = stub[method.localName] as Call;
      const isUnary = method.methodKind === "unary";
      const made: Call = isUnary
        ? (request, options) => this.#unary(method, call as (...given: Parameters<Call>) => Promise<object>, request, options)
        : (request, options) => answersOf(call(request, { timeoutMs: 0, ...options }), options?.signal);
      return [method.localName, made];
    });
    return Object.fromEntries(wrapped) as Record<string, unknown>;
  }

  async #unary(
    method: DescMethod,
    call: (request: object, options: CallOptions) => Promise<object>,
    given: object,
    options: CallOptions = {},
  ): Promise<object> {
    const request = withRequestId(method, given);
    const end = performance.now() + (options.timeoutMs ?? this.#timeoutMs);
    for (let attempt = 1; ; attempt++) {
      const timeoutMs = Math.round(end - performance.now());
      if (timeoutMs <= 0) throw new PassportError("DEADLINE_EXCEEDED", "the deadline was over before the call was made");
      try {
        const answer = await call(request, { ...options, timeoutMs });
        this.#retries.answered();
        return answer;
      } catch (failure) {
        const error = PassportError.from(failure, options.signal);
        const pause = this.#retries.pauseAfter(`${method.parent.typeName}/${method.name}`, error, attempt);
        if (pause === undefined || performance.now() + pause >= end) throw error;
        await paused(pause, options.signal);
      }
    }
  }
}

function transportTo(url: string, sessionManager: Http2SessionManager, target: Target): Transport {
  return createGrpcTransport({
    baseUrl: url,
    sessionManager,
    interceptors: [identified(target)],
    acceptCompression: [],
    readMaxBytes: MAX_MESSAGE_BYTES,
    writeMaxBytes: MAX_MESSAGE_BYTES,
  });
}

function tlsOf({ ca, certificate }: Target): { ca?: string | Buffer; cert?: string | Buffer; key?: string | Buffer } {
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(certificate === undefined ? {} : { cert: certificate.chain, key: certificate.key }),
  };
}

function identified({ token }: Target): Interceptor {
  return (next) => async (request) => {
    request.header.set("user-agent", `release-passport-typescript/${VERSION}`);
    const shown = typeof token === "function" ? await asked(token, request.signal) : token;
    if (shown) request.header.set("authorization", `Bearer ${shown}`);
    return await next(request);
  };
}

async function asked(source: Exclude<Target["token"], string | undefined>, signal: AbortSignal): Promise<string> {
  try {
    const token = await source(signal);
    requireToken(token);
    return token;
  } catch (cause) {
    throw new ConnectError(`no token for this call: ${String(cause)}`, Code.Unavailable, undefined, undefined, cause);
  }
}

function withRequestId(method: DescMethod, request: object): object {
  const hasNone = method.input.field["requestId"] !== undefined && !(request as { requestId?: string }).requestId;
  return hasNone ? { ...request, requestId: randomUUID() } : request;
}

/** Passes on what a stream says; its failure is a PassportError. A call that takes a stream has one answer. */
function answersOf(answers: unknown, signal?: AbortSignal): unknown {
  return answers instanceof Promise
    ? answers.catch((failure: unknown) => Promise.reject(PassportError.from(failure, signal)))
    : each(answers as AsyncIterable<unknown>, signal);
}

async function* each(answers: AsyncIterable<unknown>, signal?: AbortSignal): AsyncGenerator<unknown> {
  try {
    yield* answers;
  } catch (failure) {
    throw PassportError.from(failure, signal);
  }
}

async function paused(pauseMs: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(pauseMs, undefined, signal ? { signal } : {});
  } catch (cause) {
    throw new PassportError("CANCELLED", "the caller left", { cause });
  }
}
