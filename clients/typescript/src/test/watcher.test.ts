import assert from "node:assert/strict";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import type { MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Code, type HandlerContext } from "@connectrpc/connect";

import type { WatchDecisionRequest, WatchDecisionResponseSchema } from "../gen/release_passport/v1/decision_service_pb.js";
import { DecisionEventKind } from "../gen/release_passport/v1/watch_pb.js";
import { type Decision, DecisionSchema } from "../gen/release_passport/v1/decision_pb.js";
import { TokenFile, type Update, Verdict, Watcher, type WatcherOptions } from "../index.js";
import { clientOf, decided, NOW, refusal, RELEASE } from "./server.js";

type Said = MessageInitShape<typeof WatchDecisionResponseSchema>;
/** What one stream does: messages, then an error, silence, or its end. */
type Script = (Said | Error | "silence")[];

const beat = durationFromMs(5000);
const synced = (revision: bigint): Said => ({
  event: { case: "snapshotEnd", value: { decisions: 1 } },
  revision,
  resumeToken: `at-${revision}`,
  heartbeatInterval: beat,
});
const heartbeat: Said = { event: { case: "heartbeat", value: {} }, heartbeatInterval: beat, resumeToken: "at-beat" };

function told(
  kind: DecisionEventKind,
  revision: bigint,
  decision: Decision | MessageInitShape<typeof DecisionSchema> = decided(),
  index = 0,
): Said {
  return {
    event: { case: "decision", value: { kind, index, decision } },
    revision,
    resumeToken: `at-${revision}-${index}`,
    heartbeatInterval: beat,
  };
}
const changed = (revision: bigint, fields: Parameters<typeof decided>[0] = {}, index = 0): Said =>
  told(DecisionEventKind.CHANGED, revision, decided(fields), index);

interface Run {
  readonly watcher: Watcher;
  readonly tokens: string[];
  readonly pauses: number[];
  readonly saved: string[];
  readonly clock: { ms: number };
}

/** Returns a watcher of a server whose streams follow scripts, one after the other; the last one stays silent. */
function watching(scripts: Script[], options: WatcherOptions = {}): Run {
  const run = { tokens: [] as string[], pauses: [] as number[], saved: [] as string[], clock: { ms: 0 } };
  const client = clientOf({
    async *watchDecision(request: WatchDecisionRequest, { signal }: HandlerContext) {
      run.tokens.push(request.resumeToken);
      for (const step of scripts[run.tokens.length - 1] ?? ["silence"]) {
        if (step === "silence") await new Promise((done) => signal.addEventListener("abort", done, { once: true }));
        else if (step instanceof Error) throw step;
        else yield step as Said;
      }
    },
  });
  const watcher = new Watcher(
    client,
    { subscriptions: [{ release: RELEASE }] },
    {
      now: () => NOW,
      monotonicMs: () => run.clock.ms,
      chance: () => 1,
      tokens: { load: () => "", save: (token) => void run.saved.push(token) },
      pause: async (ms) => void run.pauses.push(ms),
      ...options,
    },
  );
  return { ...run, watcher };
}

async function heard(watcher: Watcher, count: number): Promise<Update[]> {
  const updates: Update[] = [];
  for await (const update of watcher) {
    updates.push(update);
    if (updates.length === count) break;
  }
  return updates;
}

const news = (updates: Update[]): string[] => updates.map((update) => update.news);

test("what stands comes first, then each change", async () => {
  const stood = told(DecisionEventKind.SNAPSHOT, 3n);
  const { watcher } = watching([[stood, synced(3n), changed(4n, { effectiveVerdict: Verdict.BLOCK })]]);
  assert.deepEqual(news(await heard(watcher, 3)), ["STOOD", "SYNCED", "CHANGED"]);
  assert.equal(watcher.effectiveVerdict(RELEASE), Verdict.BLOCK);
});

for (const code of [Code.Unavailable, Code.Canceled, Code.DeadlineExceeded, Code.Aborted, Code.Internal, Code.Unknown]) {
  test(`after ${Code[code]} the stream goes on behind the last message that was handled`, async () => {
    const run = watching([[changed(4n), refusal(code)], [changed(5n)]]);
    assert.deepEqual(news(await heard(run.watcher, 2)), ["CHANGED", "CHANGED"]);
    assert.deepEqual(run.tokens, ["", "at-4-0"]);
  });
}

test("a token is kept once its update was handled, not before", async () => {
  const { watcher, saved } = watching([[changed(4n), changed(5n)]]);
  assert.equal((await heard(watcher, 2)).length, 2);
  assert.deepEqual(saved, ["at-4-0"]);
});

test("pauses double up to a minute, with jitter, and a stream that lived begins anew", async () => {
  const down = Array.from({ length: 8 }, () => [refusal(Code.Unavailable)]);
  const run = watching([...down, [changed(1n)]]);
  await heard(run.watcher, 1);
  assert.deepEqual(run.pauses, [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
  const lucky = watching([[refusal(Code.Unavailable)], [changed(1n)]], { chance: () => 0 });
  await heard(lucky.watcher, 1);
  assert.deepEqual(lucky.pauses, [0]);
});

test("a stream that lived for half a minute lets the pause begin anew", async () => {
  const run = watching([[refusal(Code.Unavailable)], [changed(1n), refusal(Code.Unavailable)], [changed(2n)]]);
  for await (const update of run.watcher) {
    if (update.revision === 2n) break;
    run.clock.ms += 30_000;
  }
  assert.deepEqual(run.pauses, [1000, 1000]);
});

test("RetryInfo and a goodbye's reconnect_after are waited for", async () => {
  const goodbye: Said = {
    event: { case: "goodbye", value: { reason: 1, reconnectAfter: durationFromMs(7000) } },
    resumeToken: "at-bye",
  };
  const run = watching([[refusal(Code.ResourceExhausted, "TOO_MANY_STREAMS", 5000)], [goodbye], [changed(1n)]], {
    chance: () => 0,
  });
  await heard(run.watcher, 1);
  assert.deepEqual(run.pauses, [5000, 7000]);
  assert.deepEqual(run.tokens, ["", "", "at-bye"]);
});

for (const reason of ["REVISION_COMPACTED", "RESUME_TOKEN_MISMATCH"]) {
  test(`${reason} drops the token, and what is known stays until it is said anew`, async () => {
    const run = watching([[changed(4n), refusal(Code.OutOfRange, reason)], [changed(4n)]]);
    assert.deepEqual(news(await heard(run.watcher, 2)), ["CHANGED", "CHANGED"]);
    assert.deepEqual(run.tokens, ["", ""]);
    assert.deepEqual(run.saved, ["at-4-0", ""]);
  });
}

test("another history is told, and what stood in the one before holds", async () => {
  const other = changed(2n, { release: `${RELEASE}1` });
  const run = watching([[changed(9n), refusal(Code.FailedPrecondition, "HISTORY_DIVERGED")], [other]]);
  assert.deepEqual(news(await heard(run.watcher, 3)), ["CHANGED", "DIVERGED", "CHANGED"]);
  assert.equal(run.watcher.effectiveVerdict(RELEASE), Verdict.HOLD);
});

for (const code of [Code.Unauthenticated, Code.PermissionDenied, Code.InvalidArgument, Code.NotFound]) {
  test(`${Code[code]} ends the watcher with its error, and what allowed holds`, async () => {
    const { watcher } = watching([[changed(4n), refusal(code, "WHY")]]);
    await assert.rejects(heard(watcher, 2), { name: "PassportError", reason: "WHY" });
    assert.equal(watcher.effectiveVerdict(RELEASE), Verdict.HOLD);
  });
}

test("what comes a second time is removed", async () => {
  const twice = [changed(4n), changed(4n), changed(4n, {}, 1), changed(3n), changed(5n)];
  const updates = await heard(watching([twice]).watcher, 3);
  assert.deepEqual(updates.map(({ revision }) => revision), [4n, 4n, 5n]);
});

test("what allowed holds after three heartbeats of nothing, and BLOCK stays BLOCK", async () => {
  const other = `${RELEASE}1`;
  const blocked = changed(5n, { release: other, effectiveVerdict: Verdict.BLOCK });
  const { watcher, clock } = watching([[changed(4n), blocked]]);
  await heard(watcher, 2);
  clock.ms = 14_999;
  assert.deepEqual([watcher.effectiveVerdict(RELEASE), watcher.isStale], [Verdict.ALLOW, false]);
  clock.ms = 15_000;
  assert.deepEqual([watcher.effectiveVerdict(RELEASE), watcher.effectiveVerdict(other)], [Verdict.HOLD, Verdict.BLOCK]);
});

test("a stream that says nothing for three heartbeats is left, told of, and followed by another", async () => {
  const quick = { ...changed(4n), heartbeatInterval: durationFromMs(10) };
  const run = watching([[quick, "silence"], [changed(5n)]], {
    monotonicMs: () => performance.now(),
  });
  assert.deepEqual(news(await heard(run.watcher, 3)), ["CHANGED", "STALE", "CHANGED"]);
  assert.deepEqual(run.tokens, ["", "at-4-0"]);
});

const UNKNOWN_KIND = told(99 as DecisionEventKind, 5n);
const DOUBTS: [string, Said[]][] = [
  ["is not heard of yet", [synced(1n)]],
  ["has a verdict that is not known", [changed(4n, { effectiveVerdict: 99 as Verdict })]],
  ["is not valid any more", [changed(4n, { validUntil: timestampFromDate(NOW) })]],
  ["expired", [changed(4n), told(DecisionEventKind.EXPIRED, 5n)]],
  ["had something happen to it that is not known", [changed(4n), UNKNOWN_KIND]],
];
for (const [doubt, script] of DOUBTS) {
  test(`a release whose decision ${doubt} holds`, async () => {
    const { watcher } = watching([script]);
    await heard(watcher, script.length);
    assert.equal(watcher.effectiveVerdict(RELEASE), Verdict.HOLD);
  });
}

test("a message that is not known is a sign of life", async () => {
  const { watcher, clock } = watching([[changed(4n), heartbeat, { heartbeatInterval: beat }, changed(5n)]]);
  for await (const { revision } of watcher) {
    if (revision === 5n) break;
    clock.ms += 14_000;
  }
  assert.equal(watcher.effectiveVerdict(RELEASE), Verdict.ALLOW);
});

test("an abort ends the iteration without an error, and so does close", async () => {
  const aborting = new AbortController();
  const aborted = watching([[changed(4n), "silence"]], { signal: aborting.signal });
  for await (const _ of aborted.watcher) aborting.abort();
  const closed = watching([[changed(4n), "silence"]]);
  for await (const _ of closed.watcher) setImmediate(() => closed.watcher.close());
});

test("a token outlives the process in a file that is replaced as a whole", async () => {
  const file = new TokenFile(join(await mkdtemp(join(tmpdir(), "watcher-")), "position"));
  assert.equal(await file.load(), "");
  await file.save("at-4");
  await file.save("at-5");
  const run = watching([[changed(6n)]], { tokens: file });
  await heard(run.watcher, 1);
  assert.deepEqual(run.tokens, ["at-5"]);
});
