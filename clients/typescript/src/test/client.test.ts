import assert from "node:assert/strict";
import { test } from "node:test";

import { Code, ConnectError } from "@connectrpc/connect";

import { PassportError } from "../errors.js";
import { DecisionService } from "../gen/release_passport/v1/decision_service_pb.js";
import { Client, TargetInvalid } from "../index.js";
import { Retries } from "../retries.js";
import { clientOf, decided, refusal, RELEASE } from "./server.js";

const ASK = { release: RELEASE };

test("an error carries everything that the server said", async () => {
  const client = clientOf({
    evaluate: () => {
      throw refusal(Code.ResourceExhausted, "OVERLOADED", 250);
    },
  });
  await assert.rejects(client.service(DecisionService).evaluate(ASK), (error: unknown) => {
    assert(error instanceof PassportError);
    assert.deepEqual(
      [error.code, error.reason, error.retryAfterMs, error.requestId, error.message],
      ["RESOURCE_EXHAUSTED", "OVERLOADED", 250, "r-1", "refused"],
    );
    assert.deepEqual(error.violations, [{ field: "release", description: "is empty" }]);
    return error.isTransient && !error.isUnreachable;
  });
});

test("the retries of one call are one change", async () => {
  const ids: string[] = [];
  const client = clientOf({
    evaluate: ({ requestId }) => {
      ids.push(requestId);
      if (ids.length < 3) throw refusal(Code.Unavailable);
      return { decision: decided() };
    },
  });
  await client.service(DecisionService).evaluate(ASK);
  assert.equal(ids.length, 3);
  assert.equal(new Set(ids).size, 1);
  assert.match(ids[0] ?? "", /^[0-9a-f-]{36}$/);
});

test("a given request id is kept", async () => {
  const ids: string[] = [];
  const client = clientOf({
    evaluate: ({ requestId }) => {
      ids.push(requestId);
      return {};
    },
  });
  await client.service(DecisionService).evaluate({ ...ASK, requestId: "mine" });
  assert.deepEqual(ids, ["mine"]);
});

test("after four attempts the failure is told", async () => {
  let calls = 0;
  const client = clientOf({
    evaluate: () => {
      calls++;
      throw refusal(Code.Unavailable);
    },
  });
  await assert.rejects(client.service(DecisionService).evaluate(ASK), { code: "UNAVAILABLE" });
  assert.equal(calls, 4);
});

test("a connection that ends under a call is told as UNAVAILABLE, a server's own INTERNAL as that", () => {
  const cause = Object.assign(new Error("Stream closed"), { code: "ERR_HTTP2_STREAM_ERROR" });
  const broken = new ConnectError("Stream closed", Code.Internal, undefined, undefined, cause);
  assert.equal(PassportError.from(broken).code, "UNAVAILABLE");
  assert.equal(PassportError.from(new ConnectError("oops", Code.Internal)).code, "INTERNAL");
});

test("a call that a server sheds as CANCELLED is told as UNAVAILABLE, the caller's own is CANCELLED", async () => {
  const shed = PassportError.from(refusal(Code.Canceled));
  const left = PassportError.from(refusal(Code.Canceled), AbortSignal.abort());
  assert.deepEqual([shed.code, left.code], ["UNAVAILABLE", "CANCELLED"]);
});

test("a deadline is an error, in the past too", async () => {
  const client = clientOf({ evaluate: () => new Promise<never>(() => undefined) });
  const { evaluate } = client.service(DecisionService);
  await assert.rejects(evaluate(ASK, { timeoutMs: 20 }), { code: "DEADLINE_EXCEEDED" });
  await assert.rejects(evaluate(ASK, { timeoutMs: 0 }), { code: "DEADLINE_EXCEEDED" });
});

test("an abort ends a call and the wait between two attempts", async () => {
  const aborting = new AbortController();
  const client = clientOf({
    evaluate: () => {
      setImmediate(() => aborting.abort());
      throw refusal(Code.Unavailable, "", 20_000);
    },
  });
  await assert.rejects(client.service(DecisionService).evaluate(ASK, { signal: aborting.signal }), {
    code: "CANCELLED",
  });
});

const UNAVAILABLE = PassportError.from(refusal(Code.Unavailable));
const EVALUATE = "release_passport.v1.DecisionService/Evaluate";

test("a call that returns a secret is not repeated, nor is one that was refused", () => {
  const retries = new Retries();
  const refused = PassportError.from(refusal(Code.PermissionDenied));
  assert.equal(retries.pauseAfter("release_passport.v1.AccessService/CreateAPIToken", UNAVAILABLE, 1), undefined);
  assert.equal(retries.pauseAfter(EVALUATE, refused, 1), undefined);
});

test("pauses grow, have jitter, and are never shorter than the server asks", () => {
  const longest = new Retries(() => 1);
  assert.deepEqual([1, 2, 3].map((attempt) => longest.pauseAfter(EVALUATE, UNAVAILABLE, attempt)), [200, 400, 800]);
  assert.equal(new Retries(() => 0).pauseAfter(EVALUATE, UNAVAILABLE, 1), 0);
  const asked = PassportError.from(refusal(Code.Unavailable, "DRAINING", 700));
  assert.equal(new Retries(() => 0).pauseAfter(EVALUATE, asked, 1), 700);
});

test("a server that is away for long is not asked four times by each call, and answers earn the retries back", () => {
  const retries = new Retries(() => 1);
  const repeated = () => retries.pauseAfter(EVALUATE, UNAVAILABLE, 1) !== undefined;
  assert.deepEqual(Array.from({ length: 6 }, repeated), [true, true, true, true, false, false]);
  for (let answers = 0; answers < 25; answers++) retries.answered();
  assert.equal(repeated(), true);
});

test("a target that would give the token away is refused", () => {
  const refused = (target: ConstructorParameters<typeof Client>[0]) => {
    assert.throws(() => new Client(target), TargetInvalid);
  };
  refused({ server: "passport.example.com:80", plaintext: true });
  refused({ server: "passport.example.com" });
  refused({ server: "user@passport.example.com:443" });
  refused({ server: "localhost:1", token: "two words" });
  refused({ server: "localhost:1", plaintext: true, certificate: { chain: "", key: "" } });
  new Client({ server: "127.0.0.1:1", plaintext: true }).close();
});

test("a server that is away is UNAVAILABLE, and so is a token source that fails", async () => {
  const away = new Client({ server: "127.0.0.1:1", plaintext: true }, { chance: () => 0 });
  await assert.rejects(away.gate(ASK), { code: "UNAVAILABLE" });
  const noToken = new Client(
    {
      server: "127.0.0.1:1",
      plaintext: true,
      token: () => {
        throw new Error("the provider is down");
      },
    },
    { chance: () => 0 },
  );
  await assert.rejects(noToken.gate(ASK), { code: "UNAVAILABLE", message: /the provider is down/ });
});
