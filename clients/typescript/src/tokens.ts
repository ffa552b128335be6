import { readFile, rename, writeFile } from "node:fs/promises";

/** Keeps where a watcher goes on when its process does. */
export interface TokenStore {
  load(): string | Promise<string>;
  save(token: string): void | Promise<void>;
}

/** Keeps the token in a file, which is never half written. */
export class TokenFile implements TokenStore {
  constructor(private readonly path: string) {}

  /** Returns the token; empty where there is none. */
  async load(): Promise<string> {
    try {
      return (await readFile(this.path, "ascii")).trim();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
      throw error;
    }
  }

  /** Replaces the token. */
  async save(token: string): Promise<void> {
    await writeFile(`${this.path}.new`, token, "ascii");
    await rename(`${this.path}.new`, this.path);
  }
}

/** Keeps nothing: each process begins with what stands. */
export const noTokens: TokenStore = { load: () => "", save: () => undefined };
