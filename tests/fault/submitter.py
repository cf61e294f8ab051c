"""submitter.py - a fast submitter: speaks the channel protocol (src/sys/chan.h, src/proc/table/msgs.h) to the control socket.

What `posthorn send` says once is recorded on a socket of our own, and said again as often as wanted, each time with
another number in its subject. What became of each offer is kept: accepted (with its MTS-identifier), refused, or
unknown, when the conversation broke before the answer. Nothing is offered twice."""
import os
import re
import selectors
import socket
import struct
import subprocess
import time

HELLO = struct.pack(">IHHHI", 10, 0, 1, 6, 0)
OFFER, OFFER_BEGIN, OFFER_DATA, OFFER_END, OFFER_CREDIT, OFFER_ANSWER = 10, 11, 12, 13, 15, 16
MARK = "count-%07d"
MARKED = re.compile(rb"count-(\d{7})")


def frames_of(buffer):
    """Takes the whole frames off the front: [(type, payload)], rest"""
    out = []
    while len(buffer) >= 6:
        n, kind = struct.unpack_from(">IH", buffer)
        if len(buffer) < 4 + n:
            break
        out.append((kind, bytes(buffer[6:4 + n])))
        buffer = buffer[4 + n:]
    return out, buffer


def record(program, directory, *args):
    """The frames of one `posthorn send`, without the greeting."""
    os.makedirs(directory, exist_ok=True)
    path = os.path.join(directory, "control")
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(path)
        door.listen()
        door.settimeout(60)
        with subprocess.Popen([program, "send", "-d", directory, "--subject", MARK % 0, *args],
                              stderr=subprocess.DEVNULL) as sender:
            line, _ = door.accept()
            line.settimeout(60)
            buffer, frames = b"", []
            line.sendall(HELLO)
            while not frames or frames[-1][0] not in (OFFER, OFFER_END):
                got = line.recv(1 << 20)
                if not got:
                    raise AssertionError("posthorn send ended in the middle")
                more, buffer = frames_of(buffer + got)
                frames += [f for f in more if f[0] != 0]
            line.close()
            sender.wait()
    os.unlink(path)
    return frames


def numbered(frames, number):
    """The octets of one offer with this number."""
    out = []
    for kind, payload in frames:
        payload = struct.pack(">Q", number) + payload[8:].replace((MARK % 0).encode(), (MARK % number).encode())
        out.append(struct.pack(">IH", len(payload) + 2, kind) + payload)
    return b"".join(out)


class Submitter:
    """accepted: {number: MTS-identifier}; refused, unknown: sets of numbers. window: how many are offered and not answered."""

    def __init__(self, directory, templates, total, window=40, patience=120):
        self.path = os.path.join(directory, "control")
        self.templates, self.total, self.window, self.patience = templates, total, window, patience
        self.accepted, self.refused, self.unknown = {}, set(), set()
        self.last, self.open = 0, set()
        self.breaks = 0

    def run(self, progress=lambda n: None):
        """Until `total` offers are accepted."""
        until = time.monotonic() + self.patience
        while len(self.accepted) < self.total:
            if time.monotonic() > until:
                raise AssertionError("only %d of %d submissions accepted in time" % (len(self.accepted), self.total))
            try:
                with socket.socket(socket.AF_UNIX) as s:
                    s.connect(self.path)
                    self._talk(s, until, progress)
            except OSError:
                time.sleep(0.005)  # nobody listens yet: the site is down as a whole
            self.unknown |= self.open
            self.breaks += bool(self.open)
            self.open.clear()

    def _talk(self, s, until, progress):
        s.setblocking(False)
        wait = selectors.DefaultSelector()
        wait.register(s, selectors.EVENT_READ | selectors.EVENT_WRITE)
        out, buffer = bytearray(HELLO), b""
        while len(self.accepted) < self.total and time.monotonic() < until:
            while len(self.open) < self.window and len(self.open) + len(self.accepted) < self.total:
                self.last += 1
                self.open.add(self.last)
                out += numbered(self.templates[self.last % len(self.templates)], self.last)
            wait.modify(s, selectors.EVENT_READ | (selectors.EVENT_WRITE if out else 0))
            for _, events in wait.select(0.5):
                if events & selectors.EVENT_WRITE:
                    del out[:s.send(out[:1 << 18])]
                if events & selectors.EVENT_READ:
                    got = s.recv(1 << 18)
                    if not got:
                        return
                    more, buffer = frames_of(buffer + got)
                    for kind, payload in more:
                        if kind == OFFER_ANSWER:
                            self._answer(payload)
                    progress(len(self.accepted))

    def _answer(self, payload):
        number, accepted, _ = struct.unpack_from(">QBB", payload)
        n, = struct.unpack_from(">I", payload, 10)
        self.open.remove(number)
        if accepted:
            self.accepted[number] = payload[14:14 + n].decode()
        else:
            self.refused.add(number)
