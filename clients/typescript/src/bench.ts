import { readFileSync } from "node:fs";

import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";

import { Client } from "./client.js";
import { AccessService } from "./gen/release_passport/v1/access_service_pb.js";

const PAIRS = 3000;
const WARM_UP = 300;

/** Measures a call of the client against the same call of the bare stub, in turns; writes both medians as JSON. */
async function main(): Promise<void> {
  const [server, token, ca] = ["PASSPORT_ADDRESS", "PASSPORT_TOKEN", "PASSPORT_CA"].map((name) => process.env[name] ?? "");
  const authority = readFileSync(ca ?? "");
  const client = new Client({ server: server ?? "", token: token ?? "", ca: authority });
  const transport = createGrpcTransport({
    baseUrl: `https://${server}`,
    nodeOptions: { ca: authority },
    acceptCompression: [],
  });
  const headers = { authorization: `Bearer ${token}` };
  const bare = createClient(AccessService, transport);
  const thin = client.service(AccessService);
  const ways = [() => bare.whoAmI({}, { headers, timeoutMs: 30_000 }), () => thin.whoAmI({})];
  const times: [number[], number[]] = [[], []];
  for (let pair = 0; pair < PAIRS; pair++) {
    // Call by call, and each first as often as the other, so that both meet the same machine.
    for (const which of pair % 2 ? [0, 1] : [1, 0]) times[which]?.push(await timed(ways[which] as () => Promise<unknown>));
  }
  const [bareMs, thinMs] = times.map((taken) => median(taken.slice(WARM_UP))) as [number, number];
  process.stdout.write(`${JSON.stringify({ bareMs, thinMs, ratio: thinMs / bareMs })}\n`);
  process.exit(0);
}

async function timed(call: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await call();
  return performance.now() - began;
}

function median(values: number[]): number {
  return [...values].sort((left, right) => left - right)[values.length >> 1] ?? Number.NaN;
}

await main();
