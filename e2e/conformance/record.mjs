// Loaded into the suite's runner with --import: notes each HTTP request that its
// servers get, one JSON line each, in the file that CONFORMANCE_WIRE names. The
// suite itself keeps no record of most scenarios. Nothing is changed on the way:
// bodies are seen as the parser hands them over, whoever reads them later.
import { appendFileSync } from 'node:fs';
import { Server } from 'node:http';

const file = process.env.CONFORMANCE_WIRE;
const kept = /^(mcp-.*|last-event-id|user-agent)$/;

function observe(req) {
  const parts = [];
  const at = Date.now();
  const push = req.push;
  req.push = function (chunk, ...rest) {
    if (chunk !== null) parts.push(chunk);
    else note(req, at, Buffer.concat(parts).toString());
    return push.call(this, chunk, ...rest);
  };
}

function note(req, at, body) {
  let rpc;
  try {
    rpc = JSON.parse(body).method;
  } catch {
    // A form, or nothing.
  }
  const headers = Object.fromEntries(Object.entries(req.headers).filter(([name]) => kept.test(name)));
  const line = { at, verb: req.method, host: req.headers.host, path: req.url.split('?')[0], rpc, headers };
  appendFileSync(file, JSON.stringify(line) + '\n');
}

const emit = Server.prototype.emit;
Server.prototype.emit = function (event, ...args) {
  if (event === 'request') observe(args[0]);
  return emit.call(this, event, ...args);
};
