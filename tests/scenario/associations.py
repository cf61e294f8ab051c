#!/usr/bin/env python3
"""Associations of a link: where it calls and from where, when, how many, with which passwords; whom it lets in."""
import os
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import peer as p  # noqa: E402
from posthorn import Skip, expect, free_port, main, same, wait_for  # noqa: E402


def k197378_k251318_several_addresses(lab):
    """Nobody is at the first address: the second is called within the same attempt, and first the next time."""
    london, paris = lab.pair()
    row = london.link(paris, free_port(), association_lifetime="300 ms")
    row["more-addresses"] = ["127.0.0.1:%d" % paris.port]
    paris.link(london)
    london.start(wait=False)
    paris.start()
    london.event("supervisor.up")
    for n in range(1, 4):
        mark = london.mark()
        london.send("alice", paris.claude, "--subject", "Number %d" % n, "hello")
        paris.wait_mail("claude", n)
        london.event("link.outbound", mark, link="paris", peer="127.0.0.1:%d" % paris.port)
        wait_for(lambda: london.status()[0]["paris"]["outbound"] == 0, "released after its lifetime")
    failed = [e for e in london.events if e["event"] == "link.open-failed"]
    same(len(failed), 1, "calls to the first address")
    same(london.status()[0]["paris"]["address"], "127.0.0.1:%d" % paris.port, "address in status")
    same(london.status()[0]["paris"]["open-failures"], 0, "failures counted")
    return "one call in vain, three messages"


def k162674_k197378_source_address_and_hosts(lab):
    """A link calls from the address it is told to; the peer takes callers of that network, and no others, by number."""
    try:
        socket.create_server(("127.0.0.77", 0)).close()
    except OSError as e:
        raise Skip("127.0.0.77 is none of this host's: %s" % e)
    london, paris = lab.pair()
    london.link(paris)["bind-address"] = "127.0.0.77:0"
    paris.link(london)["peer-hosts"] = ["192.0.2.1", "127.0.0.64/26"]
    london.start(wait=False)
    paris.start()
    london.event("supervisor.up")
    london.send("alice", paris.claude, "--subject", "From 77", "hello")
    paris.wait_mail("claude", 1)
    expect(paris.event("link.inbound", link="london")["fields"]["peer"].startswith("127.0.0.77:"), "where it called from", paris.events[-5:])
    stranger = p.Peer.dial(paris.port)  # from 127.0.0.1, with the right name and password
    answer = stranger.bind("london", "secret-london")
    expect(answer[0] == p.RF, "it is refused", answer.hex())
    event = paris.event("link.wrong-host", link="london")
    expect(event["fields"]["peer"].startswith("127.0.0.1:"), "the event says whence", event)
    return "taken from 127.0.0.77, refused from 127.0.0.1"


def k217131_a_closed_schedule(lab):
    """Normal mail waits for its time; urgent mail goes, and takes nothing with it."""
    london, paris = lab.pair()
    begin = time.gmtime(time.time() + 3 * 3600)
    row = london.link(paris, association_lifetime="300 ms")
    row["schedule"] = "selected-times"
    row["times"] = ["%02d:00-%02d:15" % (begin.tm_hour, begin.tm_hour)]
    paris.link(london)
    london.start(wait=False)
    paris.start()
    london.event("supervisor.up")
    for i in range(3):
        london.send("alice", paris.claude, "--subject", "Normal %d" % i, "hello")
    wait_for(lambda: london.status()[0]["paris"]["queued"] == 3, "they wait")
    status = london.status()[0]["paris"]
    same(status["state"], "closed", "state")
    expect(status["schedule"].startswith("urgent only until ") and status["schedule"].endswith("T%02d:00Z" % begin.tm_hour), "schedule in status", status)
    urgent = london.send("alice", paris.claude, "--subject", "Urgent", "--priority", "urgent", "hello")
    same([e["id"] for e in paris.wait_mail("claude", 1)], [urgent], "what has come")
    london.event("link.outbound", link="paris")
    wait_for(lambda: london.status()[0]["paris"]["outbound"] == 0, "released after its lifetime, though mail is queued")
    same(london.status()[0]["paris"]["queued"], 3, "what waits")
    same(len([e for e in london.events if e["event"] == "link.outbound"]), 1, "associations")
    return "the urgent one alone"


def op_12_a_password_changes(lab):
    """OP-12: first the one side knows both passwords, then the other uses the new one: nothing is refused in between."""
    london, paris = lab.pair()
    london.link(paris, association_lifetime="300 ms")
    paris.link(london)["remote-password-next"] = "the new one"
    london.start(wait=False)
    paris.start()
    london.event("supervisor.up")
    london.send("alice", paris.claude, "--subject", "With the old one", "hello")
    paris.wait_mail("claude", 1)
    same(london.stop(), 0, "exit status")
    london.settings["links"][0]["local-password"] = "the new one"
    london.events = []
    london.start()
    london.send("alice", paris.claude, "--subject", "With the new one", "hello")
    paris.wait_mail("claude", 2)
    same(paris.find("link.bad-credentials"), None, "refusals")
    return "both are taken"


def k225196_our_password_is_refused(lab):
    """An alarm of its own; the mail waits, and goes when the password is right."""
    london, paris = lab.pair()
    london.link(paris)["local-password"] = "expired"
    paris.link(london)
    london.start(wait=False)
    paris.start()
    london.event("supervisor.up")
    london.send("alice", paris.claude, "--subject", "Waits", "hello")
    event = london.event("link.credentials-refused", link="paris")
    same(event["severity"], "alarm", "severity")
    same(london.find("link.open-failed"), None, "the same told twice")
    wait_for(lambda: "authentication" in london.status()[0]["paris"]["last-error"], "last error in status")
    same(london.stop(), 0, "exit status")
    london.settings["links"][0]["local-password"] = "secret-london"
    london.start()
    paris.wait_mail("claude", 1)
    return "alarm, then delivered"


def rt_29_permanent(lab):
    """RT-29: without any mail one association is there, stays past its lifetime, and comes again when the peer has been away."""
    london, paris = lab.pair()
    london.link(paris, association_lifetime="200 ms")["permanent"] = True
    paris.link(london)
    london.start(wait=False)
    paris.start()
    london.event("link.outbound", link="paris")
    wait_for(lambda: london.status()[0]["paris"]["outbound"] == 1, "it is counted")
    time.sleep(1)  # five lifetimes
    same([e["event"] for e in london.events if e["event"] in ("link.released", "link.association-ended")], [], "ends")
    same(london.status()[0]["paris"]["outbound"], 1, "associations")
    mark = london.mark()
    same(paris.stop(), 0, "exit status")
    london.event("link.association-ended", mark, link="paris")
    paris.events = []
    paris.start()
    london.event("link.outbound", mark, link="paris")
    return "came again by itself"


def k152951_connections_that_do_not_bind(lab):
    """One address opens connections and says nothing: so many, and no more; a caller from elsewhere and those that are bound go on."""
    london = lab.mta("london")
    london.mailbox("alice", "Archer")
    london.settings["links"].append({"name": "paris", "remote-mta-name": "paris", "remote-password": "x", "local-password": "y"})
    london.settings["limits"] = {"associations-per-address": 20, "connect-timeout": "4 s"}
    london.start()
    bound = p.Peer.dial(london.port).bound("paris", "x")
    before = london.usage("link.0")[0]
    silent = [socket.create_connection(("127.0.0.1", london.port)) for _ in range(100)]
    london.event("link.crowd")
    wait_for(lambda: london.usage("link.0")[0] <= before + 20, "twenty of a hundred are kept")
    to = p.orname("GB", "POSTHORN", "LONDON", "Alice", "Archer")
    letter = p.mts_apdu("m.1", ("FR", "POSTHORN", "PARIS"), [to], p.ipm("One", "hello"))
    expect(p.is_accepted(bound.transfer(letter, 1)), "what is bound goes on")
    try:
        other = socket.create_connection(("127.0.0.1", london.port), source_address=("127.0.0.77", 0))
    except OSError:
        other = None  # not every system has it
    if other is not None:
        p.Peer(other).bound("paris", "x").release()
    wait_for(lambda: london.usage("link.0")[0] <= before, "they have had their time")
    p.Peer.dial(london.port).bound("paris", "x").release()
    same(len([e for e in london.events if e["event"] == "link.crowd"]), 1, "told once")
    for s in silent:
        s.close()
    bound.release()
    return "20 of 100 kept, then none"


main(k197378_k251318_several_addresses, k162674_k197378_source_address_and_hosts, k217131_a_closed_schedule, op_12_a_password_changes,
     k225196_our_password_is_refused, rt_29_permanent, k152951_connections_that_do_not_bind)
