#!/usr/bin/env python3
"""The operator's hand: hold, release, retry, reroute, return and delete what waits, by selection, while it is being switched; each
act in the journey and in the audit, with who and why."""
import getpass
import os
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fault"))
from posthorn import expect, main, same, wait_for  # noqa: E402
from submitter import Submitter, record  # noqa: E402

USAGE, REFUSED = 64, 1
FOREVER = {"max_open_retries": 100000, "max_transfer_retries": 100000}


def submit(m, total, *templates):
    """`total` messages, each kind in turn; gives [MTS-identifier] of each kind."""
    frames = [record(m.lab.program, os.path.join(m.lab.root, "record"), *t) for t in templates]
    s = Submitter(m.directory, frames, total)
    s.run()
    kinds = [[] for _ in templates]
    for number, mts_id in s.accepted.items():
        kinds[number % len(templates)].append(mts_id)
    return kinds


def act(m, what, *args, status=0):
    """Gives the totals of one act."""
    rows = m.rows("queue", what, *args, status=status)
    return next(r for r in rows if "act" in r)


def audit(m, what):
    return [e["fields"] for e in m.events if e["event"] == "operator.act" and e["fields"]["what"] == what]


def three_sites(lab):
    """London knows Paris (down at first), and Tokyo, which takes mail for Paris too."""
    london, paris, tokyo = lab.mta("london"), lab.mta("paris", "FR"), lab.mta("tokyo", "JP")
    london.alice, london.bob = london.mailbox("alice"), london.mailbox("bob")
    paris.claude = paris.mailbox("claude", "Colin")
    london.link(paris, **FOREVER)
    london.link(tokyo, **FOREVER)
    paris.link(london)
    tokyo.link(london)
    tokyo.settings["mailboxes"].append({"name": "relay", "addresses": [paris.claude]})
    tokyo.settings["routes"].append({"match": paris.domain, "to": "local"})
    return london, paris, tokyo


def test_op_07_a_thousand_for_a_dead_link(lab):
    london, paris, tokyo = three_sites(lab)
    london.start()
    to = ("--to", paris.claude)
    alice, bob = ("--from", london.alice) + to, ("--from", london.bob) + to
    big = lab.file("big.txt", b"x" * 70000)
    kinds = submit(london, 1000, bob + ("t",), bob + ("t",), bob + ("t",), bob + ("t",), bob + ("t",), alice + ("t",), alice + ("t",),
                   alice + ("--priority", "urgent", "t"), alice + ("--text-file", big), alice + ("--priority", "non-urgent", "t"))
    same(len(london.rows("queue")), 1000, "rows of the queue")
    same(len(london.rows("queue", "list", "--originator", "g=BOB")), 500, "rows of Bob's, whatever the case")

    dry = london.rows("queue", "hold", "--originator", "G=Bob", "--dry-run")
    same((len(dry), dry[-1]), (501, {"would": 500}), "a dry run")
    same(london.status()[1]["held"], 0, "held after the dry run")
    same(act(london, "hold", "--originator", "G=Bob", "--why", "Paris asked")["done"], 500, "held")
    same(act(london, "hold", "--originator", "G=Bob")["done"], 500, "held again: nothing to do")
    same(london.status()[1]["held"], 500, "held in the status")
    expect("held by an operator: 500" in london.command("status", "-c", london.path), "the line of the status")
    same(act(london, "retry", "--held", status=REFUSED)["refused"], 500, "held ones are not tried")

    same(act(london, "return", "--larger", "64K", "--why", "too long for the spare line")["done"], 100, "returned")
    same(act(london, "delete", "--priority", "non-urgent", "--why", "Alice asked")["done"], 100, "deleted")
    tokyo.start()
    same(act(london, "reroute", "--priority", "urgent", "--to", "tokyo", "--why", "Paris is down")["done"], 100, "rerouted")
    same(len({r["id"] for r in tokyo.wait_mail("relay", 100)} & set(kinds[7])), 100, "those that Tokyo has")
    london.wait_mail("alice", 100)
    report = london.show("alice", london.mail("alice")[0]["delivery"])
    expect("too long for the spare line" in str(report), "the report says why", report)

    paris.start()
    expect(act(london, "retry", "--link", "paris", "--originator", "G=Alice", status=None)["found"] <= 200, "tried now, those that have not left by themselves")
    paris.wait_mail("claude", 200)
    wait_for(lambda: len(london.rows("queue")) == 500, "what is held stays")
    same(act(london, "release", "--held")["done"], 500, "released")
    paris.wait_mail("claude", 700)
    london.wait_empty()
    same({r["id"] for r in paris.mail("claude")}, set(sum(kinds[:7], [])), "what Paris has got")

    for what, n, why in (("hold", 500, "Paris asked"), ("return", 100, "spare line"), ("delete", 100, "Alice asked"),
                         ("reroute", 100, "Paris is down"), ("release", 500, "")):
        done = []

        def all_there():
            done[:] = [f for f in audit(london, what) if f["outcome"] == "done" and why in f["why"]] # pylint: disable=cell-var-from-loop
            return len({f["id"] for f in done}) >= n # pylint: disable=cell-var-from-loop
        wait_for(all_there, "audit of %s: %d lines" % (what, n))
        expect(all(f["who"].startswith(getpass.getuser()) and "uid %d" % os.getuid() in f["who"] for f in done), "who", done[:1])
    steps = {mts_id: london.steps(mts_id) for mts_id in (k[0] for k in kinds)}
    same([s for s in steps[kinds[0][0]] if s in ("held", "released")], ["held", "released"], "journey of a held one")
    expect(all("deleted" in steps[kinds[k][0]] or "operator" in steps[kinds[k][0]] for k in (7, 8, 9)), "journeys of the others", steps)
    expect("Alice asked" in london.command("trace", "-c", london.path, kinds[9][0]), "why, in the journey")
    same(sorted(r["outcome"] for r in audit(london, "delete")), ["done"] * 100, "audit of the deleted ones")
    return "500 held and released, 100 returned, 100 deleted, 100 rerouted"


def test_k157013_deleted_while_it_is_handed_over(lab):
    """Q157013, Q182009: an item deleted while it is processed. Every message is delivered or deleted, never both, never neither."""
    london, paris, _ = three_sites(lab)
    london.start(wait=False)
    paris.start()
    london.event("supervisor.up")
    ids, totals = [], {"done": 0, "gone": 0, "in-flight": 0, "refused": 0}
    submitter = threading.Thread(target=lambda: ids.extend(submit(london, 1500, ("--from", london.alice, "--to", paris.claude, "t"))[0]))
    submitter.start()
    while submitter.is_alive() or london.rows("queue"):
        rows = [r for r in london.rows("queue", "delete", "--all", "--why", "a race", status=None) if "act" in r]
        for key in totals:
            totals[key] += sum(r[key] for r in rows)
    submitter.join()
    london.wait_empty()
    got, deleted = [], set()

    def all_seen():
        got[:] = [r["id"] for r in paris.mail("claude")]
        deleted.update(f["message"] for f in audit(london, "delete") if f["outcome"].startswith("done"))
        deleted.update([x for x in list(set(ids) - set(got) - deleted)[:50] if "deleted" in london.steps(x)]) # a line of the audit was lost, or has not come yet
        return set(ids) <= set(got) | deleted
    wait_for(all_seen, "all delivered or deleted")
    same(len(got), len(set(got)), "each once")
    same(set(got) & deleted, set(), "delivered and deleted")
    same(set(got) | deleted, set(ids), "delivered or deleted")
    same(totals["refused"], 0, "refused")
    return "%d deleted, %d delivered, %d told as in flight" % (len(deleted), len(got), totals["in-flight"])


def test_k152876_link_taken_out_with_mail_queued(lab):
    """Q152876, Q146509, Q246608: a connector deleted while mail waits for it. It stays, is listed, and goes where the operator says."""
    london, paris, tokyo = three_sites(lab)
    london.start()
    ids = submit(london, 30, ("--from", london.alice, "--to", paris.claude, "t"))[0]
    london.stop()
    london.settings["links"] = [x for x in london.settings["links"] if x["name"] != "paris"]
    london.settings["routes"] = [x for x in london.settings["routes"] if x["to"] != "paris"]
    tokyo.start()
    mark = london.mark()
    london.start(wait=False)
    london.event("supervisor.up", after=mark)
    same(len(london.rows("queue", "list", "--link", "paris")), 30, "what waits for a link that is no more")
    same(act(london, "delete", "--id", ids[0], "--why", "test")["done"], 1, "deleted by its MTS-identifier")
    same(act(london, "return", "--id", ids[1], "--why", "test")["done"], 1, "returned")
    same(act(london, "hold", "--id", ids[2])["done"], 1, "held")
    same(act(london, "reroute", "--link", "paris", "--to", "tokyo")["done"], 28, "rerouted")
    tokyo.wait_mail("relay", 27)
    same(act(london, "release", "--held")["done"], 1, "released")
    tokyo.wait_mail("relay", 28)
    london.wait_mail("alice", 1)
    london.wait_empty()
    return "28 rerouted, 1 deleted, 1 returned"


def test_op_07_one_clear_sentence(lab):
    london, _, _ = three_sites(lab)
    london.start()
    for words, says in (
            (["holdd", "--all"], "nothing that can be done"), (["hold"], "which ones?"), (["hold", "--all", "more"], "one word too many"),
            (["delete", "--all"], "--why TEXT"), (["return", "--all"], "--why TEXT"), (["reroute", "--all"], "--to LINK"),
            (["hold", "--all", "--to", "tokyo"], "reroute only"), (["return", "--all", "--yes", "--report"], "delete only"),
            (["hold", "--older", "soon"], "want a time"), (["hold", "--larger", "much"], "want a size"),
            (["hold", "--priority", "high"], "want urgent"), (["hold", "--originator", ""], "want one line"),
            (["delete", "--id", "", "--yes"], "want one line"), (["delete", "--id", "1", "--id", "", "--yes"], "want one line"),
            (["delete", "--id", "x\nlarger=1", "--yes"], "want one line"),
            (["hold", "--content-type", "x"], "built-in number")):
        london.command("queue", *words, "-c", london.path, status=USAGE)
        expect(says in lab.last_error and lab.last_error.count("\n") == 1, "one sentence about %s" % words, lab.last_error)
    for words, says in ((["delete", "--all", "--yes"], "nothing that waits fits"), (["hold", "--id", "7"], "nothing that waits fits"),
                        (["hold", "--id", "C=GB;A=X;L=1"], "nothing that waits fits")):
        london.command("queue", *words, "-c", london.path, status=REFUSED)
        expect(says in lab.last_error, "about %s" % words, lab.last_error)
    for words, status in (([], USAGE), (["lists"], USAGE), (["show"], USAGE), (["show", "x"], USAGE), (["delete", "1"], USAGE),
                          (["show", "1"], REFUSED), (["release", "1"], REFUSED), (["delete", "1", "--yes"], REFUSED),
                          (["export", "1", "-"], REFUSED), (["list", "--p1"], USAGE), (["list", "--octets"], USAGE)):
        london.command("quarantine", *words, "-c", london.path, status=status)
        expect(lab.last_error.startswith("posthorn quarantine: "), "a sentence about %s" % words, lab.last_error)
    same(london.rows("quarantine", "list"), [], "an empty quarantine")
    return "usage and refusals"


if __name__ == "__main__":
    main(test_op_07_a_thousand_for_a_dead_link, test_k157013_deleted_while_it_is_handed_over, test_k152876_link_taken_out_with_mail_queued,
         test_op_07_one_clear_sentence)
