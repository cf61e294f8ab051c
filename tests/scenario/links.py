#!/usr/bin/env python3
"""A failure is charged to the smallest thing: the classic faults of MTAs (Microsoft Knowledge Base articles), as scenarios."""
import os
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import peer as p  # noqa: E402
from posthorn import PATIENCE_S, Skip, expect, free_port, main, same, wait_for  # noqa: E402
from tap import Tap  # noqa: E402

NEIGHBOURS = 9


def k151791_one_bad_address(lab):
    """One bad address of many: the others get the message, one non-delivery report, the association goes on."""
    london, paris = lab.pair()
    users = [paris.mailbox("user%d" % i, "Many") for i in range(10)]
    london.link(paris)
    paris.link(london)
    london.start()
    paris.start()
    to = users[:5] + [paris.address("No", "Body")] + users[5:]
    bad = london.send("alice", to, "--subject", "To eleven", "hello")
    good = london.send("alice", users[0], "--subject", "After it", "hello")
    for i in range(10):
        paris.wait_mail("user%d" % i, 2 if i == 0 else 1)
    reports = london.wait_mail("alice", 1)
    shown = london.show("alice", reports[0]["delivery"])
    failed = [f["value"] for f in shown["fields"] if f["label"] == "not-delivered"]
    expect(len(failed) == 1 and "Body" in failed[0], "the report is about the one recipient", failed)
    same(paris.steps(bad).count("delivered"), 10, "deliveries in the trace")
    same(paris.steps(good).count("delivered"), 1, "deliveries of the one after it")
    same([e for m in (london, paris) for e in m.events if e["event"] == "link.association-ended"], [], "associations that broke")
    wait_for(lambda: paris.status()[1]["queued"] == 0, "nothing waits in Paris, which may still hear that its report has come")
    return "ten delivered, one report, no association ended"


def k151791_malformed_address(lab):
    """From a peer: a recipient without any attribute among good ones."""
    london = lab.mta("london")
    for i in range(3):
        london.mailbox("user%d" % i, "Many")
    london.settings["links"].append({"name": "paris", "remote-mta-name": "paris", "remote-password": "x", "local-password": "y"})
    london.settings["routes"].append({"match": "C=FR; A=*", "to": "paris"})
    london.start()
    origin = ("FR", "POSTHORN", "PARIS")
    to = [p.orname("GB", "POSTHORN", "LONDON", "User%d" % i, "Many") for i in range(3)]
    to.insert(1, p.tlv(0x60, p.tlv(0x30)))
    caller = p.Peer.dial(london.port).bound("paris", "x")
    answer = caller.transfer(p.mts_apdu("m.1", origin, to, p.ipm("One is empty", "hello")), 1)
    expect(p.is_accepted(answer), "responsibility is taken for all of it", answer.hex())
    for i in range(3):
        london.wait_mail("user%d" % i, 1)
    same(len(wait_for(lambda: london.rows("queue"), "the report waits for the link to its originator")), 1, "reports queued")
    good = p.mts_apdu("m.2", origin, to[:1], p.ipm("After it", "hello"))
    expect(p.is_accepted(caller.transfer(good, 2)), "the association goes on")
    caller.release()
    london.wait_mail("user0", 2)
    return "three delivered, one report"


def star(lab):
    """A hub with ten links: nine lead to one far MTA under nine names, the tenth is the test's."""
    hub, far = lab.mta("hub"), lab.mta("far", "FR")
    hub.alice = hub.mailbox("alice")
    for i in range(NEIGHBOURS):
        row = hub.link(far)
        row["name"] = "n%d" % i
        hub.settings["routes"][-1] = {"match": "C=FR; A=POSTHORN; P=N%d" % i, "to": row["name"]}
        far.settings["routes"].append({"match": "C=FR; A=POSTHORN; P=N%d" % i, "to": "local"})
        far.settings["mailboxes"].append({"name": "n%d" % i, "addresses": ["S=User; P=N%d; A=POSTHORN; C=FR" % i]})
    far.link(hub)
    return hub, far


def all_nine_deliver(hub, far, each):
    began = time.monotonic()
    for n in range(each):
        for i in range(NEIGHBOURS):
            hub.send("alice", "S=User; P=N%d; A=POSTHORN; C=FR" % i, "--subject", "Message %d" % n, "hello")
    for i in range(NEIGHBOURS):
        far.wait_mail("n%d" % i, each)
    return time.monotonic() - began


def k193760_one_dead_link(lab):
    """Ten peers, one takes the connection and never answers: the other nine deliver."""
    hub, far = star(lab)
    hole = socket.create_server(("127.0.0.1", 0), backlog=64)
    lab.closers.append(hole.close)
    hub.settings["links"].append({"name": "dead", "address": "127.0.0.1:%d" % hole.getsockname()[1], "remote-mta-name": "dead",
                                  "open-interval": "300 ms"})
    hub.settings["routes"].append({"match": "C=DE; A=*", "to": "dead"})
    far.start(wait=False)
    hub.start()
    far.event("supervisor.up")
    waiting = [hub.send("alice", "S=User; O=Dead; A=POSTHORN; C=DE", "hello") for _ in range(10)]
    took = all_nine_deliver(hub, far, 2)
    same(sorted(r["id"] for r in hub.rows("queue", "--link", "dead")), sorted(waiting), "what waits for the dead one")
    same(hub.status()[0]["dead"]["queued"], len(waiting), "its queue in status")
    wait_for(lambda: len(hub.rows("queue")) == len(waiting), "nothing else waits")
    return "18 messages over nine links in %.1f s, 10 wait for the tenth" % took


def k193760_stalled_in_the_middle(lab):
    """RT-30: one peer stalls in the middle of a transfer: the others deliver meanwhile, and it gets its message when it goes on."""
    hub, far = star(lab)
    tap = Tap(lab, far.port, free_port())
    hub.link(far, tap.port)
    far.mailbox("slow")
    far.start(wait=False)
    hub.start()
    far.event("supervisor.up")
    slow = far.settings["mailboxes"][-1]["addresses"][0]
    hub.send("alice", slow, "--subject", "First", "hello")
    far.wait_mail("slow", 1)
    tap.hold(True)
    big = hub.send("alice", slow, "--subject", "Big", "--file", lab.file("big", os.urandom(3000000)))
    hub.send("alice", slow, "--subject", "Behind it", "hello")
    took = all_nine_deliver(hub, far, 2)
    same(len(far.mail("slow")), 1, "the stalled one has nothing yet")
    tap.hold(False)
    entries = far.wait_mail("slow", 3)
    expect(big in [e["id"] for e in entries], "the big one has come")
    hub.wait_empty()
    return "18 messages beside it in %.1f s, then the stalled one's" % took


def k232602_cut_and_back(lab):
    """The network breaks, and comes back: associations are opened again by themselves, the queue drains, nothing comes twice."""
    london, paris = lab.pair()
    tap = Tap(lab, paris.port, free_port())
    london.link(paris, tap.port, max_open_retries=1000)
    paris.link(london)
    london.start(wait=False)
    paris.start()
    london.event("supervisor.up")
    ids = [london.send("alice", paris.claude, "--subject", "Before", "hello")]
    paris.wait_mail("claude", 1)
    london.wait_empty()
    tap.refusing = True
    mark = london.mark()
    tap.cut()
    ids += [london.send("alice", paris.claude, "--subject", "During %d" % i, "hello") for i in range(5)]
    london.event("link.open-failed", mark, link="paris")
    same(len(london.rows("queue")), 5, "queued meanwhile")
    tap.refusing = False
    entries = paris.wait_mail("claude", 6)
    same(sorted(e["id"] for e in entries), sorted(ids), "each once")
    london.wait_empty()
    london.event("link.outbound", mark, link="paris")
    return "5 queued, drained in one go"


def k232602_peer_restarts(lab):
    london, paris = lab.pair()
    london.link(paris, max_open_retries=1000)
    paris.link(london)
    london.start(wait=False)
    paris.start()
    london.event("supervisor.up")
    ids = [london.send("alice", paris.claude, "--subject", "Before", "hello")]
    paris.wait_mail("claude", 1)
    london.wait_empty()
    same(paris.stop(), 0, "exit status")
    mark = london.mark()
    ids += [london.send("alice", paris.claude, "--subject", "During %d" % i, "hello") for i in range(5)]
    london.event("link.open-failed", mark, link="paris")
    paris.events = []
    paris.start()
    same(sorted(e["id"] for e in paris.wait_mail("claude", 6)), sorted(ids), "each once")
    london.wait_empty()
    return "kept over the restart, 5 more came by themselves"


def cut_in_the_middle_of_transfers(lab):
    """RT-14: the connection is lost again and again while messages cross: each arrives, once."""
    london, paris = lab.pair()
    tap = Tap(lab, paris.port, free_port())
    london.link(paris, tap.port, max_open_retries=1000, max_transfer_retries=1000, open_interval="50 ms", transfer_interval="50 ms",
                checkpoint_size=1, window_size=1)
    paris.link(london)
    london.start(wait=False)
    paris.start()
    london.event("supervisor.up")
    path = lab.file("part", os.urandom(200000))
    ids = [london.send("alice", paris.claude, "--subject", "Number %d" % i, "--file", path) for i in range(10)]
    cuts = 0
    until = time.monotonic() + PATIENCE_S
    while cuts < 8 and len(paris.mail("claude")) < 10 and time.monotonic() < until:
        tap.cut()
        cuts += 1
    same(sorted(e["id"] for e in paris.wait_mail("claude", 10)), sorted(ids), "each once")
    london.wait_empty()
    return "%d cuts" % cuts


def known_caller(lab, **limits):
    """An MTA with one known caller, `paris`, that the test plays."""
    london = lab.mta("london")
    london.mailbox("alice", "Archer")
    london.settings["links"].append({"name": "paris", "remote-mta-name": "paris", "remote-password": "x", "local-password": "y"})
    if limits:
        london.settings["limits"] = limits
    return london.start()


def letter(n):
    to = p.orname("GB", "POSTHORN", "LONDON", "Alice", "Archer")
    return p.mts_apdu("m.%d" % n, ("FR", "POSTHORN", "PARIS"), [to], p.ipm("Number %d" % n, "hello"))


def stays_level(m, name, before, text):
    """Descriptors and memory are what they were, once the last connection is reaped."""
    wait_for(lambda: m.usage(name)[0] <= before[0], "%s: the descriptors of before, %d" % (text, before[0]))
    after = m.usage(name)
    expect(after[1] < before[1] + 16 * 2**20, "%s: the memory of before" % text, before, after)
    return "%d descriptors, %+d KB" % (after[0], (after[1] - before[1]) // 1024)


def k152951_storm_of_misconfigured_connects(lab):
    """Two thousand callers that say nothing, nonsense, half a connect or a wrong name, and go: each costs the same, and it is given
    back. A good caller is served meanwhile."""
    london = known_caller(lab)
    good = p.Peer.dial(london.port).bound("paris", "x")
    said = (b"", b"GET / HTTP/1.0\r\n\r\n", bytes.fromhex("0300001611e0"), b"\3\0\xff\xff\2\xf0\x80")

    def storm(n):
        for i in range(n):
            if i % 50 == 49:
                bad = p.Peer.dial(london.port)
                bad.bind("nobody", "x")
            else:
                bad = p.Peer.dial(london.port)
                bad.raw(said[i % len(said)])
            bad.close()
    storm(200)
    expect(p.is_accepted(good.transfer(letter(1), 1)), "a good caller is served")
    before = london.usage("link.0")
    storm(1000)
    expect(p.is_accepted(good.transfer(letter(2), 2)), "a good caller is served")
    storm(1000)
    level = stays_level(london, "link.0", before, "2,000 connects later")
    expect(p.is_accepted(good.transfer(letter(3), 3)), "a good caller is served")
    good.release()
    london.wait_mail("alice", 3)
    return level


def k193894_k229643_connects_that_fail(lab):
    """A peer that refuses each connection, again and again: nothing is leaked, and the mail goes when it is there."""
    london, paris = lab.pair()
    london.link(paris, open_interval="10 ms", max_open_retries=1000000)
    paris.link(london)
    london.start()
    mts_id = london.send("alice", paris.claude, "--subject", "Patient", "hello")

    def attempts():
        return london.status()[0]["paris"]["open-failures"]
    wait_for(lambda: attempts() >= 20, "twenty attempts")
    before, first = london.usage("link.0"), attempts()
    wait_for(lambda: attempts() >= first + 150, "150 attempts more")
    count = attempts()
    level = stays_level(london, "link.0", (before[0] + 1, before[1]), "%d attempts later" % (count - first))  # one may be under way
    paris.start()
    same([e["id"] for e in paris.wait_mail("claude", 1)], [mts_id], "it arrives")
    return "%d attempts, %s" % (count, level)


def op_05_a_thousand_associations(lab):
    """OP-05: a thousand at once, each open, each transferring; the one over the limit is told busy."""
    import resource
    n = 1000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 2 * n + 100:
        raise Skip("this system allows %d descriptors a process, want %d" % (hard, 2 * n + 100))
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, n + 200), hard))
    london = known_caller(lab, associations=n)
    same(london.find("link.associations-clamped"), None, "the limit is not lowered")
    peers = [p.Peer.dial(london.port).bound("paris", "x")] # it has its switch, and all that it has at rest
    used, memory = london.usage("link.0")
    before = used - 1, memory
    peers += [p.Peer.dial(london.port).bound("paris", "x") for _ in range(n - 1)]
    answer = p.Peer.dial(london.port).bind("paris", "x")
    expect(answer[0] == p.RF and b"\x02\x01\x00" in answer, "one more is told busy", answer.hex())
    expect(before[0] + n <= london.usage("link.0")[0] <= before[0] + n + 2, "a descriptor each", london.usage("link.0"))
    for i in range(0, n, 10):
        peers[i].tsdu(p.activity_start(1))
        peers[i].tsdu(p.data_tsdu(p.rt_value(letter(i))))
        peers[i].tsdu(p.activity_end())
    for i in range(0, n, 10):
        expect(p.is_accepted(peers[i].next_tsdu()), "association %d transfers" % i)
    full = london.usage("link.0")
    for each in peers:
        each.release()
    wait_for(lambda: london.usage("link.0")[0] <= before[0], "all descriptors are given back")
    london.wait_mail("alice", n // 10)
    return "%d KB each" % ((full[1] - before[1]) // 1024 // n)


def k271568_more_associations_than_descriptors(lab):
    """Q271568: a limit that the system does not bear is lowered, and said so with both numbers; out of descriptors, callers wait in the
    kernel's queue, the listener lives, and they are served when others leave. (That it does not spin: loop_test.c.)"""
    import resource
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    london = lab.mta("london")
    london.mailbox("alice", "Archer")
    london.settings["links"].append({"name": "paris", "remote-mta-name": "paris", "remote-password": "x", "local-password": "y"})
    london.settings["limits"] = {"associations": 50000}
    london.start()
    pid = london.pids()["link.0"]
    event = london.event("link.associations-clamped") if hard != resource.RLIM_INFINITY and hard - 64 < 50000 else None
    if event is not None:
        same(event["fields"]["limits.associations"], "50000", "what was wanted")
        same(int(event["fields"]["allowed"]), hard - 64, "what is allowed")
    p.Peer.dial(london.port).bound("paris", "x").release() # it has its switch, and all that it has at rest
    open_now = london.usage("link.0")[0]
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (open_now + 10, hard))
    served = [p.Peer.dial(london.port).bound("paris", "x") for _ in range(8)]
    waiting = [p.Peer.dial(london.port) for _ in range(8)]  # some of them connect, nobody accepts them
    waiting[-1].tpkt(b"\x06\xe0\0\0\0\1\0")
    expect(p.is_accepted(served[0].transfer(letter(1))), "those that are served go on")
    for each in served:
        each.release()
    expect(waiting[-1].next_tpdu()[1] >> 4 == 0xD, "the last one is answered now")
    same(london.pids()["link.0"], pid, "the link process lives")
    london.wait_mail("alice", 1)
    return "clamped to %s" % event["fields"]["allowed"] if event else "the system allows 50,000"


def k152918_k263835_a_neighbour_with_a_full_disk(lab):
    """OP-02: it says busy and takes nothing; we wait without a report, whatever max-transfer-retries says; it recovers by itself."""
    x, y = lab.pair()
    x.link(y, max_transfer_retries=0)
    y.link(x)
    y.settings["store"]["min-free"] = "1000 G"
    x.start()
    y.start()
    y.event("store.low")
    for i in range(3):
        x.send(x.alice, y.claude, "--subject", "number %d" % i, "--text", "x")
    wait_for(lambda: x.status()[0]["paris"]["open-failures"] >= 3, "three attempts to open")
    same(x.mail("alice"), [], "no report")
    same(y.mail("claude"), [], "nothing taken")
    y.stop()
    y.settings["store"]["min-free"] = "1 M"
    y.start()
    y.wait_mail("claude", 3)
    x.wait_empty()
    return "3 waited"


main(k152918_k263835_a_neighbour_with_a_full_disk,
     k151791_one_bad_address, k151791_malformed_address, k193760_one_dead_link, k193760_stalled_in_the_middle, k232602_cut_and_back,
     k232602_peer_restarts, cut_in_the_middle_of_transfers, k152951_storm_of_misconfigured_connects, k193894_k229643_connects_that_fail,
     op_05_a_thousand_associations, k271568_more_associations_than_descriptors)
