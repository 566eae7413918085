// Connects clients with MQTT.js, as they come by default, and prints how many µs that took. When its
// input ends they say goodbye.
//
// node connect.js ADDRESS COUNT
'use strict';

const mqtt = require('mqtt');

const IN_FLIGHT = 64;
const [address, countText] = process.argv.slice(2);
const count = Number(countText);
const begun = process.hrtime.bigint();
const clients = [];
let up = 0;

function connect() {
  if (clients.length === count) return;
  const clientId = `js-${clients.length}`;
  const will = { topic: `devices/${clientId}/status`, payload: 'offline', qos: 1, retain: true };
  const client = mqtt.connect(`mqtt://${address}`, { clientId, keepalive: 60, will });
  clients.push(client);
  client.once('connect', () => {
    up += 1;
    if (up === count) console.log(String((process.hrtime.bigint() - begun) / 1000n));
    connect();
  });
  client.once('error', (error) => {
    console.error(String(error));
    process.exit(1);
  });
}

for (let place = 0; place < IN_FLIGHT; place += 1) connect();
process.stdin.resume();
process.stdin.once('end', async () => {
  await Promise.all(clients.map((client) => client.endAsync()));
  process.exit(0);
});
