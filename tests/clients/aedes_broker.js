// A broker for the tests that need one of another kind: aedes, which speaks MQTT 3.1.1.
//
// node aedes_broker.js   listens on a free port of loopback, prints the port, and ends with its input
'use strict';

const { createServer } = require('node:net');
const { pathToFileURL } = require('node:url');

async function main() {
  // It is a module of the newer kind, and those are not looked for in NODE_PATH.
  const { Aedes } = await import(pathToFileURL(require.resolve('aedes')));
  const broker = await Aedes.createBroker();
  const server = createServer(broker.handle);
  server.listen(0, '127.0.0.1', () => {
    process.stdout.write(`${server.address().port}\n`);
  });
  process.stdin.on('end', () => process.exit(0)).resume();
}

main();
