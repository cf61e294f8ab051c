#!/usr/bin/env python3
"""Messages that kill or hang whatever handles them on their way out, against running MTAs: a bounded number of deaths, then quarantine
with a report, while the other mail goes on. What the switch dies of is no exception."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from posthorn import expect, main, same, wait_for  # noqa: E402

STRIKES = 3


def armed(lab, plan, **link):
    """Two MTAs; london's processes suffer, in every life, from what the plan names."""
    london, paris = lab.pair()
    london.link(paris, **link)
    paris.link(london)
    paris.start()
    os.environ["POSTHORN_FAULT_ALWAYS"] = plan
    try:
        london.start()
    finally:
        del os.environ["POSTHORN_FAULT_ALWAYS"]
    return london, paris


def deaths(m, n):
    """Of the first n, once they are told, and of any more."""
    wait_for(lambda: len([e for e in m.events if e["event"] == "process.fault"]) >= n, "%d deaths" % n)
    return [e["fields"]["name"] for e in m.events if e["event"] == "process.fault"]


def in_quarantine(m):
    return m.rows("quarantine", "list")


def good_ones_arrive(london, paris, n):
    for i in range(n):
        london.send(london.alice, paris.claude, "--subject", "Good %d" % i, "good text")


def ends_in_quarantine(london, paris, bad, n):
    """The bad one is reported, the n good ones are delivered."""
    london.event("message.quarantined")
    london.wait_step(bad, "quarantined")
    report = london.wait_mail("alice", 1)
    same(report[0]["kind"], "report", "what the originator gets")
    paris.wait_mail("claude", n)
    same(len(in_quarantine(london)), 1, "what is in quarantine")
    london.wait_empty()


def k151669_a_message_that_kills_whoever_encodes_it(lab):
    london, paris = armed(lab, "LINK_ENCODE:@poison-one:abort")
    bad = london.send(london.alice, paris.address("poison-one", "Nobody"), "--subject", "Bad", "text")
    good_ones_arrive(london, paris, 5)
    ends_in_quarantine(london, paris, bad, 5)
    same(deaths(london, STRIKES), ["link.0", "alone.0", "alone.0"], "three strikes")
    return "link, alone, alone"


def k151669_a_content_that_kills_its_conversion(lab):
    london, paris = armed(lab, "CONTENT_CONVERT:@poison:abort", wrap=72)
    bad = london.send(london.alice, paris.claude, "--subject", "Bad", "poison")
    good_ones_arrive(london, paris, 5)
    ends_in_quarantine(london, paris, bad, 5)
    same([name.split(".")[0] for name in deaths(london, STRIKES)], ["content"] * STRIKES, "three strikes")
    return "three content processes"


def k151669_a_message_that_kills_the_switch_on_its_way_in(lab):
    """Nobody could be told of it: the one who submits it is refused for good after the last strike. Others get through between."""
    london, paris = armed(lab, "SWITCH_PLACE:@poison-two:abort")
    london.send(london.alice, paris.claude, "--subject", "Good", "good text")
    statuses = []

    def refused():
        lab.command("send", "-c", london.path, "--from", london.alice, "--to", paris.address("poison-two", "Nobody"), "text", status=None)
        statuses.append(lab.last_status)
        return "is not taken" in lab.last_error
    wait_for(refused, "it is refused")
    same(deaths(london, STRIKES), ["switch.0"] * STRIKES, "three strikes")
    expect(0 not in statuses, "never accepted", statuses)
    london.send(london.alice, paris.claude, "--subject", "Good", "good text")
    paris.wait_mail("claude", 2)
    return "three switches, then refused"


if __name__ == "__main__":
    main(k151669_a_message_that_kills_whoever_encodes_it, k151669_a_content_that_kills_its_conversion,
         k151669_a_message_that_kills_the_switch_on_its_way_in)
