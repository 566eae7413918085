"""Uses a broker as a device with paho-mqtt would, and prints a line of JSON for each check.

with_paho.py URL VERSION                   runs every check; VERSION is 4 (MQTT 3.1.1) or 5
with_paho.py URL VERSION --device OPTIONS  is a client with a will, to be killed (OPTIONS is JSON)

Everything waits for packets. Where something must not come, something else is sent after it that
must. Only what the standard itself measures in seconds (expiry, will delay) waits for time.
"""

import json
import os
import queue
import signal
import subprocess
import sys
import time
import urllib.parse
import uuid
from concurrent.futures import ThreadPoolExecutor

import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

DEADLINE = 20
RUN = uuid.uuid4().hex[:8]


class Broker:
    def __init__(self, url, version):
        self.url = url
        self.version = int(version)
        self.is_new = self.version == 5

    def client(self, name, **options):
        return Client(self, name, **options)

    def device(self, name, **options):
        return Device(self, name, options)


class Client:
    """One connection. What it hears waits in a queue."""

    def __init__(self, broker, name, clean=True, expiry=0, will=None, keep_alive=60,
                 receive_maximum=None, manual_ack=False):
        self.is_new = broker.is_new
        self.heard = queue.Queue()
        self.answers = queue.Queue()
        self.ends = queue.Queue()
        self.greeting = queue.Queue()
        parts = urllib.parse.urlsplit(broker.url)
        self.paho = paho.Client(
            paho.CallbackAPIVersion.VERSION2,
            client_id=name,
            clean_session=None if self.is_new else clean,
            protocol=paho.MQTTv5 if self.is_new else paho.MQTTv311,
            transport="websockets" if parts.scheme == "ws" else "tcp",
            reconnect_on_failure=False,
            manual_ack=manual_ack,
        )
        if will:
            self.paho.will_set(will["topic"], will.get("payload", "gone"), will.get("qos", 1),
                               will.get("retain", False), properties=will_properties(will))
        self.paho.on_connect = lambda _c, _u, flags, code, more: self.greeting.put(
            (flags.session_present, code, more))
        self.paho.on_message = lambda _c, _u, message: self.heard.put(message)
        self.paho.on_subscribe = lambda _c, _u, _id, codes, _p: self.answers.put(codes)
        self.paho.on_unsubscribe = lambda _c, _u, _id, codes, _p: self.answers.put(codes)
        self.paho.on_disconnect = lambda _c, _u, flags, code, _p: self.ends.put((flags, code))
        options = {}
        if self.is_new:
            more = Properties(PacketTypes.CONNECT)
            more.SessionExpiryInterval = expiry
            if receive_maximum:
                more.ReceiveMaximum = receive_maximum
            options = {"clean_start": clean, "properties": more}
        self.paho.connect(parts.hostname, parts.port, keep_alive, **options)
        self.paho.loop_start()
        self.session_present, code, self.connack = self.greeting.get(timeout=DEADLINE)
        expect(not code.is_failure, f"the broker refused {name!r}: {code}")

    def subscribe(self, topic, qos=2, **options):
        if self.is_new:
            number = options.pop("number", None)
            more = Properties(PacketTypes.SUBSCRIBE)
            if number:
                more.SubscriptionIdentifier = number
            self.paho.subscribe(topic, options=SubscribeOptions(qos=qos, **options), properties=more)
        else:
            self.paho.subscribe(topic, qos)
        code = self.answers.get(timeout=DEADLINE)[0]
        expect(code.value == qos, f"SUBACK for {topic} says {code}")
        return self

    def unsubscribe(self, topic):
        self.paho.unsubscribe(topic)
        self.answers.get(timeout=DEADLINE)

    def publish(self, topic, payload, qos=1, retain=False, more=None):
        info = self.paho.publish(topic, payload, qos, retain, properties=more)
        info.wait_for_publish(DEADLINE)
        expect(info.is_published(), f"{payload!r} to {topic} was not acknowledged")

    def next(self):
        """Returns the next message as topic and payload."""
        message = self.next_message()
        return message.topic, message.payload.decode()

    def next_message(self):
        try:
            return self.heard.get(timeout=DEADLINE)
        except queue.Empty:
            raise Failed("a message was expected, none came") from None

    def until(self, payload):
        """Returns the payloads before this one."""
        before = []
        while (found := self.next()[1]) != payload:
            before.append(found)
        return before

    def goodbye(self, code=None, expiry=None):
        more = None
        if expiry is not None:
            more = Properties(PacketTypes.DISCONNECT)
            more.SessionExpiryInterval = expiry
        code = ReasonCode(PacketTypes.DISCONNECT, identifier=code) if code else None
        self.paho.disconnect(code, more)
        self.ends.get(timeout=DEADLINE)
        self.paho.loop_stop()


class Device:
    """A client in a process of its own, which can be killed and stopped."""

    started = []

    def __init__(self, broker, name, options):
        line = [sys.executable, __file__, broker.url, str(broker.version), "--device"]
        self.process = subprocess.Popen(line + [json.dumps({"name": name, **options})],
                                        stdout=subprocess.PIPE, text=True)
        Device.started.append(self)
        expect(self.process.stdout.readline() == "ready\n", f"device {name} is not ready")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        os.kill(self.process.pid, signal.SIGSTOP)


class Failed(Exception):
    pass


def expect(condition, detail):
    if not condition:
        raise Failed(detail)


def will_properties(will):
    if not will.get("delay"):
        return None
    more = Properties(PacketTypes.WILLMESSAGE)
    more.WillDelayInterval = will["delay"]
    return more


def will(topic, **more):
    return {"topic": topic, **more}


# ---- checks -------------------------------------------------------------------------------------

CHECKS = []


def check(name, only_new=False):
    def add(function):
        CHECKS.append((name, only_new, function))
        return function
    return add


@check("each qos arrives, and not above what was asked for")
def every_qos(broker, topic, name):
    ear, mouth = broker.client(name + "-ear").subscribe(topic + "/#"), broker.client(name)
    low = broker.client(name + "-low").subscribe(topic + "/#", qos=1)
    for qos in (0, 1, 2):
        mouth.publish(f"{topic}/{qos}", str(qos), qos)
        message = ear.next_message()
        found = message.topic, message.payload, message.qos, message.retain
        expect(found == (f"{topic}/{qos}", str(qos).encode(), qos, False), f"heard {found}")
        found = low.next_message().qos
        expect(found == min(qos, 1), f"asked for qos 1, heard qos {found} of {qos}")


@check("qos 2 arrives exactly once and in order")
def exactly_once(broker, topic, name):
    ear, mouth = broker.client(name + "-ear").subscribe(topic), broker.client(name)
    sent = [str(n) for n in range(50)]
    infos = [mouth.paho.publish(topic, payload, 2) for payload in sent]
    for info in infos:
        info.wait_for_publish(DEADLINE)
    mouth.publish(topic, "end", 2)
    found = ear.until("end")
    expect(found == sent, f"heard {found}")


@check("a long message arrives whole")
def long_message(broker, topic, name):
    ear, mouth = broker.client(name + "-ear").subscribe(topic), broker.client(name)
    mouth.publish(topic, "x" * 100_000)
    found = len(ear.next_message().payload)
    expect(found == 100_000, f"{found} bytes came")


@check("wildcards match what they should")
def wildcards(broker, topic, name):
    mouth = broker.client(name)
    for number, (pattern, tail, matches) in enumerate([
        ("#", "", True), ("#", "/a/b", True), ("+", "/a", True), ("+", "/a/b", False),
        ("+", "", False), ("+/b", "/a/b", True), ("+/b", "/b", False), ("a/+", "/a/", True),
    ]):
        # A level of its own for each, so that they do not hear each other.
        base = f"{topic}/{number}"
        ear = broker.client(f"{name}-{number}").subscribe(f"{base}/{pattern}").subscribe(topic)
        mouth.publish(base + tail, "hit")
        mouth.publish(topic, "end")
        found = ear.until("end")
        expect(found == ["hit"] * matches, f"{pattern} heard {found} of {tail!r}")
        ear.goodbye()


@check("a wildcard in front does not match topics with a dollar")
def dollar(broker, topic, name):
    ear = broker.client(name + "-ear").subscribe("+/broker/version").subscribe(topic)
    reader = broker.client(name + "-reader").subscribe("$SYS/broker/version")
    reader.next()
    broker.client(name).publish(topic, "end")
    found = ear.until("end")
    expect(found == [], f"heard {found}")


@check("a retained message is kept, replaced and cleared")
def retained(broker, topic, name):
    mouth = broker.client(name)
    early = broker.client(name + "-early").subscribe(topic)
    for payload in ("first", "second"):
        mouth.publish(topic, payload, retain=True)
        message = early.next_message()
        expect((message.payload.decode(), message.retain) == (payload, False),
               f"live: {message.payload} with retain {message.retain}")
    late = broker.client(name + "-late").subscribe(topic)
    message = late.next_message()
    expect((message.payload, message.retain, message.qos) == (b"second", True, 1),
           f"later: {message.payload} with retain {message.retain}, qos {message.qos}")
    mouth.publish(topic, "", retain=True)
    expect(early.next()[1] == "", "the empty message was not handed on")
    latest = broker.client(name + "-latest").subscribe(topic)
    mouth.publish(topic, "end")
    found = latest.until("end")
    expect(found == [], f"after clearing: {found}")


@check("a killed client leaves its will")
def will_of_killed(broker, topic, name):
    ear = broker.client(name + "-ear").subscribe(topic)
    broker.device(name, will=will(topic, payload="gone", retain=True)).kill()
    expect(ear.next() == (topic, "gone"), "another message came")
    late = broker.client(name + "-late").subscribe(topic)
    message = late.next_message()
    expect((message.payload, message.retain) == (b"gone", True), "it was not retained")
    late.publish(topic, "", retain=True)


@check("a silent client leaves its will")
def will_of_silent(broker, topic, name):
    ear = broker.client(name + "-ear").subscribe(topic)
    device = broker.device(name, will=will(topic), keep_alive=2)
    began = time.monotonic()
    device.stop()
    expect(ear.next() == (topic, "gone"), "another message came")
    took = time.monotonic() - began
    device.kill()
    # Its last packet may be as old as its process was slow; the broker waits for 3 s.
    expect(1.5 < took < 12, f"it took {took:.1f} s")


@check("a client that says goodbye leaves no will")
def no_will(broker, topic, name):
    ear = broker.client(name + "-ear").subscribe(topic)
    for number in range(5):
        broker.client(f"{name}-{number}", will=will(topic, payload="unwanted")).goodbye()
    # What was forgotten comes no more; what was not, comes before this.
    broker.device(name, will=will(topic, payload="end")).kill()
    found = ear.until("end")
    expect(found == [], f"heard {found}")


@check("a goodbye can ask for the will", only_new=True)
def wanted_will(broker, topic, name):
    ear = broker.client(name + "-ear").subscribe(topic)
    broker.client(name, will=will(topic)).goodbye(code=0x04)
    expect(ear.next() == (topic, "gone"), "another message came")


@check("a delayed will comes late", only_new=True)
def delayed_will(broker, topic, name):
    ear = broker.client(name + "-ear").subscribe(topic)
    device = broker.device(name, will=will(topic, delay=2), expiry=60)
    began = time.monotonic()
    device.kill()
    ear.next()
    took = time.monotonic() - began
    expect(1.9 < took < 8, f"it took {took:.1f} s")


@check("a delayed will does not come after a return", only_new=True)
def cancelled_will(broker, topic, name):
    ear = broker.client(name + "-ear").subscribe(topic)
    broker.device(name, will=will(topic, payload="unwanted", delay=2), expiry=60).kill()
    broker.client(name, clean=False)
    # A second one, later by as much as the first would have waited.
    broker.device(name + "-marker", will=will(topic, payload="end", delay=2), expiry=60).kill()
    found = ear.until("end")
    expect(found == [], f"heard {found}")


@check("a delayed will comes with the end of the session", only_new=True)
def will_at_session_end(broker, topic, name):
    ear = broker.client(name + "-ear").subscribe(topic)
    device = broker.device(name, will=will(topic, delay=60), expiry=1)
    began = time.monotonic()
    device.kill()
    ear.next()
    took = time.monotonic() - began
    expect(0.9 < took < 8, f"it took {took:.1f} s")


@check("a newcomer takes over")
def take_over(broker, topic, name):
    first = broker.client(name)
    second = broker.client(name).subscribe(topic)
    first.ends.get(timeout=DEADLINE)
    broker.client(name + "-mouth").publish(topic, "still here")
    expect(second.next()[1] == "still here", "the newcomer does not hear")


@check("who is taken over is told", only_new=True)
def taken_over(broker, topic, name):
    first = broker.client(name)
    broker.client(name)
    flags, code = first.ends.get(timeout=DEADLINE)
    expect(flags.is_disconnect_packet_from_server, f"no DISCONNECT came; {code}")
    # paho-mqtt 2.1 reads the reason only where properties follow it.
    expect(code.value in (0x8E, 0), f"told {code}")


@check("a session is resumed with what came meanwhile")
def resume(broker, topic, name):
    kept = {"clean": False, "expiry": 300}
    client = broker.client(name, **kept)
    expect(not client.session_present, "a first session is said to be an old one")
    client.subscribe(topic)
    client.goodbye()
    mouth = broker.client(name + "-mouth")
    for number in range(20):
        mouth.publish(topic, str(number), qos=1 + number % 2)
    client = broker.client(name, **kept)
    expect(client.session_present, "the session is said to be gone")
    mouth.publish(topic, "end", 2)
    found = client.until("end")
    # paho-mqtt hands on the ones of qos 2 when their handshake is over. Order counts within a qos.
    for rest in (0, 1):
        some = [payload for payload in found if int(payload) % 2 == rest]
        expect(some == [str(n) for n in range(rest, 20, 2)], f"heard {found}")
    client.goodbye()
    broker.client(name).goodbye()


@check("a clean start forgets the session")
def clean_start(broker, topic, name):
    kept = {"clean": False, "expiry": 300}
    client = broker.client(name, **kept).subscribe(topic)
    client.goodbye()
    mouth = broker.client(name + "-mouth")
    mouth.publish(topic, "unwanted")
    client = broker.client(name, clean=True).subscribe(topic + "/other")
    expect(not client.session_present, "the session is said to be there")
    mouth.publish(topic, "unwanted")
    mouth.publish(topic + "/other", "end")
    found = client.until("end")
    expect(found == [], f"heard {found}")
    client.goodbye()
    client = broker.client(name, **kept)
    expect(not client.session_present, "a clean session is said to be kept")
    client.goodbye()
    broker.client(name).goodbye()


@check("a session ends when its time is up", only_new=True)
def expiry(broker, topic, name):
    client = broker.client(name, clean=False, expiry=1)
    client.goodbye()
    time.sleep(3)
    client = broker.client(name, clean=False, expiry=1)
    expect(not client.session_present, "the session is said to be there")


@check("a goodbye can end the session", only_new=True)
def shorter_expiry(broker, topic, name):
    broker.client(name, clean=False, expiry=300).goodbye(expiry=0)
    client = broker.client(name, clean=False, expiry=0)
    expect(not client.session_present, "the session is said to be there")


@check("messages of a shared subscription go to one member each")
def shared(broker, topic, name):
    filters = f"$share/{name}/{topic}"
    members = [broker.client(f"{name}-{n}").subscribe(filters) for n in range(2)]
    for member in members:
        member.subscribe(topic + "/end")
    whole = broker.client(name + "-whole").subscribe(topic)
    mouth = broker.client(name)
    sent = [str(n) for n in range(40)]
    for payload in sent:
        mouth.publish(topic, payload)
    mouth.publish(topic + "/end", "end")
    found = [member.until("end") for member in members]
    expect(sorted(sum(found, [])) == sorted(sent), f"heard {found}")
    expect(all(found), f"only one member heard: {found}")
    all_heard = [whole.next()[1] for _ in sent]
    expect(all_heard == sent, f"beside the group: {all_heard}")


@check("nothing comes after an unsubscribe")
def unsubscribe(broker, topic, name):
    ear = broker.client(name + "-ear").subscribe(topic).subscribe(topic + "/end")
    mouth = broker.client(name)
    mouth.publish(topic, "wanted")
    expect(ear.next()[1] == "wanted", "the subscription did not work")
    ear.unsubscribe(topic)
    mouth.publish(topic, "unwanted")
    mouth.publish(topic + "/end", "end")
    found = ear.until("end")
    expect(found == [], f"heard {found}")


@check("a client without an id is let in")
def empty_id(broker, topic, name):
    client = broker.client("").subscribe(topic)
    if broker.is_new:
        expect(client.connack.AssignedClientIdentifier, "it was given no id")
    client.publish(topic, "hello")
    expect(client.next()[1] == "hello", "it does not work")


@check("properties of a message pass through", only_new=True)
def properties(broker, topic, name):
    ear, mouth = broker.client(name + "-ear").subscribe(topic), broker.client(name)
    more = Properties(PacketTypes.PUBLISH)
    more.UserProperty = [("color", "red"), ("color", "grün"), ("", "")]
    more.ContentType, more.ResponseTopic = "text/plain", "answers/here"
    more.CorrelationData, more.PayloadFormatIndicator = b"\x00\x01", 1
    more.MessageExpiryInterval = 100
    mouth.publish(topic, "hello", more=more)
    found = ear.next_message().properties.json()
    expect(found.pop("MessageExpiryInterval") in (99, 100), "the expiry is another one")
    wanted = more.json()
    del wanted["MessageExpiryInterval"]
    expect(found == wanted, f"found {found}")


@check("a message does not outlive its time", only_new=True)
def message_expiry(broker, topic, name):
    kept = {"clean": False, "expiry": 300}
    client = broker.client(name, **kept).subscribe(topic)
    client.goodbye()
    mouth = broker.client(name + "-mouth")
    for payload, seconds in (("short", 1), ("long", 100)):
        more = Properties(PacketTypes.PUBLISH)
        more.MessageExpiryInterval = seconds
        mouth.publish(topic, payload, more=more)
    time.sleep(2.5)
    client = broker.client(name, **kept)
    message = client.next_message()
    left = message.properties.MessageExpiryInterval
    expect(message.payload == b"long", f"heard {message.payload}")
    expect(left <= 98, f"{left} s of 100 are left after 2.5 s")
    client.goodbye(expiry=0)


@check("subscription options are kept to", only_new=True)
def subscription_options(broker, topic, name):
    client = broker.client(name).subscribe(topic + "/+", noLocal=True, number=7)
    client.subscribe(topic + "/kept", retainAsPublished=True, retainHandling=2)
    other = broker.client(name + "-other")
    client.publish(topic + "/a", "own")
    other.publish(topic + "/a", "other's")
    message = client.next_message()
    expect(message.payload == b"other's", f"heard its own {message.payload}")
    expect(message.properties.SubscriptionIdentifier == [7], f"{message.properties}")
    other.publish(topic + "/kept/x", "retained", retain=True)
    never = broker.client(name + "-never").subscribe(topic + "/kept/#", retainHandling=2)
    new = broker.client(name + "-new").subscribe(topic + "/kept/#", retainHandling=1)
    expect(new.next()[1] == "retained", "a new subscription did not bring it")
    new.subscribe(topic + "/kept/#", retainHandling=1)
    flagged = broker.client(name + "-flag").subscribe(
        topic + "/kept/#", retainAsPublished=True, retainHandling=2)
    other.publish(topic + "/kept/x", "", retain=True)
    expect(flagged.next_message().retain, "the flag is not as published")
    for client in (never, new):
        message = client.next_message()
        expect((message.payload, message.retain) == (b"", False),
               f"heard {message.payload} with retain {message.retain}")


@check("no more messages are under way than the client takes", only_new=True)
def receive_maximum(broker, topic, name):
    ear = broker.client(name + "-ear", receive_maximum=2, manual_ack=True).subscribe(topic)
    mouth = broker.client(name)
    for number in range(6):
        mouth.publish(topic, str(number))
    # The answer comes after all that was sent before it. No message would do: those of qos 0 may wait
    # for the others.
    ear.subscribe(topic + "/other")
    held = [ear.next_message() for _ in range(ear.heard.qsize())]
    found = [message.payload.decode() for message in held]
    expect(found == ["0", "1"], f"before an acknowledgement: {found}")
    for message in held:
        ear.paho.ack(message.mid, message.qos)
    found = []
    while len(found) < 4:
        message = ear.next_message()
        found.append(message.payload.decode())
        ear.paho.ack(message.mid, message.qos)
    expect(found == ["2", "3", "4", "5"], f"afterwards: {found}")


# ---- main ---------------------------------------------------------------------------------------


def be_device(broker, options):
    client = Client(broker, **options)
    print("ready", flush=True)
    client.ends.get()


def run_one(broker, name, function):
    own = f"paho-{RUN}-{function.__name__}"
    began = time.monotonic()
    try:
        function(broker, f"clients/{own}", own)
        ok, detail = True, ""
    except Exception as failure:  # Whatever it is, it is the outcome of this check.
        ok, detail = False, f"{type(failure).__name__}: {failure}"
    ms = round((time.monotonic() - began) * 1000)
    print(json.dumps({"check": name, "ok": ok, "detail": detail, "ms": ms}) + "\n", end="",
          flush=True)


def run(broker):
    # Side by side: most of them wait for the broker.
    with ThreadPoolExecutor(max_workers=8) as pool:
        for name, only_new, function in CHECKS:
            if broker.is_new or not only_new:
                pool.submit(run_one, broker, name, function)


def main():
    url, version, *rest = sys.argv[1:]
    broker = Broker(url, version)
    if rest:
        be_device(broker, json.loads(rest[1]))
    else:
        run(broker)
        for device in Device.started:
            device.kill()
        # Threads of connections that are still open would go on.
        os._exit(0)


main()
