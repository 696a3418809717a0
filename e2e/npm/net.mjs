// Loopback listeners for the test servers.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

// listen binds a free port of 127.0.0.1 and resolves to the origin.
export async function listen(server) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${server.address().port}`;
}

// freePort finds a port for a program that cannot pick one itself.
export async function freePort() {
  const server = createServer();
  await listen(server);
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

// reachable resolves once something accepts connections on port.
export async function reachable(port, deadline = Date.now() + 20_000) {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    } finally {
      socket.destroy();
    }
  }
}
