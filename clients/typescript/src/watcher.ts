import { setTimeout as sleep } from "node:timers/promises";

import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { durationMs, timestampDate } from "@bufbuild/protobuf/wkt";

import type { Client } from "./client.js";
import { PassportError } from "./errors.js";
import { isAllowing, isKnown } from "./gate.js";
import type { Decision } from "./gen/release_passport/v1/decision_pb.js";
import {
  DecisionService,
  WatchDecisionRequestSchema,
  type WatchDecisionRequest,
  type WatchDecisionResponse,
} from "./gen/release_passport/v1/decision_service_pb.js";
import { Verdict } from "./gen/release_passport/v1/verdict_pb.js";
import { DecisionEventKind } from "./gen/release_passport/v1/watch_pb.js";
import { noTokens, type TokenStore } from "./tokens.js";

// The rules stand in clients/README.md.
const MISSED_HEARTBEATS = 3;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;
// A stream that has lived so long was healthy: the pauses begin anew.
const HEALTHY_MS = 30_000;
const USUAL_HEARTBEAT_MS = 15_000;

// The stream goes on behind its last message. CANCELLED is how a server sheds a burst of new streams.
const RESUMED: ReadonlySet<string> = new Set([
  "UNAVAILABLE",
  "CANCELLED",
  "DEADLINE_EXCEEDED",
  "ABORTED",
  "RESOURCE_EXHAUSTED",
  "INTERNAL",
  "UNKNOWN",
]);
// The token is of no use any more; what stands is asked for anew.
const FORGOTTEN: ReadonlySet<string> = new Set(["REVISION_COMPACTED", "HISTORY_DIVERGED", "RESUME_TOKEN_MISMATCH"]);

/**
 * What a watcher has heard. STOOD and SYNCED: the newest decision as the stream began, and that this was all. STALE:
 * nothing for three heartbeats, so that what allowed is unknown. DIVERGED: the server's history is another one, and what
 * was done on the lost decisions needs a look.
 */
export type News = "STOOD" | "SYNCED" | "CHANGED" | "RENEWED" | "EXPIRED" | "STALE" | "DIVERGED";

/** One thing that a watcher has heard; `decision` is set for news of one. */
export interface Update {
  readonly news: News;
  readonly revision: bigint;
  readonly decision: Decision | undefined;
}

/** How a watcher behaves; each has a default that fits. */
export interface WatcherOptions {
  /** Ends the iteration, at once and without an error. */
  readonly signal?: AbortSignal;
  /** Where the resume token is kept over restarts of the process; nowhere by default. */
  readonly tokens?: TokenStore;
  /** The time that the validity of decisions is held against. */
  readonly now?: () => Date;
  /** Milliseconds of a clock that is never set back. */
  readonly monotonicMs?: () => number;
  /** A number from 0 to 1, which pauses are multiplied by. */
  readonly chance?: () => number;
  /** Waits between two streams. */
  readonly pause?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/**
 * Yields what happens to decisions, without end, and says what may be acted on now.
 *
 * Iterate it once, with `for await`. Throws PassportError for what asking again does not mend: a wrong request, and
 * rights or a credential that are gone.
 */
export class Watcher implements AsyncIterable<Update> {
  readonly #client: Pick<Client, "service">;
  readonly #request: WatchDecisionRequest;
  readonly #tokens: TokenStore;
  readonly #now: () => Date;
  readonly #monotonicMs: () => number;
  readonly #chance: () => number;
  readonly #pause: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly #closing = new AbortController();
  readonly #signal: AbortSignal;
  readonly #current = new Map<string, Decision>();
  #seen: readonly [bigint, number] = [0n, -1];
  #heardMs: number | undefined;
  #intervalMs = USUAL_HEARTBEAT_MS;
  #toldStale = true;
  #token = "";
  #waitMs = 0;

  constructor(
    client: Pick<Client, "service">,
    request: MessageInitShape<typeof WatchDecisionRequestSchema>,
    options: WatcherOptions = {},
  ) {
    this.#client = client;
    this.#request = create(WatchDecisionRequestSchema, request);
    this.#tokens = options.tokens ?? noTokens;
    this.#now = options.now ?? (() => new Date());
    this.#monotonicMs = options.monotonicMs ?? (() => performance.now());
    this.#chance = options.chance ?? Math.random;
    this.#pause = options.pause ?? (async (ms, signal) => sleep(ms, undefined, { signal }));
    this.#signal = options.signal ? AbortSignal.any([options.signal, this.#closing.signal]) : this.#closing.signal;
  }

  /** Yields updates; the token of one is kept once the next is asked for, because then it was handled. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Update, void, void> {
    this.#token = await this.#tokens.load();
    let pauseMs = FIRST_PAUSE_MS;
    while (!this.#signal.aborted) {
      const began = this.#monotonicMs();
      this.#waitMs = 0;
      try {
        yield* this.#updates();
      } catch (error) {
        if (this.#signal.aborted) return;
        yield* this.#after(error);
      }
      if (this.isStale && !this.#toldStale) {
        this.#toldStale = true;
        yield { news: "STALE", revision: 0n, decision: undefined };
      }
      if (this.#monotonicMs() - began >= HEALTHY_MS) pauseMs = FIRST_PAUSE_MS;
      await this.#rested(Math.max(this.#waitMs, this.#chance() * pauseMs));
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    }
  }

  /** Says whether nothing was heard for three heartbeats. */
  get isStale(): boolean {
    return this.#heardMs === undefined || this.#monotonicMs() - this.#heardMs >= MISSED_HEARTBEATS * this.#intervalMs;
  }

  /** Returns what may be acted on: HOLD for whatever is not known for certain now. */
  effectiveVerdict(release: string): Verdict {
    const decision = this.#current.get(release);
    if (decision === undefined || !isKnown(decision.effectiveVerdict)) return Verdict.HOLD;
    const { validUntil, effectiveVerdict } = decision;
    const hasEnded = validUntil !== undefined && timestampDate(validUntil) <= this.#now();
    return isAllowing(effectiveVerdict) && (this.isStale || hasEnded) ? Verdict.HOLD : effectiveVerdict;
  }

  /** Ends the iteration. */
  close(): void {
    this.#closing.abort();
  }

  async *#updates(): AsyncGenerator<Update, void, void> {
    for await (const message of this.#messages()) {
      this.#heardMs = this.#monotonicMs();
      this.#toldStale = false;
      const update = this.#heard(message);
      if (update !== undefined) yield update;
      if (message.event.case === "goodbye" && message.event.value.reconnectAfter !== undefined) {
        this.#waitMs = durationMs(message.event.value.reconnectAfter);
      }
      await this.#keep(message.resumeToken);
    }
  }

  /** Yields what one stream says, until it ends or says nothing for three heartbeats. */
  async *#messages(): AsyncGenerator<WatchDecisionResponse, void, void> {
    const leaving = new AbortController();
    const signal = AbortSignal.any([this.#signal, leaving.signal]);
    const request = { ...this.#request, resumeToken: this.#token };
    const messages = this.#client.service(DecisionService).watchDecision(request, { signal })[Symbol.asyncIterator]();
    let isSilent = false;
    try {
      for (;;) {
        const timer = setTimeout(() => {
          isSilent = true;
          leaving.abort();
        }, MISSED_HEARTBEATS * this.#intervalMs);
        const said = await messages.next().finally(() => clearTimeout(timer));
        if (said.done === true) return;
        if (said.value.heartbeatInterval !== undefined) this.#intervalMs = durationMs(said.value.heartbeatInterval);
        yield said.value;
      }
    } catch (error) {
      if (!isSilent) throw error;
    } finally {
      leaving.abort();
    }
  }

  /** Yields what follows from the end of a stream; throws the error where asking again does not mend it. */
  async *#after(error: unknown): AsyncGenerator<Update, void, void> {
    if (!(error instanceof PassportError)) throw error;
    if (FORGOTTEN.has(error.reason)) {
      this.#seen = [0n, -1];
      await this.#keep("");
      if (error.reason === "HISTORY_DIVERGED") {
        // What stood may not be in the record any more.
        this.#current.clear();
        yield { news: "DIVERGED", revision: 0n, decision: undefined };
      }
    } else if (!RESUMED.has(error.code)) {
      this.#heardMs = undefined;
      throw error;
    }
    this.#waitMs = error.retryAfterMs ?? 0;
  }

  async #keep(token: string): Promise<void> {
    if (token === this.#token) return;
    this.#token = token;
    await this.#tokens.save(token);
  }

  async #rested(ms: number): Promise<void> {
    try {
      await this.#pause(ms, this.#signal);
    } catch (error) {
      if (!this.#signal.aborted) throw error;
    }
  }

  #heard(message: WatchDecisionResponse): Update | undefined {
    const { event, revision } = message;
    if (event.case === "snapshotEnd") return { news: "SYNCED", revision, decision: undefined };
    if (event.case !== "decision" || event.value.decision === undefined) return undefined;
    const { decision, index } = event.value;
    const news = newsOf(event.value.kind);
    if (news !== "STOOD") {
      const [seenRevision, seenIndex] = this.#seen;
      if (revision < seenRevision || (revision === seenRevision && index <= seenIndex)) return undefined;
      this.#seen = [revision, index];
    }
    if (news === "EXPIRED") this.#current.delete(decision.release);
    else this.#current.set(decision.release, decision);
    return { news, revision, decision };
  }
}

function newsOf(kind: DecisionEventKind): News {
  switch (kind) {
    case DecisionEventKind.SNAPSHOT:
      return "STOOD";
    case DecisionEventKind.CHANGED:
      return "CHANGED";
    case DecisionEventKind.RENEWED:
      return "RENEWED";
    default:
      // What this client does not know counts as the end of what stood.
      return "EXPIRED";
  }
}
