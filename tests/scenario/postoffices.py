#!/usr/bin/env python3
"""Microsoft Mail as an operator sees it: states of link and movers, a file server that goes, comes and hangs, what kills a process, quarantine and
back."""
import contextlib
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from msmail import OWN, SITE, Net  # noqa: E402
from posthorn import WATCHDOG, expect, main, same, wait_for  # noqa: E402


def link_state(net):
    return net.london.status()[0]["msmail"]


def movers(net):
    """{(mover, peer or ""): row}"""
    return {(r["mover"], r.get("peer", "")): r for r in net.london.rows("status") if "mover" in r}


def wait_state(net, *states):
    return wait_for(lambda: link_state(net)["state"] in states and link_state(net), "link %s" % (states,))


def from_anna(net, subject, *more):
    net.command("send", net.site.path, "--from", "ANNA", "--to", OWN + "/ALICE", "--subject", subject, "--text", "hello", *more)


def k164177_a_postoffice_that_is_not_there(lab):
    """Said by link and movers, in words; its mail waits; when it is there, all goes by itself."""
    net = Net(lab)
    away = net.shadow.path + ".away"
    os.rename(net.shadow.path, away)
    net.start()
    said = wait_state(net, "detached")["last-error"]
    expect(net.shadow.path in said, "which directory", said)
    mts_id = net.london.send("alice", net.ms(SITE + "/ANNA"), "--subject", "waits", "--report", "delivery", "x")
    from_anna(net, "waits too")
    wait_for(lambda: movers(net).get(("berlin", net.shadow.path), {}).get("state") == "ERROR", "lane to the shadow: ERROR")
    wait_for(lambda: movers(net).get(("shadow", net.site.path), {}).get("state") == "detached", "lane of the shadow: detached")
    same(movers(net)[("berlin", "")]["state"], "attached", "the site's mailer")
    same([r["queue"] for r in net.london.rows("queue")], ["msmail"], "queue")
    os.rename(away, net.shadow.path)
    net.wait_box(net.site, "ANNA", 1)
    net.london.wait_step(mts_id, "transfer-out")
    wait_for(lambda: len(net.london.mail("alice")) == 2, "alice has Anna's message and her delivery report")
    expect("loop" not in net.london.steps(mts_id), "the gateway's report is no loop")
    wait_for(lambda: wait_state(net, "open", "attached")["last-error"] == "", "no error any more")
    wait_for(lambda: movers(net)[("shadow", net.site.path)]["state"] == "OK" and int(movers(net)[("shadow", net.site.path)]["moved"]) == 1,
             "the lane has moved one")
    return said


def k151473_a_file_server_that_hangs(lab):
    """The process that is at it is ended by the watchdog; no message is struck for it, and nothing is lost or there twice."""
    net = Net(lab)
    net.london.settings["processes"]["watchdog"] = WATCHDOG
    net.start(once="interchange:PO_WRITE:3:hang")
    mts_id = net.london.send("alice", net.ms(SITE + "/ANNA"), "--subject", "once", "x")
    death = net.london.event("process.fault", name="interchange")
    expect("; it was at: postoffice " in death["fields"]["last_words"], "what it was at", death)
    net.wait_box(net.site, "ANNA", 1)
    expect("struck" not in net.london.steps(mts_id), "no strike", net.london.steps(mts_id))
    same(net.london.find("message.struck"), None, "no strike at all")
    return death["fields"]["last_words"]


def open_files(pid):
    found = []
    for fd in os.listdir("/proc/%d/fd" % pid):
        with contextlib.suppress(OSError): # closed by now
            found.append(os.readlink("/proc/%d/fd/%s" % (pid, fd)))
    return found


def a_file_server_that_holds_a_process_for_ever(lab):
    """Not even SIGKILL ends it: the MTA ends all the same, the switch in order."""
    net = Net(lab)
    net.london.settings["processes"].update({"stop": "2 s", "watchdog": "10 min"})
    net.start(once="interchange:PO_READ:3:hang,supervisor:SUPERVISOR_KILL:1:stick")
    pid = net.london.pids()["interchange.0"]
    wait_for(lambda: any(name.startswith(net.shadow.path + "/GLB/") for name in open_files(pid)), "it is at a file of the postoffice")
    net.london.stop()
    given_up = net.london.find("process.unkillable", name="interchange")
    expect(given_up is not None and given_up["fields"]["note"].startswith("postoffice "), "which one, and at what", given_up)
    expect(net.london.find("process.stopped", name="switch") is not None, "the switch has ended as asked")
    return given_up["fields"]["note"]


def k169671_what_kills_the_converter(lab):
    """Both ways: each costs its own message three times, others pass; the sender is told; an operator lets both out again."""
    net = Net(lab)
    net.start(always="converter:CONVERTER_XLATE:@POISON:abort")
    bad = net.london.send("alice", net.ms(SITE + "/ANNA"), "--subject", "POISON out", "x")
    net.london.send("alice", net.ms(SITE + "/ANNA"), "--subject", "good out", "x")
    from_anna(net, "POISON in", "--attach", lab.file("crates.txt", b"seventeen crates\r\n"))
    from_anna(net, "good in")
    rows = wait_for(lambda: len(net.london.rows("quarantine", "list")) == 2 and net.london.rows("quarantine", "list"), "two in quarantine")
    found = {r["what"]: r for r in rows}
    same((found["octets"]["form"], found["octets"]["link"], found["octets"]["state"]), ("msmail", "msmail", "kept"), "Anna's")
    same(found["message"]["strikes"], 3, "strikes of Alice's")
    box = wait_for(lambda: len(net.site.mailbox("ANNA")) == 2 and net.site.mailbox("ANNA"), "the good one and a notice")
    same(sorted(h.subject for h in box), [b"Mail failure", b"good out"], "in Anna's mailbag")
    same([s for s in net.london.steps(bad) if s in ("struck", "quarantined")], ["struck"] * 3 + ["quarantined"], "journey of Alice's")
    wait_for(lambda: len(net.london.mail("alice")) == 2, "the good one and a report")
    net.london.stop()
    net.london.start()
    shown = net.london.command("quarantine", "show", "-c", net.london.path, str(found["octets"]["quarantine"]))
    expect("form           msmail" in shown and "[012]" in shown, "what it is, and why", shown)
    exported = os.path.join(lab.root, "exported")
    net.london.command("quarantine", "export", "-c", net.london.path, str(found["octets"]["quarantine"]), exported)
    with open(exported, "rb") as f:
        octets = f.read()
    expect(b"POISON in" in octets and b"seventeen crates" in octets, "the message's files", octets)
    net.london.command("quarantine", "release", "-c", net.london.path, str(found["octets"]["quarantine"]), str(found["message"]["quarantine"]))
    wait_for(lambda: not net.london.rows("quarantine", "list"), "nothing is in quarantine")
    wait_for(lambda: b"POISON out" in [h.subject for h in net.site.mailbox("ANNA")], "Alice's is delivered")
    read = wait_for(lambda: [t for t in [net.london.command("read", "-c", net.london.path, "alice", "--show", "all")] if "POISON in" in t], "Anna's is delivered")
    expect("crates.txt" in read[0], "with its attachment", read[0])
    same(net.london.find("connector.nonsense"), None, "nobody talked nonsense")
    return found["octets"]["cause"]


main(k164177_a_postoffice_that_is_not_there, k151473_a_file_server_that_hangs, a_file_server_that_holds_a_process_for_ever, k169671_what_kills_the_converter)
