// The real stack of the end-to-end tests: oidc-provider, token-checking proxy, server-everything. The first line on stdout is
// {"issuer","endpoint","clientDocument"}; one event per line follows. ACCESS_LIFE is the life of access tokens in seconds. Ends when stdin does.
import { startAuthorizationServer } from './authserver.mjs';
import { startResource } from './resource.mjs';

for (const name of ['log', 'info', 'warn']) console[name] = console.error;
const emit = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

const resource = await startResource(emit);
const as = await startAuthorizationServer(resource.endpoint, Number(process.env.ACCESS_LIFE ?? '300'), emit);
resource.guard(as);
emit({ issuer: as.issuer, endpoint: resource.endpoint, clientDocument: as.clientDocument });

process.stdin.resume().on('end', () => {
  resource.stop();
  process.exit(0);
});
