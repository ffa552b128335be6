import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";

import { githubActionsToken } from "../oidc.js";

const SIGNAL = new AbortController().signal;

/** Runs a program in a job whose token service answers so. */
async function inJob(answer: RequestListener, program: () => Promise<void>): Promise<void> {
  const service = createServer(answer).listen(0, "127.0.0.1");
  await new Promise((listening) => service.once("listening", listening));
  const { port } = service.address() as AddressInfo;
  process.env["ACTIONS_ID_TOKEN_REQUEST_URL"] = `http://127.0.0.1:${port}/token?api-version=2`;
  process.env["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] = "of-the-job";
  try {
    await program();
  } finally {
    delete process.env["ACTIONS_ID_TOKEN_REQUEST_URL"];
    delete process.env["ACTIONS_ID_TOKEN_REQUEST_TOKEN"];
    service.closeAllConnections();
    service.close();
  }
}

function tokenUntil(seconds: number): string {
  return `h.${Buffer.from(JSON.stringify({ exp: seconds })).toString("base64url")}.s`;
}

test("a job's token is asked for once for its audience, and kept while it lasts", async () => {
  const asked: string[] = [];
  const value = tokenUntil(Date.now() / 1000 + 600);
  const answer: RequestListener = (request, response) => {
    asked.push(`${request.url} ${request.headers.authorization}`);
    response.end(JSON.stringify({ value }));
  };
  await inJob(answer, async () => {
    const token = githubActionsToken("https://passport.example.com");
    assert.equal(await token(SIGNAL), value);
    assert.equal(await token(SIGNAL), value);
  });
  assert.deepEqual(asked, ["/token?api-version=2&audience=https%3A%2F%2Fpassport.example.com Bearer of-the-job"]);
});

test("a token that is about to end is asked for anew", async () => {
  let asked = 0;
  const answer: RequestListener = (_, response) => {
    asked++;
    response.end(JSON.stringify({ value: tokenUntil(Date.now() / 1000 + 30) }));
  };
  await inJob(answer, async () => {
    const token = githubActionsToken("a");
    await token(SIGNAL);
    await token(SIGNAL);
  });
  assert.equal(asked, 2);
});

test("a refusal is told without the job's secret, and a redirect is not followed", async () => {
  const refused: RequestListener = (_, response) => response.writeHead(403).end("no");
  await inJob(refused, async () => {
    await assert.rejects(async () => githubActionsToken("a")(SIGNAL), (error: Error) => {
      assert.match(error.message, /403/);
      assert.doesNotMatch(error.message, /of-the-job/);
      return true;
    });
  });
  let followed = false;
  const elsewhere: RequestListener = (request, response) => {
    if (request.url?.startsWith("/elsewhere")) followed = true;
    response.writeHead(302, { location: "/elsewhere" }).end();
  };
  await inJob(elsewhere, async () => {
    await assert.rejects(async () => githubActionsToken("a")(SIGNAL));
  });
  assert.equal(followed, false);
});

test("outside of a job it says what is missing", async () => {
  await assert.rejects(async () => githubActionsToken("a")(SIGNAL), /id-token: write/);
});
