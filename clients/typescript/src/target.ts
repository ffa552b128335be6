import { isIP } from "node:net";

/** Gives the token of each call; it may take its time, and a call waits for it. */
export type TokenSource = (signal: AbortSignal) => string | Promise<string>;

/** A server: its address, and what it takes to trust it and to be trusted by it. */
export interface Target {
  /** host:port, such as passport.example.com:443. */
  readonly server: string;
  /** A token, or a source that is asked for one before each call. */
  readonly token?: string | TokenSource;
  /** Certificates in PEM that are trusted in place of the system's. */
  readonly ca?: string | Buffer;
  /** A client certificate with its chain, and its key, in PEM. */
  readonly certificate?: { readonly chain: string | Buffer; readonly key: string | Buffer };
  /** No TLS: for a server on this machine alone, unless insecurePlaintext says that nobody listens. */
  readonly plaintext?: boolean;
  readonly insecurePlaintext?: boolean;
}

/** The server's address or the way to it is refused; the text says what to change. */
export class TargetInvalid extends Error {
  override readonly name = "TargetInvalid";
}

const ADDRESS = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?):([0-9]{1,5})$/;
const TOKEN = /^[\x21-\x7e]{1,8192}$/;

/** Returns the URL of a target, or throws TargetInvalid. */
export function baseUrl(target: Target): string {
  const found = ADDRESS.exec(target.server);
  const port = Number(found?.[2]);
  if (found?.[1] === undefined || port < 1 || port > 65535) {
    const shown = JSON.stringify(target.server.slice(0, 80));
    throw new TargetInvalid(`${shown} is not an address; write it as host:port, such as passport.example.com:443`);
  }
  if (typeof target.token === "string") requireToken(target.token);
  if (target.plaintext !== true) return `https://${target.server}`;
  if (target.certificate !== undefined) {
    throw new TargetInvalid("a client certificate needs TLS; leave out plaintext, or the certificate");
  }
  const host = found[1].replace(/^\[|\]$/g, "");
  if (!isLoopback(host) && target.insecurePlaintext !== true) {
    throw new TargetInvalid(
      `plaintext to ${host} would show the token to the network; use TLS, ` +
        "or insecurePlaintext if you know that nobody listens",
    );
  }
  return `http://${target.server}`;
}

/** Throws TargetInvalid for a token that cannot be sent. */
export function requireToken(token: string): void {
  if (token !== "" && !TOKEN.test(token)) {
    throw new TargetInvalid("the token has characters that a token cannot have; give the token alone");
  }
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}
