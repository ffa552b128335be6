import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

import { fromJson, type JsonValue, toJson } from "@bufbuild/protobuf";

import { Client } from "./client.js";
import { PassportError } from "./errors.js";
import { EvaluateRequestSchema, WatchDecisionRequestSchema } from "./gen/release_passport/v1/decision_service_pb.js";
import { Verdict } from "./gen/release_passport/v1/verdict_pb.js";
import { services } from "./gen/services.js";
import { Watcher } from "./watcher.js";

interface Line {
  readonly call: string;
  readonly request: JsonValue;
  readonly gate?: boolean;
  readonly timeout?: number;
}

interface Watch {
  readonly request: JsonValue;
  readonly updates: number;
  readonly releases: readonly string[];
}

/** Runs the lines of a table on the input, calls or with the argument `watch` watches, and writes what each came to. */
async function main(): Promise<void> {
  const chain = process.env["PASSPORT_CERT"];
  const client = new Client({
    server: given("PASSPORT_ADDRESS"),
    token: given("PASSPORT_TOKEN"),
    ca: readFileSync(given("PASSPORT_CA")),
    ...(chain ? { certificate: { chain: readFileSync(chain), key: readFileSync(given("PASSPORT_KEY")) } } : {}),
  });
  for await (const line of createInterface({ input: process.stdin })) {
    const row: unknown = JSON.parse(line);
    const said = process.argv[2] === "watch" ? watched(client, row as Watch) : answered(client, row as Line);
    process.stdout.write(`${JSON.stringify(await said)}\n`);
  }
  client.close();
}

async function answered(client: Client, line: Line): Promise<object> {
  const [serviceName, methodName] = line.call.split("/");
  const service = services.find(({ name }) => name === serviceName);
  const method = service?.methods.find(({ name }) => name === methodName);
  if (service === undefined || method === undefined) {
    return { error: { code: "", reason: "the client has no such method" } };
  }
  const calls = client.service(service) as unknown as Record<string, (request: object, options: object) => Promise<never>>;
  const options = line.timeout === undefined ? {} : { timeoutMs: line.timeout * 1000 };
  try {
    if (line.gate === true) return { gate: await gated(client, line.request, options) };
    const answer = await calls[method.localName]?.(fromJson(method.input, line.request), options);
    return { answer: toJson(method.output, answer as never) };
  } catch (error) {
    if (!(error instanceof PassportError)) throw error;
    return { error: { code: error.code, reason: error.reason } };
  }
}

async function gated(client: Client, request: JsonValue, options: object): Promise<object> {
  const { release } = fromJson(EvaluateRequestSchema, request);
  const { verdict, mayProceed, reasons } = await client.gate({ release }, options);
  return { verdict: `VERDICT_${Verdict[verdict]}`, proceed: mayProceed, reasons: reasons.map(({ code }) => code) };
}

async function watched(client: Client, { request, updates, releases }: Watch): Promise<object> {
  const watcher = new Watcher(client, fromJson(WatchDecisionRequestSchema, request), { chance: () => 0.02 });
  const said: string[] = [];
  const verdicts: Record<string, string> = {};
  try {
    for await (const { news, decision } of watcher) {
      said.push(`${news.toLowerCase()} ${decision?.release ?? ""}`.trim());
      if (said.length < updates) continue;
      for (const release of releases) verdicts[release] = `VERDICT_${Verdict[watcher.effectiveVerdict(release)]}`;
      break;
    }
  } catch (error) {
    if (!(error instanceof PassportError)) throw error;
    return { updates: said, verdicts, error: { code: error.code, reason: error.reason } };
  }
  return { updates: said, verdicts, error: null };
}

function given(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}

await main();
