// A token-checking proxy on loopback in front of server-everything (Streamable HTTP): RFC 9728 metadata, 401 with a challenge,
// and the signature, audience, expiry, scope and grant of each token checked at each request. One tool wants a scope more.
import { spawn } from 'node:child_process';
import { createServer, request } from 'node:http';
import { fileURLToPath } from 'node:url';

import { createRemoteJWKSet, jwtVerify } from 'jose';

import { freePort, listen, reachable } from './net.mjs';

const metadataPath = '/.well-known/oauth-protected-resource';
const guardedTool = 'get-sum';

// startResource resolves to { endpoint, guard, stop }; until guard is called with an authorization server nobody gets in.
export async function startResource(emit) {
  const everything = await startEverything();
  let check = async () => 'no authorization server yet';
  let metadata = {};
  const server = createServer(async (req, res) => {
    if (req.url.startsWith(metadataPath)) {
      res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(metadata));
      return;
    }
    const body = await bodyOf(req);
    const refusal = await check(req.headers.authorization ?? '', toolOf(body));
    emit({ event: refusal ? 'refused' : 'accepted', method: req.method, tool: toolOf(body), reason: refusal });
    if (refusal) refuse(res, `http://${req.headers.host}${metadataPath}/mcp`, req.headers.authorization, refusal);
    else forward(req, body, res, everything.port);
  });
  const origin = await listen(server);
  const endpoint = `${origin}/mcp`;
  return {
    endpoint,
    guard: (as) => {
      metadata = { resource: endpoint, authorization_servers: [as.issuer], scopes_supported: [as.scope], bearer_methods_supported: ['header'] };
      check = checker(as, endpoint);
    },
    stop: everything.stop,
  };
}

function checker(as, audience) {
  const keys = createRemoteJWKSet(new URL(`${as.issuer}/jwks`));
  return async (authorization, tool) => {
    const [, token] = /^Bearer (.+)$/i.exec(authorization) ?? [];
    if (!token) return 'no token';
    try {
      const { payload } = await jwtVerify(token, keys, { issuer: as.issuer, audience });
      if (!(await as.grantStands(payload.grant))) return 'revoked';
      const granted = (payload.scope ?? '').split(' ');
      return tool === guardedTool && !granted.includes(as.moreScope) ? `scope ${as.moreScope}` : '';
    } catch (error) {
      return error.code ?? 'bad token';
    }
  };
}

async function bodyOf(req) {
  const parts = [];
  for await (const part of req) parts.push(part);
  return Buffer.concat(parts);
}

function toolOf(body) {
  try {
    const { method, params } = JSON.parse(body.toString());
    return method === 'tools/call' ? params.name : '';
  } catch {
    return '';
  }
}

function refuse(res, metadataURL, hadToken, refusal) {
  if (refusal.startsWith('scope ')) {
    const challenge = `Bearer error="insufficient_scope", scope="${refusal.slice(6)}", resource_metadata="${metadataURL}"`;
    res.writeHead(403, { 'www-authenticate': challenge }).end();
    return;
  }
  const problem = hadToken ? 'error="invalid_token", ' : '';
  res.writeHead(401, { 'www-authenticate': `Bearer ${problem}resource_metadata="${metadataURL}"` }).end();
}

function forward(req, body, res, port) {
  const { authorization, ...headers } = req.headers;
  const onward = request({ host: '127.0.0.1', port, path: req.url, method: req.method, headers }, (answer) => {
    res.writeHead(answer.statusCode, answer.headers);
    answer.pipe(res);
  });
  onward.on('error', () => res.destroy());
  res.on('close', () => onward.destroy());
  onward.end(body);
}

async function startEverything() {
  const port = await freePort();
  const program = fileURLToPath(import.meta.resolve('@modelcontextprotocol/server-everything/dist/index.js'));
  const child = spawn(process.execPath, [program, 'streamableHttp'], { env: { ...process.env, PORT: String(port) }, stdio: ['ignore', 2, 2] });
  await reachable(port);
  return { port, stop: () => child.kill() };
}
