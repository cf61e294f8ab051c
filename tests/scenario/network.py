#!/usr/bin/env python3
"""Two MTAs and a network between them that fails at a named unit and octet (faultnet.py): both sides get over it by themselves, each
message arrives, once, and at rest nothing is held."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from faultnet import Net  # noqa: E402
from posthorn import expect, free_port, is_sanitized, main, same, wait_for  # noqa: E402

LONG, SHORT = 5000, 100
INITIATOR = ("CR", "CN", "AS", "DT", "MIP", "AE", "FN")
RESPONDER = ("CC", "AC", "MIA", "AEA", "DN")
ACTS = ("cut", "reset", "truncate", "duplicate", "drop", "blackhole")


class Line:
    """london calls paris over a network; short timers, so that a silence is found soon."""

    def __init__(self, lab, limit="2 s", **link):
        self.london, self.paris = lab.pair()
        self.net = Net(lab, self.paris.port, free_port())
        more = {"open_interval": "200 ms", "transfer_interval": "200 ms", "max_transfer_retries": 1000, "max_open_retries": 100000,
                "checkpoint_size": 1, "window_size": 2, "association_lifetime": "50 ms", "disconnect": "500 ms"}
        more.update(link)
        self.london.link(self.paris, self.net.port, **more)
        self.paris.link(self.london)
        for m in (self.london, self.paris):
            m.settings["limits"] = {"connect-timeout": limit, "response-timeout": limit, "receive-timeout": limit, "abort-timeout": "200 ms"}
        self.paris.start(wait=False)
        self.london.start()
        self.paris.event("supervisor.up")
        self.path = lab.file("long", b"x" * LONG)
        self.sent = []

    def send_two(self):
        self.sent += [self.london.send("alice", self.paris.claude, "--subject", "long", "--file", self.path),
                      self.london.send("alice", self.paris.claude, "--subject", "short", "hello")]

    def all_there(self):
        entries = self.paris.wait_mail("claude", len(self.sent))
        same(sorted(e["id"] for e in entries), sorted(self.sent), "each once")
        self.london.wait_empty()

    def all_accounted(self):
        """What the line has falsified may not arrive: then it is reported, or its octets are kept; nothing comes twice."""
        def accounted():
            ids = [e["id"] for e in self.paris.mail("claude")]
            same(len(set(ids)), len(ids), "each at most once")
            return len(ids) + len(self.london.mail("alice")) + len(self.paris.quarantined()) >= len(self.sent)
        self.london.wait_empty()
        wait_for(accounted, "%d are delivered, reported, or octets in quarantine" % len(self.sent))

    def released(self):
        wait_for(lambda: self.london.status()[0]["paris"]["outbound"] == 0, "london has released its associations")

    def at_rest(self):
        self.released()
        wait_for(lambda: self.paris.status()[0]["london"]["inbound"] == 0, "paris: no association is left")


def fails_at(lab, act):
    """At each unit of either side, before it and in the middle of it."""
    line = Line(lab)
    units = [("initiator", u) for u in INITIATOR] + [("responder", u) for u in RESPONDER]
    if is_sanitized(lab.program):
        units = units[::4]
    done = 0
    for side, unit in units:
        for octet in (0, 5):
            line.released()  # so that this round has a connection of its own
            forth = side == "initiator"
            nth = line.net.seen.get((forth, unit), 0) + 1
            ordinal = "%d%s" % (nth, {1: "st", 2: "nd", 3: "rd"}.get(nth % 10 if nth // 10 % 10 != 1 else 0, "th"))
            rule = "at %s %s from %s, octet %d: %s" % (ordinal, unit, side, octet, act)
            line.net.set(rule)
            line.send_two()
            expect(line.net.wait_acted(rule), "the rule acts: %s" % rule)
            if act in ("truncate", "duplicate", "drop"):
                line.all_accounted()
            else:
                line.all_there()
            done += 1
    line.net.heal()  # a proxy holds what is blackholed open for ever; a real line is found dead by keepalive
    line.at_rest()
    return "%d places, %d messages" % (done, len(line.sent))


def k194031_q232602_line_is_cut_anywhere(lab):
    return fails_at(lab, "cut")


def k193760_line_is_reset_anywhere(lab):
    return fails_at(lab, "reset")


def k196852_a_unit_is_cut_short_anywhere(lab):
    return fails_at(lab, "truncate")


def a_unit_comes_twice_anywhere(lab):
    return fails_at(lab, "duplicate")


def a_unit_is_lost_anywhere(lab):
    return fails_at(lab, "drop")


def k232602_nothing_comes_any_more_anywhere(lab):
    return fails_at(lab, "blackhole")


def k189494_q169691_one_octet_a_second(lab):
    """A line so slow that nothing gets through in its time: the attempts end by their timers; healed, all arrives."""
    line = Line(lab)
    line.net.set("from the start: throttle 1 octets/s")
    line.send_two()
    line.london.event("link.open-failed", link="paris")
    line.net.heal()
    line.all_there()
    line.at_rest()
    return "given up by the timer, then delivered"


def k188040_slow_and_late(lab):
    """50 ms late each time: slow, but it works: no attempt is given up."""
    line = Line(lab, limit="20 s") # which no machine is late by
    line.net.set("from the start: delay 50 ms")
    line.send_two()
    line.all_there()
    same(line.london.find("link.open-failed"), None, "attempts given up")
    line.at_rest()
    return "%d connections" % line.net.connections


main(k194031_q232602_line_is_cut_anywhere, k193760_line_is_reset_anywhere, k196852_a_unit_is_cut_short_anywhere, a_unit_comes_twice_anywhere,
     a_unit_is_lost_anywhere, k232602_nothing_comes_any_more_anywhere, k189494_q169691_one_octet_a_second, k188040_slow_and_late)
