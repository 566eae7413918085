// Uses a broker as a device with mqtt.js would, and prints a line of JSON for each check.
//
// node with_mqtt.js URL VERSION                   runs every check; VERSION is 4 (MQTT 3.1.1) or 5
// node with_mqtt.js URL VERSION --device OPTIONS  is a client with a will, to be killed (OPTIONS is JSON)
//
// Everything waits for packets. Where something must not come, something else is sent after it that
// must. Only what the standard itself measures in seconds (expiry, will delay) waits for time.
'use strict';

const { spawn } = require('node:child_process');
const { randomBytes } = require('node:crypto');
const { setTimeout: sleep } = require('node:timers/promises');
const { isDeepStrictEqual } = require('node:util');
const mqtt = require('mqtt');

const DEADLINE_MS = 20000;
const RUN = randomBytes(4).toString('hex');
const [url, versionText, mode, deviceOptions] = process.argv.slice(2);
const version = Number(versionText);
const isNew = version === 5;

function expect(condition, detail) {
  if (!condition) throw new Error(detail);
}

function expectSame(found, wanted, what = 'heard') {
  expect(isDeepStrictEqual(found, wanted), `${what} ${JSON.stringify(found)}`);
}

// Things that come, and those who wait for them.
class Queue {
  #waiting = [];
  #there = [];

  put(thing) {
    const waiter = this.#waiting.shift();
    if (waiter) waiter(thing);
    else this.#there.push(thing);
  }

  take(what) {
    if (this.#there.length > 0) return Promise.resolve(this.#there.shift());
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${what} was expected, none came`)), DEADLINE_MS);
      this.#waiting.push((thing) => {
        clearTimeout(timer);
        resolve(thing);
      });
    });
  }
}

// One connection. What it hears waits in a queue.
class Client {
  heard = new Queue();
  farewells = new Queue();
  ends = new Queue();

  static async connect(clientId, options = {}) {
    const { clean = true, expiry = 0, will, keepAlive = 60 } = options;
    const client = new Client();
    client.mqtt = mqtt.connect(url, {
      clientId,
      clean,
      keepalive: keepAlive,
      protocolVersion: version,
      reconnectPeriod: 0,
      will: will && willOf(will),
      properties: isNew ? { sessionExpiryInterval: expiry } : undefined,
    });
    client.mqtt.on('message', (topic, payload, packet) => client.heard.put(packet));
    client.mqtt.on('disconnect', (packet) => client.farewells.put(packet));
    client.mqtt.on('close', () => client.ends.put('close'));
    client.connack = await new Promise((resolve, reject) => {
      client.mqtt.once('connect', resolve);
      client.mqtt.on('error', reject);
      client.mqtt.once('close', () => reject(new Error(`${clientId}: closed before CONNACK`)));
    });
    client.sessionPresent = client.connack.sessionPresent;
    return client;
  }

  async subscribe(topic, { qos = 2, number, ...options } = {}) {
    const properties = number && isNew ? { subscriptionIdentifier: number } : undefined;
    const [granted] = await this.mqtt.subscribeAsync(topic, { qos, properties, ...options });
    expect(granted.qos === qos, `SUBACK for ${topic} says ${granted.qos}`);
    return this;
  }

  async publish(topic, payload, { qos = 1, retain = false, properties } = {}) {
    await this.mqtt.publishAsync(topic, payload, { qos, retain, properties });
  }

  next() {
    return this.heard.take('a message');
  }

  async nextPayload() {
    return (await this.next()).payload.toString();
  }

  // Returns the payloads before this one.
  async until(payload) {
    const before = [];
    for (;;) {
      const found = await this.nextPayload();
      if (found === payload) return before;
      before.push(found);
    }
  }

  async goodbye({ code, expiry } = {}) {
    const properties = expiry === undefined ? undefined : { sessionExpiryInterval: expiry };
    await this.mqtt.endAsync(false, { reasonCode: code, properties });
  }
}

// A client in a process of its own, which can be killed and stopped.
class Device {
  static started = [];

  static async start(clientId, options) {
    const device = new Device();
    const line = [__filename, url, versionText, '--device', JSON.stringify({ clientId, ...options })];
    device.process = spawn(process.execPath, line, { stdio: ['ignore', 'pipe', 'inherit'] });
    Device.started.push(device);
    device.exited = new Promise((resolve) => device.process.once('exit', resolve));
    await new Promise((resolve, reject) => {
      device.process.stdout.once('data', resolve);
      device.process.once('exit', () => reject(new Error(`device ${clientId} has ended`)));
    });
    return device;
  }

  async kill() {
    this.process.kill('SIGKILL');
    await this.exited;
  }

  stop() {
    this.process.kill('SIGSTOP');
  }
}

function willOf({ topic, payload = 'gone', qos = 1, retain = false, delay }) {
  const properties = delay ? { willDelayInterval: delay } : undefined;
  return { topic, payload: Buffer.from(payload), qos, retain, properties };
}

async function killed(clientId, options) {
  await (await Device.start(clientId, options)).kill();
}

async function timed(action) {
  const began = performance.now();
  await action();
  return (performance.now() - began) / 1000;
}

// ---- checks -----------------------------------------------------------------------------------------

const CHECKS = [];
const NEW = { onlyNew: true };

function check(name, ...rest) {
  const run = rest.pop();
  CHECKS.push({ name, run, onlyNew: rest.length > 0 });
}

check('each qos arrives, and not above what was asked for', async (topic, id) => {
  const ear = await (await Client.connect(`${id}-ear`)).subscribe(`${topic}/#`);
  const low = await (await Client.connect(`${id}-low`)).subscribe(`${topic}/#`, { qos: 1 });
  const mouth = await Client.connect(id);
  for (const qos of [0, 1, 2]) {
    await mouth.publish(`${topic}/${qos}`, String(qos), { qos });
    const message = await ear.next();
    const found = [message.topic, message.payload.toString(), message.qos, message.retain];
    expectSame(found, [`${topic}/${qos}`, String(qos), qos, false]);
    expectSame((await low.next()).qos, Math.min(qos, 1), 'asked for qos 1, heard');
  }
});

check('qos 2 arrives exactly once and in order', async (topic, id) => {
  const ear = await (await Client.connect(`${id}-ear`)).subscribe(topic);
  const mouth = await Client.connect(id);
  const sent = [...Array(50).keys()].map(String);
  // mqtt.js does not care how many a broker takes at a time.
  for (let at = 0; at < sent.length; at += 10) {
    const some = sent.slice(at, at + 10);
    await Promise.all(some.map((payload) => mouth.publish(topic, payload, { qos: 2 })));
  }
  await mouth.publish(topic, 'end', { qos: 2 });
  expectSame(await ear.until('end'), sent);
});

check('a long message arrives whole', async (topic, id) => {
  const ear = await (await Client.connect(`${id}-ear`)).subscribe(topic);
  await (await Client.connect(id)).publish(topic, 'x'.repeat(100000));
  expectSame((await ear.next()).payload.length, 100000);
});

check('wildcards match what they should', async (topic, id) => {
  const mouth = await Client.connect(id);
  const cases = [
    ['#', '', true], ['#', '/a/b', true], ['+', '/a', true], ['+', '/a/b', false],
    ['+', '', false], ['+/b', '/a/b', true], ['+/b', '/b', false], ['a/+', '/a/', true],
  ];
  for (const [number, [pattern, tail, matches]] of cases.entries()) {
    // A level of its own for each, so that they do not hear each other.
    const base = `${topic}/${number}`;
    const ear = await (await Client.connect(`${id}-${number}`)).subscribe(`${base}/${pattern}`);
    await ear.subscribe(topic);
    await mouth.publish(base + tail, 'hit');
    await mouth.publish(topic, 'end');
    expectSame(await ear.until('end'), matches ? ['hit'] : [], `${pattern} and ${tail}: heard`);
    await ear.goodbye();
  }
});

check('a wildcard in front does not match topics with a dollar', async (topic, id) => {
  const ear = await (await Client.connect(`${id}-ear`)).subscribe('+/broker/version');
  await ear.subscribe(topic);
  const reader = await Client.connect(`${id}-reader`);
  await (await reader.subscribe('$SYS/broker/version')).next();
  await reader.publish(topic, 'end');
  expectSame(await ear.until('end'), []);
});

check('a retained message is kept, replaced and cleared', async (topic, id) => {
  const mouth = await Client.connect(id);
  const early = await (await Client.connect(`${id}-early`)).subscribe(topic);
  for (const payload of ['first', 'second']) {
    await mouth.publish(topic, payload, { retain: true });
    const message = await early.next();
    expectSame([message.payload.toString(), message.retain], [payload, false], 'live:');
  }
  const late = await (await Client.connect(`${id}-late`)).subscribe(topic);
  const message = await late.next();
  const found = [message.payload.toString(), message.retain, message.qos];
  expectSame(found, ['second', true, 1], 'later:');
  await mouth.publish(topic, '', { retain: true });
  expectSame(await early.nextPayload(), '', 'instead of the empty message:');
  const latest = await (await Client.connect(`${id}-latest`)).subscribe(topic);
  await mouth.publish(topic, 'end');
  expectSame(await latest.until('end'), [], 'after clearing:');
});

check('a killed client leaves its will', async (topic, id) => {
  const ear = await (await Client.connect(`${id}-ear`)).subscribe(topic);
  await killed(id, { will: { topic, retain: true } });
  expectSame(await ear.nextPayload(), 'gone');
  const late = await (await Client.connect(`${id}-late`)).subscribe(topic);
  const message = await late.next();
  expectSame([message.payload.toString(), message.retain], ['gone', true], 'retained:');
  await late.publish(topic, '', { retain: true });
});

check('a silent client leaves its will', async (topic, id) => {
  const ear = await (await Client.connect(`${id}-ear`)).subscribe(topic);
  const device = await Device.start(id, { will: { topic }, keepAlive: 2 });
  device.stop();
  const took = await timed(async () => expectSame(await ear.nextPayload(), 'gone'));
  await device.kill();
  // Its last packet may be as old as its process was slow; the broker waits for 3 s.
  expect(took > 1.5 && took < 12, `it took ${took.toFixed(1)} s`);
});

check('a client that says goodbye leaves no will', async (topic, id) => {
  const ear = await (await Client.connect(`${id}-ear`)).subscribe(topic);
  for (let number = 0; number < 5; number += 1) {
    const will = { topic, payload: 'unwanted' };
    await (await Client.connect(`${id}-${number}`, { will })).goodbye();
  }
  // What was forgotten comes no more; what was not, comes before this.
  await killed(id, { will: { topic, payload: 'end' } });
  expectSame(await ear.until('end'), []);
});

check('a goodbye can ask for the will', NEW, async (topic, id) => {
  const ear = await (await Client.connect(`${id}-ear`)).subscribe(topic);
  await (await Client.connect(id, { will: { topic } })).goodbye({ code: 4 });
  expectSame(await ear.nextPayload(), 'gone');
});

check('a delayed will comes late', NEW, async (topic, id) => {
  const ear = await (await Client.connect(`${id}-ear`)).subscribe(topic);
  const device = await Device.start(id, { will: { topic, delay: 2 }, expiry: 60 });
  const took = await timed(async () => {
    await device.kill();
    await ear.next();
  });
  expect(took > 1.9 && took < 8, `it took ${took.toFixed(1)} s`);
});

check('a delayed will does not come after a return', NEW, async (topic, id) => {
  const ear = await (await Client.connect(`${id}-ear`)).subscribe(topic);
  await killed(id, { will: { topic, payload: 'unwanted', delay: 2 }, expiry: 60 });
  await Client.connect(id, { clean: false });
  // A second one, later by as much as the first would have waited.
  await killed(`${id}-marker`, { will: { topic, payload: 'end', delay: 2 }, expiry: 60 });
  expectSame(await ear.until('end'), []);
});

check('a delayed will comes with the end of the session', NEW, async (topic, id) => {
  const ear = await (await Client.connect(`${id}-ear`)).subscribe(topic);
  const device = await Device.start(id, { will: { topic, delay: 60 }, expiry: 1 });
  const took = await timed(async () => {
    await device.kill();
    await ear.next();
  });
  expect(took > 0.9 && took < 8, `it took ${took.toFixed(1)} s`);
});

check('a newcomer takes over', async (topic, id) => {
  const first = await Client.connect(id);
  const second = await (await Client.connect(id)).subscribe(topic);
  await first.ends.take('an end');
  await (await Client.connect(`${id}-mouth`)).publish(topic, 'still here');
  expectSame(await second.nextPayload(), 'still here');
});

check('who is taken over is told', NEW, async (topic, id) => {
  const first = await Client.connect(id);
  await Client.connect(id);
  const told = await Promise.race([first.farewells.take('DISCONNECT'), first.ends.take('an end')]);
  expectSame(told.reasonCode, 0x8e, 'told');
});

check('a session is resumed with what came meanwhile', async (topic, id) => {
  const kept = { clean: false, expiry: 300 };
  let client = await Client.connect(id, kept);
  expect(!client.sessionPresent, 'a first session is said to be an old one');
  await client.subscribe(topic);
  await client.goodbye();
  const mouth = await Client.connect(`${id}-mouth`);
  const sent = [...Array(20).keys()].map(String);
  for (const [number, payload] of sent.entries()) {
    await mouth.publish(topic, payload, { qos: 1 + (number % 2) });
  }
  client = await Client.connect(id, kept);
  expect(client.sessionPresent, 'the session is said to be gone');
  await mouth.publish(topic, 'end', { qos: 2 });
  const found = await client.until('end');
  // mqtt.js hands on the ones of qos 2 when their handshake is over. Order counts within a qos.
  for (const rest of [0, 1]) {
    const some = (list) => list.filter((payload) => Number(payload) % 2 === rest);
    expectSame(some(found), some(sent));
  }
  await client.goodbye();
  await (await Client.connect(id)).goodbye();
});

check('a clean start forgets the session', async (topic, id) => {
  const kept = { clean: false, expiry: 300 };
  await (await (await Client.connect(id, kept)).subscribe(topic)).goodbye();
  const mouth = await Client.connect(`${id}-mouth`);
  await mouth.publish(topic, 'unwanted');
  let client = await (await Client.connect(id)).subscribe(`${topic}/other`);
  expect(!client.sessionPresent, 'the session is said to be there');
  await mouth.publish(topic, 'unwanted');
  await mouth.publish(`${topic}/other`, 'end');
  expectSame(await client.until('end'), []);
  await client.goodbye();
  client = await Client.connect(id, kept);
  expect(!client.sessionPresent, 'a clean session is said to be kept');
  await client.goodbye();
  await (await Client.connect(id)).goodbye();
});

check('a session ends when its time is up', NEW, async (topic, id) => {
  await (await Client.connect(id, { clean: false, expiry: 1 })).goodbye();
  await sleep(3000);
  const client = await Client.connect(id, { clean: false, expiry: 1 });
  expect(!client.sessionPresent, 'the session is said to be there');
});

check('a goodbye can end the session', NEW, async (topic, id) => {
  await (await Client.connect(id, { clean: false, expiry: 300 })).goodbye({ code: 0, expiry: 0 });
  const client = await Client.connect(id, { clean: false });
  expect(!client.sessionPresent, 'the session is said to be there');
});

check('messages of a shared subscription go to one member each', async (topic, id) => {
  const members = [];
  for (const number of [0, 1]) {
    const member = await (await Client.connect(`${id}-${number}`)).subscribe(`$share/${id}/${topic}`);
    members.push(await member.subscribe(`${topic}/end`));
  }
  const whole = await (await Client.connect(`${id}-whole`)).subscribe(topic);
  const mouth = await Client.connect(id);
  const sent = [...Array(40).keys()].map(String);
  for (const payload of sent) await mouth.publish(topic, payload);
  await mouth.publish(`${topic}/end`, 'end');
  const found = [await members[0].until('end'), await members[1].until('end')];
  expectSame(found.flat().sort(), [...sent].sort());
  expect(found.every((some) => some.length > 0), `only one member heard: ${JSON.stringify(found)}`);
  await mouth.publish(topic, 'end');
  expectSame(await whole.until('end'), sent, 'beside the group:');
});

check('nothing comes after an unsubscribe', async (topic, id) => {
  const ear = await (await Client.connect(`${id}-ear`)).subscribe(topic);
  await ear.subscribe(`${topic}/end`);
  const mouth = await Client.connect(id);
  await mouth.publish(topic, 'wanted');
  expectSame(await ear.nextPayload(), 'wanted');
  await ear.mqtt.unsubscribeAsync(topic);
  await mouth.publish(topic, 'unwanted');
  await mouth.publish(`${topic}/end`, 'end');
  expectSame(await ear.until('end'), []);
});

check('a client without an id is let in', async (topic) => {
  const client = await (await Client.connect('')).subscribe(topic);
  if (isNew) expect(client.connack.properties?.assignedClientIdentifier, 'it was given no id');
  await client.publish(topic, 'hello');
  expectSame(await client.nextPayload(), 'hello');
});

check('properties of a message pass through', NEW, async (topic, id) => {
  const ear = await (await Client.connect(`${id}-ear`)).subscribe(topic);
  const wanted = {
    payloadFormatIndicator: true,
    contentType: 'text/plain',
    responseTopic: 'answers/here',
    correlationData: Buffer.from([0, 1]),
    userProperties: { color: ['red', 'grün'], size: 'small' },
  };
  const properties = { ...wanted, messageExpiryInterval: 100 };
  await (await Client.connect(id)).publish(topic, 'hello', { properties });
  const { messageExpiryInterval: left, ...found } = (await ear.next()).properties;
  expect([99, 100].includes(left), `the expiry is ${left}`);
  expectSame({ ...found, userProperties: { ...found.userProperties } }, wanted);
});

check('a message does not outlive its time', NEW, async (topic, id) => {
  const kept = { clean: false, expiry: 300 };
  await (await (await Client.connect(id, kept)).subscribe(topic)).goodbye();
  const mouth = await Client.connect(`${id}-mouth`);
  for (const [payload, seconds] of [['short', 1], ['long', 100]]) {
    await mouth.publish(topic, payload, { properties: { messageExpiryInterval: seconds } });
  }
  await sleep(2500);
  const client = await Client.connect(id, kept);
  const message = await client.next();
  expectSame(message.payload.toString(), 'long');
  const left = message.properties.messageExpiryInterval;
  expect(left <= 98, `${left} s of 100 are left after 2.5 s`);
  await client.goodbye({ code: 0, expiry: 0 });
});

check('subscription options are kept to', NEW, async (topic, id) => {
  const client = await Client.connect(id);
  await client.subscribe(`${topic}/+`, { nl: true, number: 7 });
  const other = await Client.connect(`${id}-other`);
  await client.publish(`${topic}/a`, 'own');
  await other.publish(`${topic}/a`, "other's");
  const message = await client.next();
  expectSame(message.payload.toString(), "other's");
  expectSame([message.properties?.subscriptionIdentifier].flat(), [7], 'the identifier is');
  await other.publish(`${topic}/kept/x`, 'retained', { retain: true });
  const kept = `${topic}/kept/#`;
  const never = await (await Client.connect(`${id}-never`)).subscribe(kept, { rh: 2 });
  const fresh = await (await Client.connect(`${id}-new`)).subscribe(kept, { rh: 1 });
  expectSame(await fresh.nextPayload(), 'retained', 'a new subscription brought');
  await fresh.subscribe(kept, { rh: 1 });
  const flagged = await (await Client.connect(`${id}-flag`)).subscribe(kept, { rap: true, rh: 2 });
  await other.publish(`${topic}/kept/x`, '', { retain: true });
  expect((await flagged.next()).retain, 'the flag is not as published');
  for (const ear of [never, fresh]) {
    const found = await ear.next();
    expectSame([found.payload.toString(), found.retain], ['', false]);
  }
});

// ---- main -------------------------------------------------------------------------------------------

async function runOne({ name, run }, number) {
  const id = `js-${RUN}-${number}`;
  const began = performance.now();
  let ok = true;
  let detail = '';
  try {
    await run(`clients/${id}`, id);
  } catch (failure) {
    ok = false;
    detail = String(failure);
  }
  const ms = Math.round(performance.now() - began);
  process.stdout.write(`${JSON.stringify({ check: name, ok, detail, ms })}\n`);
}

async function runAll() {
  // Side by side: most of them wait for the broker.
  const open = CHECKS.filter(({ onlyNew }) => isNew || !onlyNew).entries();
  const worker = async () => {
    for (const [number, one] of open) await runOne(one, number);
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  for (const device of Device.started) device.process.kill('SIGKILL');
  // Connections are still open.
  process.exit(0);
}

async function beDevice({ clientId, ...options }) {
  await Client.connect(clientId, options);
  process.stdout.write('ready\n');
}

if (mode === '--device') beDevice(JSON.parse(deviceOptions));
else runAll();
