// An identity provider on a free port of this machine: people who sign in by a device code, and a job of its own.
import { createServer } from "node:http";
import Provider from "oidc-provider";

const AUDIENCE = "https://passport.test";
const PEOPLE = {
  ada: { email: "ada@example.com", email_verified: true, groups: ["release-managers", "not a name"] },
  eve: { email: "ada@example.com", email_verified: false, groups: [] },
};

function configuration() {
  return {
    clients: [
      {
        client_id: "passport-cli",
        application_type: "native",
        token_endpoint_auth_method: "none",
        grant_types: ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"],
        redirect_uris: [],
        response_types: [],
      },
      {
        client_id: "nightly",
        client_secret: "not-a-secret-of-anybody",
        grant_types: ["client_credentials"],
        redirect_uris: [],
        response_types: [],
      },
    ],
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["groups"] },
    // Claims of scopes belong into the ID token here, as with most providers of companies.
    conformIdTokenClaims: false,
    cookies: { keys: ["for tests alone"] },
    features: {
      clientCredentials: { enabled: true },
      deviceFlow: { enabled: true },
      devInteractions: { enabled: true },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: (_, client) => (client.clientId === "nightly" ? AUDIENCE : undefined),
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: "gate",
          audience: AUDIENCE,
          accessTokenFormat: "jwt",
          accessTokenTTL: 300,
          jwt: { sign: { alg: "RS256" } },
        }),
      },
    },
    issueRefreshToken: () => true,
    // So short that the command line has to renew it between two commands.
    ttl: { IdToken: Number(process.argv[2] ?? 600), Grant: 3600, Session: 3600, Interaction: 600, DeviceCode: 120 },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...PEOPLE[id] }) }),
  };
}

const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, configuration());
  server.on("request", provider.callback());
  console.log(issuer);
});
process.stdin.on("end", () => process.exit(0)).resume();
