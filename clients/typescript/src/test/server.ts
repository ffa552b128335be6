import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createRouterTransport, type ServiceImpl } from "@connectrpc/connect";

import { Client } from "../client.js";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
} from "../gen/google/rpc/error_details_pb.js";
import { type Decision, DecisionSchema } from "../gen/release_passport/v1/decision_pb.js";
import { DecisionService } from "../gen/release_passport/v1/decision_service_pb.js";
import { Verdict } from "../gen/release_passport/v1/verdict_pb.js";

export const RELEASE = "tenants/acme/services/checkout/environments/prod/releases/1.0.0";
export const NOW = new Date("2026-03-02T10:00:00Z");

/** Returns a recorded decision that lets the release go for ten minutes from NOW. */
export function decided(fields: MessageInitShape<typeof DecisionSchema> = {}): Decision {
  return create(DecisionSchema, {
    name: `${RELEASE}/decisions/1`,
    release: RELEASE,
    effectiveVerdict: Verdict.ALLOW,
    validUntil: timestampFromDate(new Date(NOW.getTime() + 600_000)),
    ...fields,
  } as MessageInitShape<typeof DecisionSchema>);
}

/** Returns a client of a server within this process. */
export function clientOf(decisions: Partial<ServiceImpl<typeof DecisionService>>): Client {
  const transport = createRouterTransport(({ service }) => service(DecisionService, decisions));
  return new Client({ server: "localhost:1" }, { transport, chance: () => 0 });
}

/** Returns an error as the server sends it. */
export function refusal(code: Code, reason = "", retryAfterMs?: number): ConnectError {
  const retry = { retryDelay: durationFromMs(retryAfterMs ?? 0) };
  return new ConnectError("refused", code, { "x-request-id": "r-1" }, [
    ...(reason ? [{ desc: ErrorInfoSchema, value: { reason, domain: "release-passport.dev" } }] : []),
    ...(retryAfterMs === undefined ? [] : [{ desc: RetryInfoSchema, value: retry }]),
    { desc: BadRequestSchema, value: { fieldViolations: [{ field: "release", description: "is empty" }] } },
  ]);
}
