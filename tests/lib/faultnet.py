"""faultnet.py - a network that fails where it is told to: a proxy between two MTAs that reads the protocol as it passes and acts at a
named unit and octet. Rules are text, one a line:

    at 2nd MIP from initiator, octet 3: reset
    at 1st AE from initiator: cut, for 2000 ms          (refused meanwhile)
    at 1st CC from responder, octet 2: blackhole        (both ways, for ever)
    at 3rd DT from initiator: delay 300 ms | throttle 1000 octets/s | duplicate | truncate | drop
    from the start: throttle 1 octets/s | delay 50 ms   (of every connection)
    from the start: refuse | blackhole | reset

Units are TPKTs: CR, CC, DR, ER; a DT is called after what counts in its session data unit (CN, AC, RF, AS, AR, MIP, MIA, AE, AEA, AI, AIA, AD,
ADA, ED, PT, GTC, GTA, FN, DN, AB), further ones of the same session data unit `more`; user data DT. Without an octet: before the unit; octet 0 too.
A rule acts once."""
import contextlib
import re
import socket
import struct
import threading
import time

from play import Heard
from tap import Crossing, Tap

ORDINALS = re.compile(r"(\d+)(?:st|nd|rd|th)")


class Rule:
    def __init__(self, text):
        m = re.fullmatch(r"at (\d+)(?:st|nd|rd|th) (\w+) from (initiator|responder)(?:, octet (\d+))?: (\w+)(?: (\d+) (?:ms|octets/s))?(?:, for (\d+) ms)?",
                         text.strip())
        start = re.fullmatch(r"from the start: (\w+)(?: (\d+) (?:ms|octets/s))?", text.strip())
        if m is None and start is None:
            raise ValueError("not a rule of a network: %s" % text)
        self.text, self.done = text, False
        if start:
            self.nth, self.unit, self.forth, self.octet, self.down_ms = 0, None, True, 0, 0
            self.act, self.arg = start.group(1), int(start.group(2) or 0)
        else:
            self.nth, self.unit, self.forth = int(m.group(1)), m.group(2), m.group(3) == "initiator"
            self.octet, self.act, self.arg, self.down_ms = int(m.group(4) or 0), m.group(5), int(m.group(6) or 0), int(m.group(7) or 0)


class Units:
    """One direction taken apart into TPKTs with names."""

    def __init__(self):
        self.buffer, self.inside = b"", False

    def cut(self, octets):
        """[(name, octets of a whole TPKT)]; what is no TPKT passes as one unit `other`."""
        self.buffer += octets
        out = []
        while len(self.buffer) >= 4:
            n = struct.unpack("!H", self.buffer[2:4])[0]
            if self.buffer[0] != 3 or n < 7:
                out.append(("other", self.buffer))
                self.buffer = b""
                break
            if len(self.buffer) < n:
                break
            tpkt, self.buffer = self.buffer[:n], self.buffer[n:]
            out.append((self.name(tpkt), tpkt))
        return out

    def name(self, tpkt):
        kind = tpkt[5] >> 4
        if kind != 0xF:
            return {0xE: "CR", 0xD: "CC", 8: "DR", 7: "ER"}.get(kind, "other")
        begins, self.inside = not self.inside, not tpkt[6] & 0x80
        if not begins:
            return "more"
        try:
            return Heard(tpkt[7:]).name
        except IndexError:
            return "DT"


class Net(Tap):
    """Rules of before are kept when more are set; `seen` counts units over all connections: {(forth, name): times}."""

    def __init__(self, lab, target_port, listen_port, rules=""):
        self.rules, self.seen, self.down_until, self.acted = [], {}, 0.0, []
        self.connections = 0
        self.set(rules)
        super().__init__(lab, target_port, listen_port)

    def set(self, rules):
        self.rules = [Rule(line) for line in rules.splitlines() if line.strip()]

    def always(self, act):
        return next((r for r in self.rules if r.unit is None and r.act == act), None)

    def heal(self):
        """All rules are gone; what was blackholed is cut, so that both sides learn of it."""
        self.rules = []
        self.cut()

    def _accept(self):
        while True:
            try:
                client, where = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            if self.refusing or time.monotonic() < self.down_until or self.always("refuse"):
                client.close()
                continue
            if self.always("reset"):
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                client.close()
                continue
            crossing = Crossing(where[1])
            crossing.hole = self.always("blackhole") is not None
            crossing.sockets = [client]
            if not crossing.hole:
                try:
                    crossing.sockets.append(socket.create_connection(("127.0.0.1", self.target)))
                except OSError:
                    client.close()
                    continue
            for s in crossing.sockets:
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.change:
                self.crossings.append(crossing)
                self.change.notify_all()
            if crossing.hole:
                continue
            left = [2]
            server = crossing.sockets[1]
            for a, b, forth in ((client, server, True), (server, client, False)):
                threading.Thread(target=self._carry, args=(crossing, a, b, forth, left), daemon=True).start()

    def _carry(self, crossing, a, b, forth, left):
        units = Units()
        while True:
            try:
                octets = a.recv(65536)
            except OSError:
                octets = b""
            try:
                if not octets:
                    if crossing.hole:
                        break
                    if units.buffer:
                        self._send(b, units.buffer)
                    b.shutdown(socket.SHUT_WR)
                    break
                for name, tpkt in units.cut(octets):
                    self._pass(crossing, b, forth, name, tpkt)
            except OSError:
                break
        with self.change:
            left[0] -= 1
            if left[0] == 0 and not crossing.hole:
                crossing.ended = True
                for s in crossing.sockets:
                    s.close()
            self.change.notify_all()

    def _rule(self, forth, name):
        with self.change:
            key = (forth, name)
            self.seen[key] = self.seen.get(key, 0) + 1
            for r in self.rules:
                if r.unit == name and r.forth == forth and r.nth == self.seen[key] and not r.done:
                    r.done = True
                    self.acted.append(r.text.strip())
                    self.change.notify_all()
                    return r
        return None

    def _send(self, to, octets):
        slow, late = self.always("throttle"), self.always("delay")
        if late:
            time.sleep(late.arg / 1000)
        if not slow:
            to.sendall(octets)
            return
        for i in range(0, len(octets), max(1, slow.arg // 10)):
            to.sendall(octets[i:i + max(1, slow.arg // 10)])
            time.sleep(max(1, slow.arg // 10) / slow.arg)

    def _pass(self, crossing, to, forth, name, tpkt):
        if crossing.hole:
            return
        with self.change:
            crossing.flow.append((time.time(), forth, tpkt))
        r = self._rule(forth, name)
        if r is None:
            self._send(to, tpkt)
            return
        self._send(to, tpkt[:r.octet])
        if r.act in ("cut", "reset"):
            self.down_until = time.monotonic() + r.down_ms / 1000
            for s in crossing.sockets:
                with contextlib.suppress(OSError):
                    if r.act == "reset":
                        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    s.shutdown(socket.SHUT_RDWR)
            raise OSError("cut by a rule")
        if r.act == "blackhole":
            crossing.hole = True
        elif r.act == "delay":
            time.sleep(r.arg / 1000)
            self._send(to, tpkt[r.octet:])
        elif r.act == "throttle":
            self.rules.append(Rule("from the start: throttle %d octets/s" % r.arg))
            self._send(to, tpkt[r.octet:])
        elif r.act == "duplicate":
            self._send(to, tpkt[r.octet:] + tpkt)
        elif r.act in ("truncate", "drop"):
            pass
        else:
            raise ValueError("no such act: %s" % r.act)

    def wait_acted(self, text, patience=60):
        until = time.monotonic() + patience
        with self.change:
            while text not in self.acted:
                if time.monotonic() > until:
                    return False
                self.change.wait(0.5)
        return True
