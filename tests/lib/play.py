"""play.py - scenario files: an MTA under test and a peer that a script plays, with the encoders of peer.py, which know nothing of
the code under test. One file, one story (tests/plays/*.play); tests/scenario/plays.py runs them all.

    title: what is shown                        (the test's id is the file's name)
    link checkpoint-size 1                      a setting of the MTA's link to the peer `paris`
    limits response-timeout 5 s                 a setting of its limits
    two-way link                                the peer listens too, and the MTA calls it
    message m1 of 5000 octets                   from the peer to alice; `message m1 again` has the same MTS-identifier
    mta sends m2 of 300 octets                  from alice to claude at the peer
    peer calls | peer answers                   a new connection; what follows is said on it
      > AS 1                                    the peer says that
      < MIA 1                                   the MTA must say that, next; `< MIA 1 | MIA 2`: one of them
    peer is away | peer is back                 what calls it is refused / served
    peer has m2                                 what was taken is m2, whole: the peer has confirmed it
    peer keeps 2 | peer forgets                 of what was taken, that before checkpoint 2 / nothing
    alice has m1 once                           in the end: exactly one copy; `alice has m1` waits for the first
    claude has m2 once                          the peer has been given responsibility for it exactly once
    event link.recovered                        the MTA has said that, since the last `peer` line
    nothing waits                               its queue is empty

What the peer can say (`>`): CR, CC, CN, AC, RF, AS, AR, DT, MIP, MIA, AE, AEA, AI, AIA, AD, ADA, ED, PT, GT, GTC, GTA, FN, DN, AB, hex, cut, reset.
What it can hear (`<`): the same names, `closed`, and `...`, which skips all that comes before the next `<`."""
import os
import re
import socket
import struct

import peer as p
from posthorn import PATIENCE_S, Failed, expect, wait_for

CODES = {"CN": 13, "AC": 14, "RF": 12, "FN": 9, "DN": 10, "AB": 25, "AA": 26, "PR": 7, "GT": 1, "PT": 2, "GTC": 21, "GTA": 22, "DT": 1,
         "AS": 45, "AR": 29, "AE": 41, "AEA": 42, "MIP": 49, "MIA": 50, "AI": 25, "AIA": 26, "AD": 57, "ADA": 58, "ED": 48, "ER": 0}
AFTER_GIVE = {1: "DT", 45: "AS", 29: "AR", 41: "AE", 49: "MIP", 25: "AI", 57: "AD"}
AFTER_PLEASE = {42: "AEA", 50: "MIA", 26: "AIA", 58: "ADA", 48: "ED", 0: "ER", 29: "AR", 22: "GTA", 21: "GTC"}
ALONE = {13: "CN", 14: "AC", 12: "RF", 9: "FN", 10: "DN", 25: "AB", 26: "AA", 1: "GT", 2: "PT", 7: "PR", 21: "GTC", 22: "GTA"}
PEER_NAME, PEER_PASSWORD, MTA_PASSWORD = "paris", "secret-paris", "secret-london"


# --- session, taken apart ---

def parameters(octets):
    """{code: value} of one SPDU; groups are flattened."""
    found, at = {}, 0
    while at + 2 <= len(octets):
        code, n, at = octets[at], octets[at + 1], at + 2
        if n == 255:
            n, at = struct.unpack("!H", octets[at:at + 2])[0], at + 2
        value = octets[at:at + n]
        at += n
        if code in (1, 5, 33):
            found.update(parameters(value))
        else:
            found[code] = value
    return found


def spdu_at(octets):
    """(code, parameter octets, what follows it)"""
    n, at = octets[1], 2
    if n == 255:
        n, at = struct.unpack("!H", octets[2:4])[0], 4
    return octets[0], octets[at:at + n], octets[at + n:]


class Heard:
    """One TSDU of the MTA: its name, the parameters and user data of what counts in it."""

    def __init__(self, tsdu):
        self.octets, self.rest = tsdu, b""
        code, inner, rest = spdu_at(tsdu)
        if code in (1, 2) and rest:
            second, more, self.rest = spdu_at(rest)
            names = AFTER_GIVE if code == 1 else AFTER_PLEASE
            self.name = names.get(second) or {**AFTER_GIVE, **AFTER_PLEASE}.get(second, "code %d" % second)
            self.parameters = parameters(more)
        else:
            self.name = ALONE.get(code, "code %d" % code)
            self.parameters = parameters(inner)
            if code in (13, 14, 12):
                self.rest = self.parameters.get(193) or self.parameters.get(194) or b""

    def serial(self):
        return self.parameters.get(42, b"").decode("ascii")

    def activity(self):
        return int.from_bytes(self.parameters.get(41, b"\0\0\0")[2:], "big")

    def __str__(self):
        return " ".join(x for x in (self.name, self.serial() or (str(self.activity()) if 41 in self.parameters else "")) if x)


def tlv_at(octets, at=0):
    """(tag, content, where it ends) of BER with definite or indefinite length."""
    start, tag = at, octets[at]
    at += 1
    if tag & 31 == 31:
        while octets[at] & 128:
            at += 1
        at += 1
    n, at = octets[at], at + 1
    if n == 128:
        begin = at
        while octets[at:at + 2] != b"\0\0":
            at = tlv_at(octets, at)[2]
        return tag, octets[begin:at], at + 2
    if n & 128:
        size = n & 127
        n, at = int.from_bytes(octets[at:at + size], "big"), at + size
    expect(at + n <= len(octets), "a TLV is whole", octets[start:start + 40].hex())
    return tag, octets[at:at + n], at + n


def joined(tag, content):
    """The octets of an OCTET STRING, in one piece or several."""
    if not tag & 0x20:
        return content
    out, at = b"", 0
    while at < len(content):
        inner, piece, at = tlv_at(content, at)
        out += joined(inner, piece)
    return out


def rttr_octets(user_data):
    """What an RTTR in P-DATA of the transfer context carries."""
    _, pdv_list, _ = tlv_at(user_data)
    _, pdv, _ = tlv_at(pdv_list)
    at = tlv_at(pdv)[2]
    _, value, _ = tlv_at(pdv, at)
    tag, content, _ = tlv_at(value)
    return joined(tag, content)


# --- what the peer says ---

def serial(n):
    return p.param(42, b"%d" % int(n))


def words(text):
    """`1 of 7 window=3` -> (["1", "of", "7"], {"window": "3"})"""
    plain = [w for w in text.split() if "=" not in w]
    return plain, dict(w.split("=", 1) for w in text.split() if "=" in w)


class Say:
    """Each gives the TSDU."""

    def __init__(self, play):
        self.play = play

    def reference(self, number):
        return p.param(10, p.tlv(0x04, b"paris-%d" % number)) + p.param(11, p.tlv(0x17, b"260101%06dZ" % number))

    def cn(self, plain, named):
        play = self.play
        checkpoint, window = int(named.get("checkpoint", 1)), int(named.get("window", 3))
        twa = p.tlv(0x82, b"\1") if "twa" in plain else b""
        if "recover" in plain:
            old = int(named["of"])
            what = p.tlv(0xA1, p.tlv(0x04, b"paris-%d" % old), p.tlv(0x17, b"260101%06dZ" % old))
            data = p.tlv(0xA3, what)
        else:
            data = p.tlv(0xA3, p.tlv(0xA0, p.tlv(0xB0, p.credentials(named.get("name", PEER_NAME), named.get("password", PEER_PASSWORD)))))
        rtorq = p.tlv(0xB0, p.tlv(0x80, checkpoint.to_bytes(2, "big").lstrip(b"\0") or b"\0"), p.tlv(0x81, bytes([window])), twa, data)
        user = p.cp_ppdu(rtorq)
        return p.spdu(p.CN, p.param(1, self.reference(play.connection)),
                      p.param(5, p.param(19, b"\0") + p.param(22, b"\2") + p.param(26, b"\0")), p.param(20, b"\x02\x49"),
                      p.param(194 if len(user) > 512 else 193, user))

    def ac(self, plain, named):
        checkpoint, window = int(named.get("checkpoint", 1)), int(named.get("window", 3))
        if "recover" in plain:
            data = p.tlv(0xA2, p.tlv(0xA1, self.play.their_reference))
        else:
            data = p.tlv(0xA2, p.tlv(0xA0, p.tlv(0xB1, p.credentials(named.get("name", PEER_NAME), named.get("password", PEER_PASSWORD)))))
        rtoac = p.tlv(0xB1, p.tlv(0x80, checkpoint.to_bytes(2, "big").lstrip(b"\0") or b"\0"), p.tlv(0x81, bytes([window])), data)
        return p.accept_spdu(p.cpa_ppdu(rtoac))

    def rf(self, plain, named):
        error = {"busy": 0, "authentication": 2, "dialogue": 3}[plain[0] if plain else "busy"]
        rtorj = p.tlv(0xB2, p.tlv(0xA1, p.tlv(0xB2, p.integer(error))))
        aare = p.tlv(0x61, p.tlv(0xA1, p.oid(2, 6, 0, 1, 6)), p.tlv(0xA2, p.integer(1)), p.tlv(0xA3, p.tlv(0xA1, p.integer(1))),
                     p.tlv(0xBE, p.external(3, rtorj)))
        accepted = p.tlv(0x30, p.tlv(0x80, b"\0"), p.tlv(0x81, b"\x51\x01"))
        data = p.tlv(0x61, p.tlv(0x30, p.integer(1), p.tlv(0xA0, aare)))
        cpr = p.tlv(0x30, p.tlv(0xA5, accepted, accepted, accepted), data)
        return p.spdu(p.RF, p.param(17, b"\1"), p.param(50, b"\2" + cpr))

    def as_(self, plain, named):
        return p.GIVE + p.spdu(45, p.param(41, p.integer(int(plain[0]))))

    def ar(self, plain, named):
        """AR activity after=SERIAL [of=CONNECTION]"""
        old = p.param(10, p.tlv(0x04, b"paris-%d" % int(named["of"]))) + p.param(11, p.tlv(0x17, b"260101%06dZ" % int(named["of"]))) \
            if "of" in named else b""
        link = old + p.param(41, p.integer(int(plain[0]))) + serial(named["after"])
        return p.GIVE + p.spdu(29, p.param(33, link), p.param(41, p.integer(int(named.get("now", plain[0])))))

    def dt(self, plain, named):
        """DT MESSAGE [FROM..TO] of the RTTR octets"""
        octets = self.play.apdus[plain[0]]
        if len(plain) > 1:
            begin, _, end = plain[1].partition("..")
            octets = octets[int(begin):int(end) if end else None]
        return p.data_tsdu(octets)

    def give(self, code, *params):
        return p.GIVE + p.spdu(code, *params)

    def please(self, code, *params):
        return p.PLEASE + p.spdu(code, *params)

    def tsdu(self, verb, plain, named):
        reason = p.param(50, bytes([int(plain[0])])) if plain and plain[0].isdigit() else b""
        if verb in ("CN", "AC", "RF", "AR", "DT"):
            return getattr(self, verb.lower())(plain, named)
        if verb == "AS":
            return self.as_(plain, named)
        if verb in ("MIP", "AE"):
            return self.give(CODES[verb], serial(plain[0] if plain else 1))
        if verb in ("MIA", "AEA"):
            return self.please(CODES[verb], serial(plain[0] if plain else 1))
        if verb in ("AI", "AD"):
            return self.give(CODES[verb], reason)
        if verb in ("AIA", "ADA", "GTA"):
            return self.please(CODES[verb]) if verb != "GTA" else p.spdu(22)
        if verb == "GTC":
            return p.spdu(21)
        if verb == "ED":
            return self.please(48, reason)
        if verb == "PT":
            return p.spdu(2, p.param(16, b"\x15")) if not plain else p.spdu(2)
        if verb == "GT":
            return p.spdu(1, p.param(16, b"\x15"))
        if verb == "FN":
            return p.finish_tsdu()
        if verb == "DN":
            rlre = p.tlv(0x63, p.tlv(0x80, b"\0"))
            return p.spdu(p.DN, p.param(193, p.tlv(0x61, p.tlv(0x30, p.integer(1), p.tlv(0xA0, rlre)))))
        if verb == "AB":
            return p.spdu(25, p.param(17, b"\x0b"))
        if verb == "hex":
            return bytes.fromhex("".join(plain))
        raise Failed("`> %s` is nothing a peer can say" % verb)


# --- the play ---

class Play:
    def __init__(self, lab, text, name):
        self.lab, self.name, self.title = lab, name, name
        self.lines = [(i + 1, line.rstrip()) for i, line in enumerate(text.splitlines()) if line.strip() and not line.lstrip().startswith("#")]
        self.apdus, self.ids, self.given = {}, {}, {}
        self.connection, self.line = 0, None
        self.before, self.synced = b"", {}   # what the connection before has brought; how much of it at each checkpoint
        self.listener, self.away, self.taken = None, False, b""
        self.their_reference = b""
        self.mark, self.started, self.skipping = 0, False, False
        self.m = lab.mta("london")
        self.m.mailbox("alice", "Archer")
        self.row = {"name": PEER_NAME, "remote-mta-name": PEER_NAME, "remote-password": PEER_PASSWORD, "local-password": MTA_PASSWORD,
                    "open-interval": "300 ms", "transfer-interval": "300 ms", "max-transfer-retries": 1000, "max-open-retries": 100000}
        self.m.settings["links"].append(self.row)
        self.m.settings["routes"].append({"match": "C=FR; A=*", "to": PEER_NAME})
        self.say = Say(self)

    def run(self):
        for number, line in self.lines:
            try:
                self.do(line.strip())
            except (Failed, p.Ended, OSError, KeyError, IndexError, ValueError) as e:
                why = "the connection has ended" if isinstance(e, p.Ended) else "%s%s" % ("" if isinstance(e, Failed) else type(e).__name__ + ": ", e)
                raise Failed("%s:%d: `%s`: %s" % (self.name, number, line.strip(), why)) from e
        if self.line is not None:
            self.line.close()
        return self.title

    def do(self, line):
        for pattern, act in VERBS:
            m = re.fullmatch(pattern, line)
            if m:
                return act(self, *m.groups())
        raise Failed("not a line of a play")

    # --- before it begins ---

    def set_title(self, text):
        self.title = text

    def set_link(self, key, value):
        expect(not self.started, "settings come before the first peer line")
        self.row[key] = int(value) if value.isdigit() and key != "conformance" else value == "true" if value in ("true", "false") else value

    def set_limit(self, key, value):
        self.m.settings.setdefault("limits", {})[key] = int(value) if value.isdigit() else value

    def two_way(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=16)
        self.listener.settimeout(PATIENCE_S)
        self.port = self.listener.getsockname()[1]
        self.row["address"] = "127.0.0.1:%d" % self.port
        self.lab.closers.append(lambda: self.listener.close())

    def make(self, name, size, again):
        local = "play.%s" % (again or name)
        content = p.ipm(again or name, "x" * int(size or 20))
        to = p.orname("GB", "POSTHORN", "LONDON", "Alice", "Archer")
        self.apdus[name] = p.rt_value(p.mts_apdu(local, ("FR", "POSTHORN", "PARIS"), [to], content))
        self.ids[name] = "C=FR;A=POSTHORN;P=PARIS;L=" + local

    def begin(self):
        if not self.started:
            self.started = True
            self.m.start()
        self.mark = self.m.mark()

    def mta_sends(self, name, size):
        if not self.started:
            self.begin()
        to = "G=Claude; S=Colin; O=Office; P=PARIS; A=POSTHORN; C=FR"
        self.ids[name] = self.m.send("alice", to, "--subject", name, "--file", self.lab.file(name, b"x" * int(size)))

    # --- connections ---

    def close_line(self):
        if self.line is not None:
            self.line.close()
        self.connection += 1
        self.before, self.taken, self.skipping = self.taken, b"", False

    def calls(self):
        self.begin()
        self.close_line()
        self.line = p.Peer.dial(self.m.port)

    def answers(self):
        self.begin()
        self.close_line()
        sock, _ = self.listener.accept()
        self.line = p.Peer(sock)

    def goes(self):
        """The port is taken over by nobody: connections are refused."""
        self.listener.close()

    def comes_back(self):
        self.listener = socket.create_server(("127.0.0.1", self.port), backlog=16)
        self.listener.settimeout(PATIENCE_S)

    def speak(self, verb, rest):
        plain, named = words(rest or "")
        if verb == "CR":
            called = named.get("called", "").encode()
            return self.line.tpkt(bytes([6 + (len(called) + 2 if called else 0)]) + b"\xe0\0\0\0\1\0" + (
                b"\xc2" + bytes([len(called)]) + called if called else b""))
        if verb == "CC":
            return self.line.tpkt(b"\x06\xd0" + self.reference + b"\0\2\0")
        if verb in ("cut", "reset"):
            if verb == "reset":
                self.line.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return self.line.close()
        return self.line.tsdu(self.say.tsdu(verb, plain, named))

    def next(self):
        while True:
            tpdu = self.line.next_tpdu()
            kind = tpdu[1] >> 4
            if kind == 0xE:
                self.reference = tpdu[4:6]
                return "CR", None
            if kind == 0xD:
                return "CC", None
            if kind != 0xF:
                return {8: "DR", 7: "ER"}.get(kind, "TPDU %x" % kind), None
            octets = tpdu[3:]
            while not tpdu[2] & 0x80:
                tpdu = self.line.next_tpdu()
                octets += tpdu[3:]
            heard = Heard(octets)
            if heard.name == "CN":
                found = parameters(spdu_at(octets)[1])
                self.their_reference = found.get(10, b"") + found.get(11, b"") + found.get(12, b"")
            return heard.name, heard

    def hear(self, wanted):
        if wanted == "...":
            self.skipping = True
            return
        if wanted == "closed":
            self.line.wait_closed()
            return
        while True:
            name, heard = self.next()
            if name == "DT" and heard is not None:
                self.taken += rttr_octets(heard.rest)
            if name == "MIP":
                self.synced[int(heard.serial())] = len(self.taken)
            if any(self.fits(one.strip(), name, heard) for one in wanted.split("|")):
                break
            if not self.skipping:
                raise Failed("the MTA said %s%s" % (heard or name, "" if heard is None else ", " + heard.octets[:60].hex()))
        self.skipping = False

    def fits(self, wanted, name, heard):
        verb, _, rest = wanted.partition(" ")
        if verb != name:
            return False
        plain, named = words(rest)
        if heard is None:
            return True
        if verb in ("MIP", "MIA", "AE", "AEA") and plain and heard.serial() != plain[0]:
            return False
        if verb in ("AS", "AR") and plain and heard.activity() != int(plain[0]):
            return False
        if "after" in named and heard.serial() != named["after"]:
            return False
        if verb in ("CN", "AC", "RF"):
            recovers = re.search(rb"\xa3[\x00-\x7f]\xa1[\x00-\x7f][\x04\x14]", heard.octets, re.DOTALL) is not None
            return all(bytes.fromhex(x) in heard.octets for x in named.get("with", "").split(",") if x) and (
                name != "CN" or recovers == ("recover" in plain))
        return True

    def responsible(self, name):
        """The peer has confirmed the transfer of that: what it took must be that message, whole."""
        expect(name.encode() in self.taken, "the octets that came are of %s" % name, len(self.taken))
        _, _, end = tlv_at(self.taken)
        expect(end == len(self.taken), "the octets are one value, whole: %d of %d" % (end, len(self.taken)))
        self.given[name] = self.given.get(name, 0) + 1
        self.taken = b""

    def forgets(self):
        self.taken = b""

    def keeps(self, serial_number):
        """What came before that checkpoint, on this connection or the one before, is there: a resumed transfer goes on behind it."""
        self.taken = (self.taken or self.before)[:self.synced[int(serial_number)]]

    # --- what must be true ---

    def alice_has(self, name, once):
        def copies():
            return [e for e in self.m.mail("alice") if e["id"] == self.ids[name]]
        wait_for(copies, "%s in alice's mailbox" % name)
        if once:
            expect(len(copies()) == 1, "one copy of %s" % name, copies())

    def claude_has(self, name, once):
        expect(self.given.get(name, 0) >= 1, "%s was given to the peer" % name)
        expect(not once or self.given[name] == 1, "once", self.given)

    def event(self, name, text):
        found = self.m.event(name, after=self.mark)
        expect(text is None or text in str(found.get("fields")), "the event says \"%s\"" % text, found)

    def nothing_waits(self):
        self.m.wait_empty()


VERBS = (
    (r"title: (.+)", Play.set_title),
    (r"link ([a-z0-9-]+) (.+)", Play.set_link),
    (r"limits ([a-z-]+) (.+)", Play.set_limit),
    (r"two-way link", Play.two_way),
    (r"message (\w+)(?: of (\d+) octets)?(?: as (\w+) again)?", Play.make),
    (r"mta sends (\w+) of (\d+) octets", Play.mta_sends),
    (r"peer calls", Play.calls),
    (r"peer answers", Play.answers),
    (r"peer is away", Play.goes),
    (r"peer is back", Play.comes_back),
    (r"peer has (\w+)", Play.responsible),
    (r"peer forgets", Play.forgets),
    (r"peer keeps (\d+)", Play.keeps),
    (r"> (\w+)(?: (.*))?", Play.speak),
    (r"< (.+)", Play.hear),
    (r"alice has (\w+)( once)?", Play.alice_has),
    (r"claude has (\w+)( once)?", Play.claude_has),
    (r"event ([a-z.-]+)(?: \"(.*)\")?", Play.event),
    (r"nothing waits", Play.nothing_waits),
)


def play_test(path):
    """A function for posthorn.main, named after the file."""
    def test(lab):
        with open(path, encoding="utf-8") as f:
            return Play(lab, f.read(), os.path.basename(path)).run()
    test.__name__ = os.path.basename(path)[:-len(".play")].replace("-", "_")
    return test

