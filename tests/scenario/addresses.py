#!/usr/bin/env python3
"""Addresses between MTAs of different age: what one of 1984 cannot say goes there in another form and comes back as it was."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from posthorn import expect, free_port, main, same  # noqa: E402
from tap import Tap  # noqa: E402


def k170054_k174039_k263563_common_names_over_a_link_of_1984(lab):
    """Originator and recipients have common names only. On the wire they are domain-defined attributes (RFC 1328 3.2), and stay so in the
    heading; the envelope at the other end, the report that comes back, and what answers the heading's names have those that the
    originator used."""
    london, paris = lab.mta("london", "GB"), lab.mta("paris", "FR")
    alice, claude = "CN=Alice Archer; P=LONDON; A=POSTHORN; C=GB", "CN=Claude Colin; P=PARIS; A=POSTHORN; C=FR"
    nobody = "CN=No Body; P=PARIS; A=POSTHORN; C=FR"
    london.settings["mailboxes"].append({"name": "alice", "addresses": [alice]})
    paris.settings["mailboxes"].append({"name": "claude", "addresses": [claude]})
    there, back = Tap(lab, paris.port, free_port()), Tap(lab, london.port, free_port())
    london.link(paris, port=there.port, conformance="1984", downgrade_content="1984")
    paris.link(london, port=back.port, conformance="1984")
    london.start(wait=False)
    paris.start()
    london.event("supervisor.up")
    sent = london.send("alice", [claude, nobody], "--subject", "Names", "--report", "delivery", "hello")
    entry = paris.wait_mail("claude", 1)[0]
    fields = [(f["label"], f["value"]) for f in paris.show("claude", entry["delivery"])["fields"]]
    writer = [v for label, v in fields if label == "from"][0]
    same(writer, "DDA:Common=Alice Archer; P=LONDON; A=POSTHORN; C=GB", "who has written, in the heading")
    same((entry["originator"], entry["recipient"]), (alice, claude), "the envelope at the other end")
    seen = {}
    for row in london.wait_mail("alice", 1):
        for f in london.show("alice", row["delivery"])["fields"]:
            seen.setdefault(f["label"], []).append(f["value"])
    same((seen["subject-message"], seen["delivered"], [v.split(":")[0] for v in seen["not-delivered"]], seen["to"]), ([sent], [claude], [nobody], [alice]),
         "the report")
    paris.send("claude", writer, "an answer")
    same(london.wait_mail("alice", 2)[-1]["originator"], claude, "who has answered")
    # The answer's heading is not downgraded: its link does not ask for it.
    names = b"Alice Archer", b"Claude Colin", b"No Body"
    for tap in (there, back):
        octets = b"".join(o for c in tap.crossings for _, forth, o in c.flow if forth)
        for name in names:
            value = b"\x13" + bytes([len(name)]) + name
            expect(b"\x13\x06Common" + value in octets, "%s is a domain-defined attribute" % name, octets.hex())
            expect(tap is back or b"\xa1" + bytes([len(value)]) + value not in octets, "%s is no attribute of 1988" % name, octets.hex())
    return "there and back"


main(k170054_k174039_k263563_common_names_over_a_link_of_1984)
