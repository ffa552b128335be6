import { readFile } from "node:fs/promises";

import type { TokenSource } from "./target.js";

// A token is asked for anew when it would end within a call.
const AHEAD_MS = 60_000;
const GITHUB_TIMEOUT_MS = 10_000;

/** Reads the token from a file before each call: a projected service account token, or one that a side process renews. */
export function tokenFile(path: string): TokenSource {
  return async (signal) => (await readFile(path, { encoding: "ascii", signal })).trim();
}

/** Takes the token of the GitHub Actions job for an audience; the job needs `permissions: id-token: write`. */
export function githubActionsToken(audience: string): TokenSource {
  return cached(async (signal) => {
    const url = process.env["ACTIONS_ID_TOKEN_REQUEST_URL"];
    const bearer = process.env["ACTIONS_ID_TOKEN_REQUEST_TOKEN"];
    if (!url || !bearer) throw new Error("this is no GitHub Actions job with `permissions: id-token: write`");
    const asked = new URL(url);
    asked.searchParams.set("audience", audience);
    const answer = await fetch(asked, {
      headers: { authorization: `Bearer ${bearer}` },
      redirect: "error",
      signal: AbortSignal.any([signal, AbortSignal.timeout(GITHUB_TIMEOUT_MS)]),
    });
    const { value } = (answer.ok ? await answer.json() : {}) as { value?: unknown };
    if (typeof value !== "string") throw new Error(`GitHub's token service answers ${answer.status}`);
    return value;
  });
}

/** Asks a source of OIDC tokens once, and again shortly before its token ends. */
export function cached(source: TokenSource, now: () => number = Date.now): TokenSource {
  let token = "";
  let endMs = 0;
  return async (signal) => {
    if (now() >= endMs - AHEAD_MS) {
      token = await source(signal);
      endMs = endOf(token);
    }
    return token;
  };
}

/** Returns when a JSON web token ends, 0 for a token that does not say so. */
function endOf(token: string): number {
  try {
    const claims = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as { exp?: unknown };
    return typeof claims.exp === "number" ? claims.exp * 1000 : 0;
  } catch {
    return 0;
  }
}
