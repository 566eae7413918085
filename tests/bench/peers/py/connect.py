"""Connects clients with paho-mqtt, all in one epoll loop, and prints how many µs that took. When its
input ends they say goodbye.

connect.py ADDRESS COUNT

The library's own way, a thread for each client with `select`, ends at some 330 of them: it cannot watch
a file whose number is above 1,023.
"""

import select
import sys
import time

import paho.mqtt.client as paho

IN_FLIGHT = 64
MISC_EVERY_S = 1
# The library binds its sockets. A port that other clients have just left cannot be bound for a minute,
# but that of another address can.
SOURCE = "127.0.0.2"
DISCONNECT = b"\xe0\x00"


def main():
    host, port = sys.argv[1].rsplit(":", 1)
    fleet = Fleet(host, int(port), int(sys.argv[2]))
    begun = time.monotonic()
    while fleet.up < fleet.count:
        fleet.fill()
        fleet.turn()
    print(int((time.monotonic() - begun) * 1e6), flush=True)
    fleet.poll.register(sys.stdin.fileno(), select.EPOLLIN)
    while fleet.turn():
        pass
    fleet.say_goodbye()


class Fleet:
    def __init__(self, host, port, count):
        self.host = host
        self.port = port
        self.count = count
        self.up = 0
        self.clients = {}
        self.poll = select.epoll()
        self.misc_at = time.monotonic() + MISC_EVERY_S

    def fill(self):
        while len(self.clients) < self.count and len(self.clients) - self.up < IN_FLIGHT:
            name = f"py-{len(self.clients)}"
            client = paho.Client(
                paho.CallbackAPIVersion.VERSION2, client_id=name, protocol=paho.MQTTv311
            )
            client.will_set(f"devices/{name}/status", "offline", 1, True)
            client.on_connect = self.connected
            client.connect(self.host, self.port, keepalive=60, bind_address=SOURCE)
            self.clients[client.socket().fileno()] = client
            self.poll.register(client.socket().fileno(), select.EPOLLIN)

    def connected(self, _client, _userdata, _flags, reason, _properties):
        if reason.is_failure:
            sys.exit(str(reason))
        self.up += 1

    def turn(self):
        """Does what is due; false when the input has ended."""
        goes_on = True
        for file, _ in self.poll.poll(MISC_EVERY_S):
            client = self.clients.get(file)
            if client is None:
                goes_on = bool(sys.stdin.readline())
            elif client.loop_read() != paho.MQTT_ERR_SUCCESS:
                sys.exit("a connection was lost")
        if time.monotonic() >= self.misc_at:
            self.misc_at += MISC_EVERY_S
            for client in self.clients.values():
                client.loop_misc()
        return goes_on

    def say_goodbye(self):
        """Has the broker close first. The library would, and its ports, bound as they were, could be
        used by nobody for a minute: every client after it would have to search for others."""
        sockets = [client.socket() for client in self.clients.values()]
        for sock in sockets:
            sock.setblocking(True)
            sock.sendall(DISCONNECT)
        for sock in sockets:
            while sock.recv(4096):
                pass


main()
