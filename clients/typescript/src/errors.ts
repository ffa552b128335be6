import { Code, ConnectError } from "@connectrpc/connect";

import {
  BadRequestSchema,
  ErrorInfoSchema,
  PreconditionFailureSchema,
  RetryInfoSchema,
} from "./gen/google/rpc/error_details_pb.js";
import type { ErrorReason } from "./gen/release_passport/v1/error_reason_pb.js";

/** The status of a failed call, by its gRPC name. */
export type StatusCode = (typeof CODES)[number];

/** Why the server refused: a stable name of the contract. A newer server may send one that is not in the list. */
export type Reason = keyof typeof ErrorReason | (string & Record<never, never>);

/** One thing that is wrong with a request: the field's path and what to change. */
export interface Violation {
  readonly field: string;
  readonly description: string;
}

const CODES = [
  "OK",
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
] as const;

interface Details {
  readonly reason?: Reason;
  readonly violations?: readonly Violation[];
  readonly retryAfterMs?: number | undefined;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly requestId?: string;
  readonly cause?: unknown;
}

/** A call that gave no answer: `code` is the gRPC status, `reason` is stable, the text is for people. */
export class PassportError extends Error {
  override readonly name = "PassportError";
  readonly code: StatusCode;
  readonly reason: Reason;
  readonly violations: readonly Violation[];
  /** How long to wait before asking again, in milliseconds, where the server said so. */
  readonly retryAfterMs: number | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  /** The id under which the server's log has this call. */
  readonly requestId: string;

  constructor(code: StatusCode, message: string, details: Details = {}) {
    super(message, { cause: details.cause });
    this.code = code;
    this.reason = details.reason ?? "";
    this.violations = details.violations ?? [];
    this.retryAfterMs = details.retryAfterMs;
    this.metadata = details.metadata ?? {};
    this.requestId = details.requestId ?? "";
  }

  /** Says whether the gate could not be reached or did not answer in time. */
  get isUnreachable(): boolean {
    return this.code === "UNAVAILABLE" || this.code === "DEADLINE_EXCEEDED";
  }

  /** Says whether the same call may succeed after a while. */
  get isTransient(): boolean {
    return this.isUnreachable || this.code === "RESOURCE_EXHAUSTED" || this.code === "ABORTED";
  }

  /** Returns what a failed call said; `signal` is the caller's, which alone makes a CANCELLED. */
  static from(failure: unknown, signal?: AbortSignal): PassportError {
    if (failure instanceof PassportError) return failure;
    const error = ConnectError.from(failure);
    // The server's core sheds bursts of calls as CANCELLED; only the caller's own is called so.
    const isShed = error.code === Code.Canceled && signal?.aborted !== true;
    const code = isShed || isBrokenOff(error) ? "UNAVAILABLE" : (CODES[error.code] ?? "UNKNOWN");
    return new PassportError(code, error.rawMessage || "no text was given", { ...detailsOf(error), cause: failure });
  }
}

/** Says whether the connection ended under the call: a server that answers with INTERNAL says more than that. */
function isBrokenOff(error: ConnectError): boolean {
  const { code } = (error.cause ?? {}) as { code?: unknown };
  const byHTTP = typeof code === "string" && code.startsWith("ERR_HTTP2_");
  return error.code === Code.Internal && byHTTP && error.details.length === 0;
}

function detailsOf(error: ConnectError): Details {
  const info = error.findDetails(ErrorInfoSchema)[0];
  const delay = error.findDetails(RetryInfoSchema)[0]?.retryDelay;
  const fields = error.findDetails(BadRequestSchema).flatMap((bad) => bad.fieldViolations);
  const states = error.findDetails(PreconditionFailureSchema).flatMap((failed) => failed.violations);
  return {
    reason: info?.reason ?? "",
    metadata: info?.metadata ?? {},
    violations: [
      ...fields.map(({ field, description }) => ({ field, description })),
      ...states.map(({ subject, description }) => ({ field: subject, description })),
    ],
    retryAfterMs: delay && Number(delay.seconds) * 1000 + delay.nanos / 1e6,
    requestId: error.metadata.get("x-request-id") ?? "",
  };
}
