// oidc-provider as a strict OAuth 2.1 authorization server on loopback (OAUTH V1): dynamic registration, PKCE, resource
// indicators with JWT access tokens, rotation with reuse detection, revocation, RFC 8414 metadata beside the OpenID form; also
// sign-in by code (RFC 8628) and client id metadata documents.
import { createServer } from 'node:http';

import Provider, { errors } from 'oidc-provider';

import { listen } from './net.mjs';

// The resource is open with the first scope; one of its tools wants the second one as well.
const scope = 'mcp';
const moreScope = 'mcp.sum';

const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code';

// clientDocument stands where a real one would be hosted: only the provider's fetch knows the address.
const clientDocument = {
  client_id: 'https://client.example/payu-mcp.json',
  client_name: 'payu-mcp by its document',
  application_type: 'native',
  redirect_uris: ['http://127.0.0.1/callback'],
  grant_types: ['authorization_code', 'refresh_token', deviceGrant],
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
};

function fetchDocument(url) {
  if (String(url) !== clientDocument.client_id) throw new Error(`nothing is fetched from ${url}`);
  return new Response(JSON.stringify(clientDocument), { headers: { 'content-type': 'application/json' } });
}

// configuration accepts one resource and gives access tokens that live for accessLife seconds.
function configuration(resource, accessLife) {
  return {
    clientDefaults: { grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'], token_endpoint_auth_method: 'none' },
    cookies: { keys: ['only for tests'] },
    // The grant travels in the token, so that the resource can ask whether it still stands.
    extraTokenClaims: (_ctx, token) => ({ grant: token.grantId }),
    features: {
      clientIdMetadataDocument: { enabled: true, ack: 'draft-02' },
      devInteractions: { enabled: true },
      deviceFlow: { enabled: true },
      introspection: { enabled: true },
      registration: { enabled: true },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: (_ctx, indicator) => {
          if (indicator !== resource) throw new errors.InvalidTarget();
          return { scope: `${scope} ${moreScope}`, audience: resource, accessTokenTTL: accessLife, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } } };
        },
      },
    },
    fetch: async (url) => fetchDocument(url),
    findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    pkce: { required: () => true },
    rotateRefreshToken: true,
    scopes: ['openid', 'offline_access', scope, moreScope],
    ttl: { AccessToken: accessLife, Grant: 3600, Interaction: 600, RefreshToken: 3600, DeviceCode: 600, Session: 3600 },
  };
}

// startAuthorizationServer resolves to { issuer, scope, moreScope, clientDocument, grantStands }. Everything secret that passes the token and registration
// endpoints is told to emit, for tests that search for leaks and replay tokens.
export async function startAuthorizationServer(resource, accessLife, emit) {
  let handler = (_req, res) => res.writeHead(503).end();
  const server = createServer((req, res) => {
    req.url = req.url.replace('/.well-known/oauth-authorization-server', '/.well-known/openid-configuration');
    handler(req, res);
  });
  const issuer = await listen(server);
  const provider = new Provider(issuer, configuration(resource, accessLife));
  provider.use(async (ctx, next) => {
    await next();
    report(ctx, emit);
  });
  handler = provider.callback();
  return { issuer, scope, moreScope, clientDocument: clientDocument.client_id, grantStands: async (id) => Boolean(id && (await provider.Grant.find(id))) };
}

function report(ctx, emit) {
  if (ctx.method !== 'POST' || !['token', 'registration', 'revocation', 'device_authorization'].includes(ctx.oidc?.route)) return;
  const sent = ctx.oidc.params ?? ctx.oidc.body ?? {};
  const answer = ctx.body && typeof ctx.body === 'object' ? ctx.body : {};
  const secrets = [sent.code, sent.code_verifier, sent.refresh_token, sent.token, sent.device_code, answer.device_code, answer.access_token, answer.refresh_token, answer.client_secret, answer.registration_access_token];
  emit({
    event: ctx.oidc.route,
    status: ctx.status,
    grant: sent.grant_type ?? '',
    error: answer.error ?? '',
    scope: answer.scope ?? '',
    secrets: secrets.filter((s) => typeof s === 'string' && s !== ''),
    access: answer.access_token ?? '',
    refresh: answer.refresh_token ?? '',
    client: answer.client_id ?? ctx.oidc.client?.clientId ?? '',
  });
}
