import { retried } from "./gen/retried.js";

import type { PassportError } from "./errors.js";

export const ATTEMPTS = 4;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 2000;
// A repeated failure costs one, an answer brings a tenth; below half of it nothing is repeated.
const FULL_BUDGET = 10;
const EARNED_BY_ANSWER = 0.1;

/** Says which failed calls are made again, and when: few, late, and only where a repetition does no harm. */
export class Retries {
  #budget = FULL_BUDGET;

  constructor(private readonly chance: () => number = Math.random) {}

  /** Notes an answer. */
  answered(): void {
    this.#budget = Math.min(FULL_BUDGET, this.#budget + EARNED_BY_ANSWER);
  }

  /** Notes a failure; returns how long to wait before the next attempt, undefined for never. */
  pauseAfter(method: string, error: PassportError, attempt: number): number | undefined {
    if (error.code !== "UNAVAILABLE") return undefined;
    this.#budget = Math.max(0, this.#budget - 1);
    if (attempt >= ATTEMPTS || this.#budget <= FULL_BUDGET / 2 || !retried.has(method)) return undefined;
    const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (attempt - 1));
    return Math.max(this.chance() * longest, error.retryAfterMs ?? 0);
  }
}
