import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";

import type { Decision } from "./gen/release_passport/v1/decision_pb.js";
import type { EvaluateRequestSchema, EvaluateResponse } from "./gen/release_passport/v1/decision_service_pb.js";
import { Verdict } from "./gen/release_passport/v1/verdict_pb.js";

/** What to ask: the fields of EvaluateRequest, such as `release`, and what to take for a yes. */
export type Question = Exclude<MessageInitShape<typeof EvaluateRequestSchema>, { $typeName: string }> & {
  /** The caller keeps the limits of a canary: ALLOW_WITH_CANARY is a yes. */
  readonly acceptCanary?: boolean;
  /** A decision of a server in development mode counts. For trying things out. */
  readonly acceptDev?: boolean;
  /** The time that validity is held against. */
  readonly now?: () => Date;
};

/** One thing that keeps a release, and who can do what about it. */
export interface GateReason {
  /** A stable code, such as EVIDENCE_MISSING; those of the client itself are in the README. */
  readonly code: string;
  readonly message: string;
  readonly nextAction: string;
  readonly whoCanAct: readonly string[];
  readonly policy: string;
  readonly rule: string;
}

/** An answer of the gate. */
export interface Gate {
  /** What to act on; HOLD for whatever cannot be relied on. */
  readonly verdict: Verdict;
  readonly mayProceed: boolean;
  /** Why not, strictest first; empty where the release may proceed. */
  readonly reasons: readonly GateReason[];
  readonly decision: Decision | undefined;
  /** The permit for the target that was asked for, empty without one. */
  readonly permit: Uint8Array;
}

interface Standing {
  readonly acceptCanary: boolean | undefined;
  readonly acceptDev: boolean | undefined;
  readonly newest: boolean;
  readonly now: Date;
}

const KNOWN: ReadonlySet<number> = new Set(
  Object.values(Verdict).filter((value) => typeof value === "number" && value !== Verdict.UNSPECIFIED),
) as ReadonlySet<number>;

/** Says whether this client knows what a verdict means. */
export function isKnown(verdict: Verdict): boolean {
  return KNOWN.has(verdict);
}

/** Says whether a verdict lets a release proceed, if only in steps. */
export function isAllowing(verdict: Verdict): boolean {
  return verdict === Verdict.ALLOW || verdict === Verdict.ALLOW_WITH_CANARY;
}

/** Returns what an answer is worth at this moment; what cannot be relied on holds. */
export function gateOf(answer: EvaluateResponse, standing: Standing): Gate {
  const { decision, permit } = answer;
  const refusal = refusalOf(decision, standing);
  if (decision === undefined || refusal !== undefined) {
    const reasons = refusal === undefined ? [] : [refusal];
    return { verdict: Verdict.HOLD, mayProceed: false, reasons, decision, permit: new Uint8Array() };
  }
  const verdict = decision.effectiveVerdict;
  const mayProceed = verdict === Verdict.ALLOW || (verdict === Verdict.ALLOW_WITH_CANARY && standing.acceptCanary === true);
  return { verdict, mayProceed, reasons: mayProceed ? [] : findingsOf(decision), decision, permit };
}

function refusalOf(decision: Decision | undefined, standing: Standing): GateReason | undefined {
  if (decision === undefined) return refused("NOT_RECORDED", "the answer holds no decision");
  if (!isKnown(decision.effectiveVerdict)) {
    return refused("VERDICT_UNKNOWN", "the server gave a verdict that this client does not know");
  }
  if (!isAllowing(decision.effectiveVerdict)) return undefined;
  if (decision.name === "") return refused("NOT_RECORDED", "the answer names no recorded decision");
  if (decision.dev && standing.acceptDev !== true) {
    return refused("DEVELOPMENT_SERVER", "made by a server in development mode, which gates nothing");
  }
  if (!standing.newest) return refused("NOT_NEWEST", "a newer decision of this release exists; ask again");
  if (decision.validUntil === undefined || timestampDate(decision.validUntil) <= standing.now) {
    return refused("NO_LONGER_VALID", "the decision is no longer valid; ask again");
  }
  return undefined;
}

function refused(code: string, message: string): GateReason {
  return { code, message, nextAction: "", whoCanAct: [], policy: "", rule: "" };
}

function findingsOf(decision: Decision): GateReason[] {
  return decision.findings
    .filter((finding) => finding.verdict !== Verdict.ALLOW)
    .map(({ reason, message, nextAction, whoCanAct, policy, rule }) => {
      return { code: reason, message, nextAction, whoCanAct, policy, rule };
    });
}
