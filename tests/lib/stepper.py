#!/usr/bin/env python3
"""stepper.py ACTION N SEED MARK CONNECTOR-ARGUMENT... - the connector of examples/, that does something wrong at its N-th step. A
step is before and after each frame that it sends or handles; after one that is sent, it has left. N may be a frame's name: then it is at the first
step with that. MARK is a file that says that it was done, with the step's name.

    kill      SIGKILL to itself
    hang      does nothing any more
    nonsense  a frame that makes no sense, by SEED: then it goes on as if nothing had happened
    poison    N is not looked at: kills itself whenever it is handed a message of priority SEED"""
import os
import random
import select
import signal
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples"))
import connector  # noqa: E402
import posthorn_wire as wire  # noqa: E402

ACTION, AT, SEED, MARK = sys.argv[1:5]
NOBODYS = 987654321


def nonsense(r):
    """Each kind of it, by a random generator: octets, a type nobody knows, a length nobody has, a message cut or garbled. None is about anything that
    is in hand: an OFFER of its own number that is not one is refused, as it should be, and a program that has offered something by this number takes
    that for its answer."""
    name = r.choice(sorted(wire.MESSAGES))
    good = wire.frame(name, {"offer": NOBODYS, "id": NOBODYS, "link": b"folder"})
    return r.choice([
        bytes([255]) + r.randbytes(40),
        struct.pack("!IH", 12, r.randrange(63, 65536)) + bytes(10),
        struct.pack("!IH", 0xFFFFFFFF, 10),
        struct.pack("!IH", 0, 0),
        struct.pack("!I", len(good) - 5) + good[4:-1],
        struct.pack("!I", len(good)) + good[4:] + b"\0\0\0\0",
        struct.pack("!IH", 82, wire.MESSAGES[name][0]) + b"\xff" + r.randbytes(79),
    ])


class Stepper(connector.Session):
    steps, done = 0, False

    def step(self, name, *detail):
        Stepper.steps += 1
        if Stepper.done or AT not in (str(Stepper.steps), *detail) or ACTION == "poison":
            return
        Stepper.done = True
        with open(MARK, "w", encoding="ascii") as f:
            f.write("%s: %s %s" % (AT, name, " ".join(detail)))
        if ACTION == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        while ACTION == "hang":
            time.sleep(1000)
        r = random.Random("%s %s" % (SEED, AT))
        self.streams[r.randrange(2)].unsent.extend(nonsense(r))

    def send(self, name, stream=None, **fields):
        self.step("before sending", name)
        super().send(name, stream, **fields)
        for s in self.streams:
            while s.unsent and ACTION != "nonsense":
                select.select([], [s.socket], [], 10)
                s.write()
        self.step("after sending", name)

    def handle(self, name, fields):
        self.step("before handling", name)
        if ACTION == "poison" and name == "TRANSFER" and wire.unpack(fields["packed"])["priority"] == int(SEED):
            os.kill(os.getpid(), signal.SIGKILL)
        super().handle(name, fields)
        self.step("after handling", name)


connector.main(sys.argv[5:], Stepper)
