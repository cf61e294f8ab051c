#!/usr/bin/env python3
"""Distribution lists, alternate recipients, deferral: between two MTAs, as users and operators see them."""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from posthorn import expect, main, same, wait_for  # noqa: E402


def linked(lab):
    london, paris = lab.pair()
    london.link(paris)
    paris.link(london)
    return london, paris


def add_list(mta, name, members, **more):
    address = mta.address(name.capitalize(), "List")
    row = {"name": name, "addresses": [address], "members": members}
    row.update(more)
    mta.settings.setdefault("lists", []).append(row)
    return address


def failed(shown):
    return [f["value"] for f in shown["fields"] if f["label"] == "not-delivered"]


def tr_16_k175739_k175780_nested_lists_over_two_mtas(lab):
    """Lists of two MTAs that contain each other, neither knowing the other's members: one copy for each member, by a whole address each,
    no report, nothing that the other end cannot decode, both ends come to rest."""
    london, paris = linked(lab)
    users = [m.mailbox(name) for m, name in ((london, "ann"), (london, "ben"), (paris, "cid"), (paris, "dora"))]
    there = paris.address("Paris", "List")
    here = add_list(london, "london", [users[0], users[1], users[2], there, users[0].upper()])
    add_list(paris, "paris", [users[3], here])
    london.start()
    paris.start()
    sent = paris.send("claude", here, "--subject", "All", "hello")
    for mta, name in ((london, "ann"), (london, "ben"), (paris, "cid"), (paris, "dora")):
        mta.wait_mail(name, 1)
    london.wait_empty()
    paris.wait_empty()
    time.sleep(0.3)
    for mta, name in ((london, "ann"), (london, "ben"), (paris, "cid"), (paris, "dora")):
        same(len(mta.mail(name)), 1, "copies for " + name)
    same(len(paris.mail("claude")), 0, "reports")
    for mta in (london, paris):
        odd = [e for e in mta.events if e["severity"] not in ("info", "notice")]
        same([e["event"] for e in odd], [], "complaints of %s" % mta.name)
    same(london.steps(sent).count("expanded"), 1, "expansions in London")
    same(paris.steps(sent).count("expanded"), 1, "expansions in Paris")
    told = london.command("route", "explain", "-c", london.path, here)
    for line in ("goes to list london", "4 members, open to anybody", "mailbox ann", "link paris"):
        expect(line in told, "route explain says: " + line, told)
    return "four members, four copies"


def k173510_k246388_reports_of_members(lab):
    """A member in another country is not known there: the owner hears of it, the originator that the list has it."""
    london, paris = linked(lab)
    london.mailbox("owner")
    members = [london.mailbox("ann"), paris.address("No", "Body")]
    news = add_list(london, "news", members, owner=london.address("Owner", "User"), reports="owner")
    london.start()
    paris.start()
    sent = london.send("alice", news, "--subject", "News", "--report", "delivery", "hello")
    report = london.wait_mail("owner", 1)[0]
    lines = failed(london.show("owner", report["delivery"]))
    expect(len(lines) == 1 and "Body" in lines[0], "the owner's report is about the member", lines)
    mine = london.wait_mail("alice", 1)[0]
    same(failed(london.show("alice", mine["delivery"])), [], "failures that the originator hears of")
    expect("expanded" in london.steps(sent), "the journey says it", london.steps(sent))
    return "one report to the owner, one to the originator"


def tr_09_alternates(lab):
    """Redirected by the recipient to another country, and back by the originator's wish when that fails; a loop is reported."""
    london, paris = linked(lab)
    far = paris.mailbox("far")
    ann = london.mailbox("ann")
    for name, to in (("gone", far), ("lost", paris.address("No", "Body")), ("x", london.address("Y", "User")), ("y", london.address("X", "User"))):
        london.mailbox(name)
        london.settings["mailboxes"][-1]["redirect"] = to
    london.start()
    paris.start()
    address = {name: london.address(name.capitalize(), "User") for name in ("gone", "lost", "x")}
    london.send("alice", address["gone"], "hello")
    paris.wait_mail("far", 1)
    london.send("alice", london.address("Who", "Ever"), "--alternate", ann, "hello")
    london.wait_mail("ann", 1)
    london.send("alice", [address["lost"], address["x"]], "hello")
    shown = [failed(london.show("alice", m["delivery"])) for m in london.wait_mail("alice", 2)]
    text = str(shown)
    expect("redirection-loop-detected" in text, "1/27 for the loop", text)
    london.send("alice", address["gone"], "--no-alternate", "hello")
    shown = failed(london.show("alice", london.wait_mail("alice", 3)[-1]["delivery"]))
    expect("recipient-reassignment-prohibited" in str(shown), "1/26", shown)
    return "redirected, redirected back, two loops and a prohibition reported"


def p1_25_deferred_and_cancelled(lab):
    """A deferred message waits for its time, here and for a peer, over a restart; one is cancelled, one let go early."""
    london, paris = linked(lab)
    ann, far = london.mailbox("ann"), paris.mailbox("far")
    london.start()
    paris.start()
    never = london.send("alice", ann, "--defer", "+1h", "hello")
    early = london.send("alice", ann, "--defer", "2099-01-01 12:00", "hello")
    rows = london.rows("queue")
    same(sorted(r["queue"] for r in rows), ["+deferred"] * 2, "where they wait")
    ids = {r["id"]: str(r["transfer"]) for r in rows}
    london.command("queue", "delete", "-c", london.path, "--id", never, "--yes")
    expect("cancelled" in london.command("trace", "-c", london.path, never), "the journey says cancelled")
    london.command("queue", "retry", "-c", london.path, "--id", ids[early])
    london.wait_mail("ann", 1)
    sent_at = time.time()
    soon = london.send("alice", [ann, far], "--defer", "+4 s", "hello")
    london.stop()
    london.start()
    paris.wait_mail("far", 1)
    expect(time.time() >= sent_at + 3, "not before its time, which is of whole seconds", time.time() - sent_at)
    london.wait_mail("ann", 2)
    london.wait_empty()
    expect("deferred" in london.steps(soon), "the journey says deferred", london.steps(soon))
    return "one later, one cancelled, one early"


def k165396_two_things_with_one_address(lab):
    """The start fails and names both; so do a list without its owner, and a member that is no address."""
    london = lab.mta("london")
    ann = london.mailbox("ann")
    for row, words in (({"name": "ann", "addresses": [ann.upper()], "members": []}, ("mailbox", "list", "the same address")),
                       ({"name": "l", "addresses": [london.address("L", "L")], "members": ["nonsense"]}, ("list", "member", "nonsense")),
                       ({"name": "l", "addresses": [london.address("L", "L")], "reports": "owner"}, ("list", "owner"))):
        london.settings["lists"] = [row]
        london.write()
        lab.command("run", "-c", london.path, status=78)
        expect(all(w in lab.last_error for w in words), "it says what is wrong", lab.last_error)
    return "three settings refused"


if __name__ == "__main__":
    main(tr_16_k175739_k175780_nested_lists_over_two_mtas, k173510_k246388_reports_of_members, tr_09_alternates, p1_25_deferred_and_cancelled,
          k165396_two_things_with_one_address)
