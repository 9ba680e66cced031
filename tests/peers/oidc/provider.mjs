// A real provider for tests/login_oidc.rs: prints its issuer, reads one line of JSON saying where
// logins may go back to, prints "ready", and ends when its standard input does.
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import Provider from 'oidc-provider';

const server = createServer();
await new Promise((done) => server.listen(0, '127.0.0.1', done));
// `localhost` is another site than 127.0.0.1, as far as a browser's cookies go.
const issuer = `http://${process.env.PEER_HOST ?? '127.0.0.1'}:${server.address().port}`;
console.log(issuer);

const lines = createInterface({ input: process.stdin });
lines.on('close', () => process.exit(0));
lines.once('line', (line) => {
  const { redirect_uris: redirectUris, secret, alg, method } = JSON.parse(line);
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: 'gatepost',
        ...(secret ? { client_secret: secret } : {}),
        redirect_uris: redirectUris,
        token_endpoint_auth_method: method ?? 'client_secret_basic',
        id_token_signed_response_alg: alg ?? 'RS256',
        // Where a public client is a program on this machine, its addresses may be loopback's.
        application_type: secret ? 'web' : 'native',
      },
    ],
    enabledJWA: { idTokenSigningAlgValues: ['RS256', 'PS256', 'ES256', 'EdDSA'] },
    ...(process.env.PEER_JWKS ? { jwks: JSON.parse(process.env.PEER_JWKS) } : {}),
    cookies: { keys: ['only for tests'] },
    pkce: { required: () => true, methods: ['S256'] },
    claims: {
      openid: ['sub'],
      email: ['email', 'email_verified'],
      profile: ['name', 'groups'],
    },
    findAccount: (_context, sub) => ({
      accountId: sub,
      claims: () => ({
        sub,
        name: `${sub} of the tests`,
        email: `${sub}@ops.example`,
        email_verified: sub !== 'mallory',
        groups: ['ops', 'staff'],
      }),
    }),
  });
  server.on('request', provider.callback());
  console.log('ready');
});
