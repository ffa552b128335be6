// Verifies a bundle of a DSSE envelope with sigstore-js: node verify.js BUNDLE KEY. Prints PASSED, or why it is refused.
import { createPublicKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { bundleFromJSON } from "@sigstore/bundle";
import { Verifier, toSignedEntity } from "@sigstore/verify";

const [file, key] = process.argv.slice(2);
const bundle = bundleFromJSON(JSON.parse(readFileSync(file, "utf8")));
const material = {
  certificateAuthorities: [],
  timestampAuthorities: [],
  tlogs: [],
  ctlogs: [],
  publicKey: () => ({ publicKey: createPublicKey(readFileSync(key)), validFor: () => true }),
};
// Decisions are in the passport's own log, which this verifier does not know.
const verifier = new Verifier(material, { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 });
try {
  verifier.verify(toSignedEntity(bundle));
  console.log("PASSED");
} catch (error) {
  if (error.name !== "VerificationError") throw error;
  console.error(`${error.code}: ${error.message}`);
  process.exitCode = 1;
}
