import assert from "node:assert/strict";
import { test } from "node:test";

import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";

import { cached } from "../oidc.js";
import { Verdict } from "../index.js";
import { clientOf, decided, NOW, refusal, RELEASE } from "./server.js";

const ASK = { release: RELEASE, now: () => NOW };
const WHEN_WELL = { name: `${RELEASE}/decisions/1`, effectiveVerdict: Verdict.ALLOW };

test("ALLOW lets a release go", async () => {
  const gate = await clientOf({ evaluate: () => ({ decision: decided() }) }).gate(ASK);
  assert.deepEqual([gate.mayProceed, gate.verdict, gate.reasons], [true, Verdict.ALLOW, []]);
});

test("a canary is a yes only where the caller keeps its limits", async () => {
  const client = clientOf({ evaluate: () => ({ decision: decided({ effectiveVerdict: Verdict.ALLOW_WITH_CANARY }) }) });
  assert.equal((await client.gate(ASK)).mayProceed, false);
  assert.equal((await client.gate({ ...ASK, acceptCanary: true })).mayProceed, true);
});

const DOUBTS: [string, Parameters<typeof decided>[0] | undefined][] = [
  ["VERDICT_UNKNOWN", { effectiveVerdict: 99 as Verdict }],
  ["VERDICT_UNKNOWN", { effectiveVerdict: Verdict.UNSPECIFIED }],
  ["NO_LONGER_VALID", { validUntil: timestampFromDate(NOW) }],
  ["DEVELOPMENT_SERVER", { dev: true }],
  ["NOT_RECORDED", { name: "" }],
  ["NOT_RECORDED", undefined],
];
for (const [code, fields] of DOUBTS) {
  test(`an answer that is ${code} holds: ${JSON.stringify(Object.keys(fields ?? {}))}`, async () => {
    const answer = fields === undefined ? {} : { decision: decided({ ...WHEN_WELL, ...fields } as typeof fields) };
    const gate = await clientOf({ evaluate: () => answer }).gate(ASK);
    assert.deepEqual([gate.mayProceed, gate.verdict, gate.reasons.map((why) => why.code)], [false, Verdict.HOLD, [code]]);
  });
}

test("what was decided for a repeated request counts only while it is the newest", async () => {
  for (const newest of [true, false]) {
    const client = clientOf({
      evaluate: () => ({ decision: decided(), replayed: true }),
      getDecision: () => ({ decision: decided(), newest }),
    });
    assert.equal((await client.gate(ASK)).mayProceed, newest);
  }
});

test("a release that is kept says why, and who can do what", async () => {
  const finding = {
    policy: "baseline",
    rule: "tests",
    verdict: Verdict.BLOCK,
    reason: "EXPECTATION_FAILED",
    message: "2 tests fail",
    nextAction: "Mend them.",
    whoCanAct: ["sa:ci"],
  };
  const decision = decided({ effectiveVerdict: Verdict.BLOCK, findings: [finding, { verdict: Verdict.ALLOW }] });
  const gate = await clientOf({ evaluate: () => ({ decision }) }).gate(ASK);
  const { reason: code, verdict: _, ...rest } = finding;
  assert.deepEqual([gate.verdict, gate.reasons], [Verdict.BLOCK, [{ code, ...rest }]]);
});

test("an error is never an answer", async () => {
  const client = clientOf({
    evaluate: () => {
      throw refusal(Code.PermissionDenied, "ACCESS_DENIED");
    },
  });
  await assert.rejects(client.gate(ASK), { name: "PassportError", reason: "ACCESS_DENIED" });
});

test("a token is asked for once, and again shortly before it ends", async () => {
  let seconds = 0;
  let asked = 0;
  const token = (exp: number) => `e30.${Buffer.from(JSON.stringify({ exp })).toString("base64url")}.s`;
  const source = cached(
    () => {
      asked++;
      return token(seconds + 600);
    },
    () => seconds * 1000,
  );
  const { signal } = new AbortController();
  for (seconds of [0, 500, 541, 545]) await source(signal);
  assert.equal(asked, 2);
});
