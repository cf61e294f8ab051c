#!/usr/bin/env python3
"""Tracking as an operator uses it: messages found by each thing that is known of them, through relay, lists, redirection, reports, other ways and
Microsoft Mail; the journey drawn; any stored message shown; retention by size."""
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fault"))
from msmail import OWN, SITE, Net  # noqa: E402
from posthorn import expect, is_sanitized, main, same, wait_for  # noqa: E402
from submitter import MARK, Submitter, record  # noqa: E402

REFUSED, USAGE = 1, 64


def linked(lab, **settings):
    london, paris = lab.pair()
    for mta in (london, paris):
        mta.settings["store"].update(settings)
    london.link(paris)
    paris.link(london)
    return london, paris


def track(mta, *args):
    return mta.rows("track", *args)


def ids(mta, *args):
    return [r["id"] for r in track(mta, *args)]


def none(mta, *args):
    same(mta.rows("track", *args, status=REFUSED), [], "%s: nothing for %s" % (mta.name, " ".join(args)))


def events(mta, mts_id):
    """The numbers of the journey, in order, of steps that have one."""
    return [r["event"] for r in mta.rows("trace", mts_id) if r["event"] != ""]


def op_08_by_every_criterion(lab):
    """Two messages over two MTAs, found at both by identifier, IPM-identifier, address in either role, subject, time, event, and all at once."""
    london, paris = linked(lab)
    alice, claude = london.alice, paris.claude
    london.start()
    paris.start()
    first = london.send("alice", claude, "--subject", "Fracht 17", "hello")
    second = london.send("alice", claude, "--subject", "Re: FRACHT  17", "again")
    other = london.send("alice", alice, "--subject", "Mine", "to myself")
    shown = [paris.show("claude", e["delivery"]) for e in paris.wait_mail("claude", 2)]
    london.wait_empty() # London knows, too
    both, all_three = [second, first], [other, second, first]
    local = first.split("L=")[-1]
    for mta in (london, paris):
        same(ids(mta, "--id", first), [first], "by the whole identifier")
        same(ids(mta, "--id", local), [first], "by its local part")
        same(ids(mta, "--recipient", claude), both, "by recipient")
        same(ids(mta, "--recipient", claude.upper()), both, "by recipient in capitals")
        same(ids(mta, "--address", claude), both, "by address, as a recipient")
        same(ids(mta, "--subject", "fracht 17"), both, "by subject")
        none(mta, "--originator", claude)
        none(mta, "--subject", "Fracht 18")
        for one in shown:
            ipm = next(f["value"] for f in one["fields"] if f["label"] == "message-id").split("*")[0]
            mts = next(f["value"] for f in one["fields"] if f["label"] == "mts-id")
            same(ids(mta, "--ipm-id", ipm), [mts], "by IPM-identifier %s" % ipm)
        same(ids(mta, "--originator", alice, "--recipient", claude, "--subject", "RE: fracht 17", "--from", "1 h", "--event", "0,4"), both,
             "by everything at once")
        none(mta, "--recipient", claude, "--to", "1 h")
    same(ids(london, "--originator", "alice"), all_three, "by the name of a mailbox, as the originator")
    same(ids(london, "--address", alice), all_three, "by address, in both roles")
    same(ids(london, "--recipient", alice), [other], "by the other recipient")
    same(ids(london, "--from", "1 h"), all_three, "by time alone")
    at = track(london, "--id", second)[0]["at"]
    same(ids(london, "--from", at, "--to", track(london, "--id", other)[0]["at"]), [second], "from one step's time to another's")
    same(ids(london, "--event", "4"), all_three, "submitted")
    same(sorted(ids(london, "--event", "7")), sorted(both), "handed over")
    same(ids(london, "--event", "9"), [other], "delivered here")
    same(sorted(ids(paris, "--event", "9", "--recipient", claude)), sorted(both), "delivered there")
    same((events(london, first), events(paris, first)), ([4, 7], [0, 9]), "the journey in numbers")
    same(ids(london, "--from", "1 h", "--max", "2"), all_three[:2], "no more than was asked for")
    for wrong in (("--from", "yesterday"), ("--event", "nine"), ("--recipient", "nobody in particular"), (), ("x",)):
        london.command("track", "-c", london.path, *wrong, status=USAGE if wrong[:1] in (("--from",), (), ("x",)) else REFUSED)
    return "3 messages by 20 ways"


def op_08_lists_redirection_reports(lab):
    """Members of a list and alternates are found though no envelope that came named them; non-delivery is in the journey, with the report."""
    london, paris = linked(lab)
    alice, claude, far = london.alice, paris.claude, paris.mailbox("far")
    team = london.address("Team", "List")
    london.settings["lists"] = [{"name": "team", "addresses": [team], "members": [alice, claude]}]
    gone = london.mailbox("gone")
    london.settings["mailboxes"][-1]["redirect"] = far
    nobody = paris.address("No", "Body")
    london.start()
    paris.start()
    listed = london.send("alice", team, "--subject", "To all", "hello")
    moved = london.send("alice", gone, "--subject", "Moved", "hello")
    failed = london.send("alice", nobody, "--subject", "Lost", "hello")
    probe = london.send("alice", claude, "--probe")
    paris.wait_mail("claude", 1)
    paris.wait_mail("far", 1)
    london.wait_mail("alice", 3) # from the list, two reports
    for mta in (london, paris):
        mta.wait_empty() # what was handed over is known to be
    same(ids(london, "--recipient", claude, "--subject", "to all"), [listed], "a member of the list, with the subject")
    same(ids(london, "--recipient", claude, "--originator", alice), [probe, listed], "a member, with the originator")
    same(ids(london, "--recipient", far), [moved], "an alternate")
    same(ids(london, "--recipient", gone), [moved], "whom it was for")
    same(ids(london, "--recipient", team, "--event", "26"), [listed], "expanded")
    same(ids(london, "--originator", alice, "--event", "28"), [moved], "redirected")
    same(ids(paris, "--event", "34", "--recipient", nobody), [failed], "a report was made")
    report = track(paris, "--event", "34", "--recipient", nobody)[0]["other-id"]
    same(ids(london, "--id", report), [report], "the report by its own identifier")
    same(events(london, probe)[:2], [5, 6], "a probe goes out")
    same(events(paris, probe)[:2], [1, 34], "and is answered there")
    same([e for e in events(paris, failed) if e in (0, 34, 8)], [0, 34, 8], "report made and sent")
    same([e for e in events(london, failed) if e in (4, 7, 2, 10)], [4, 7, 2, 10], "report come and delivered")
    text = london.command("trace", "-c", london.path, failed)
    expect("steps in" in text and "| *" in text, "the report's line beside the message's", text)
    steps = london.rows("trace", failed)
    same(steps[0]["after-ms"], 0, "nothing before the first")
    expect(all(s["after-ms"] >= 0 for s in steps), "how long after the one before", steps)
    return "%d steps" % len(steps)


def op_08_each_of_five_hundred(lab):
    """A message for 500 recipients, and one for a list of 500: each of them finds it, the last as the first."""
    london, paris = linked(lab)
    to = [paris.address("R%d" % i, "Each") for i in range(500)]
    members = [paris.address("M%d" % i, "Member") for i in range(500)]
    team = london.address("Team", "List")
    london.settings["lists"] = [{"name": "team", "addresses": [team], "members": members}]
    london.start()
    many = london.send("alice", to, "hello")
    listed = london.send("alice", team, "hello")
    wait_for(lambda: len(london.rows("queue")) >= 2, "both wait for a link that is down")
    for i in (0, 63, 64, 498, 499):
        same(ids(london, "--recipient", to[i]), [many], "recipient %d" % i)
        same(ids(london, "--recipient", members[i], "--originator", london.alice), [listed], "member %d" % i)
    none(london, "--recipient", paris.address("R500", "Each"))
    return "1000 recipients"


def op_08_rerouted_and_deleted(lab):
    """Another way than the first, and an operator's hand."""
    london, paris, tokyo = lab.mta("london"), lab.mta("paris", "FR"), lab.mta("tokyo", "JP")
    london.mailbox("alice")
    claude = paris.mailbox("claude")
    london.link(paris, max_open_retries=100000)
    london.link(tokyo, max_open_retries=100000)
    tokyo.link(london)
    tokyo.settings["mailboxes"].append({"name": "relay", "addresses": [claude]})
    tokyo.settings["routes"].append({"match": paris.domain, "to": "local"})
    london.start()
    one, two = (london.send("alice", claude, "--subject", s, "hello") for s in ("First", "Second"))
    rows = wait_for(lambda: len(london.rows("queue")) == 2 and london.rows("queue"), "two that wait")
    by_id = {r["id"]: str(r["transfer"]) for r in rows}
    shown = london.command("show", "-c", london.path, by_id[one])
    expect(claude.split(";")[0] in shown and "First" in shown and "hello" in shown and one in shown, "a waiting transfer, its envelope and its text", shown)
    message = str(next(r["message"] for r in rows if r["id"] == one))
    envelope, content = london.rows("show", message)
    same((envelope["mts-id"], content["kind"]), (one, "message"), "by the message's own number, as JSON")
    london.rows("queue", "delete", "--id", by_id[two], "--why", "test")
    london.command("show", "-c", london.path, by_id[two], status=REFUSED)
    tokyo.start()
    london.rows("queue", "reroute", "--id", by_id[one], "--to", "tokyo")
    entry = tokyo.wait_mail("relay", 1)[0]
    expect("hello" in tokyo.command("show", "-c", tokyo.path, str(entry["delivery"])), "an entry of a mailbox")
    same(ids(london, "--event", "50"), [two], "deleted by an operator")
    same(ids(london, "--event", "50", "--recipient", claude), [two], "of that recipient")
    london.wait_step(one, "transfer-out")
    same(events(london, one)[-1], 7, "handed over at last")
    return "rerouted and deleted"


def op_08_microsoft_mail(lab):
    """Out to a postoffice and in from it: gateway events, addresses as X.400 has them, the subject of the letter, the file it came in."""
    net = Net(lab).start()
    anna = net.ms(SITE + "/ANNA")
    net.tokyo.send(net.taro, anna, "--subject", "Fracht ab", "--text", "hello")
    net.wait_box(net.site, "ANNA", 1)
    out = net.london
    sent = wait_for(lambda: out.rows("track", "--event", "1003") if "1003" in out.command("track", "-c", out.path, "--json", "--recipient", anna, "--event", "0,1003")
                    else None, "a step out to the gateway")
    same(ids(out, "--recipient", anna, "--subject", "fracht ab"), [sent[0]["id"]], "by the recipient behind the gateway, and the subject")
    net.site.send("ANNA", [OWN + "/TARO"], "Fracht an", b"hello\r", own=SITE)
    net.tokyo.wait_mail("taro", 1)
    came = ids(out, "--originator", anna, "--subject", "FRACHT AN")
    same(len(came), 1, "by the originator behind the gateway, and the subject")
    first = track(out, "--id", came[0], "--event", "1004")
    same(len(first), 1, "from the gateway")
    expect(", as " in first[0]["text"], "it says what it was there", first[0])
    there = first[0]["text"].split(", as ")[-1]
    same(ids(out, "--id", there), came, "by what it was there: %s" % there)
    same(ids(net.tokyo, "--subject", "Fracht an"), came, "the same at Tokyo")
    net.tokyo.send(net.taro, net.ms(SITE + "/NOBODY"), "--subject", "Wer", "--text", "hello")
    net.tokyo.wait_mail("taro", 2)
    net.stop()
    return there


def op_08_twenty_thousand_steps(lab):
    """Ten thousand messages: one is found among them, pages hold together, nothing is told twice; the index is in the file and not."""
    total = 2000 if is_sanitized(lab.program) else 10000
    london = lab.mta("london")
    alice, bob = london.mailbox("alice"), london.mailbox("bob")
    london.mailbox("carol")
    london.start()
    needle = london.send("alice", london.address("Carol", "User"), "--subject", "The needle", "hello")
    frames = record(lab.program, os.path.join(lab.root, "record"), "--from", alice, "--to", bob, "t")
    submitter = Submitter(london.directory, [frames], total)
    submitter.run()
    same(len(submitter.accepted), total, "submitted")
    sent = set(submitter.accepted.values())
    same(ids(london, "--subject", "the needle"), [needle], "by subject")
    same(ids(london, "--recipient", "carol"), [needle], "by recipient")
    same(ids(london, "--originator", alice, "--recipient", "carol"), [needle], "the rarer one drives")
    found = ids(london, "--recipient", bob, "--max", "1000000")
    same((len(found), set(found)), (total, sent), "each once, over all pages")
    same(len(ids(london, "--subject", MARK % 0, "--max", "1000000")), total, "by their subject, as their keys say")
    same(len(ids(london, "--originator", alice, "--event", "9", "--max", "1000000")), total + 1, "their deliveries")
    same(len(ids(london, "--event", "9", "--max", "1000000")), total + 1, "deliveries, with no index to help")
    mark = len(london.events)
    os.kill(london.pids()["switch.0"], signal.SIGKILL)
    london.event("store.open", mark)
    same(ids(london, "--subject", "the needle"), [needle], "after the switch was killed")
    same(len(ids(london, "--recipient", bob, "--max", "1000000")), total, "all others too")
    london.stop()
    lab.command("check", london.directory)
    return "%d steps" % (2 * (total + 1))


def tracking_takes_no_more_than_its_size(lab):
    """The oldest go, the operator is told, the newest are there; mail goes on."""
    london = lab.mta("london")
    london.settings["store"]["tracking-size"] = "200K"
    alice, bob = london.mailbox("alice"), london.mailbox("bob")
    london.start()
    frames = record(lab.program, os.path.join(lab.root, "record"), "--from", alice, "--to", bob, "t")
    submitter = Submitter(london.directory, [frames], 2000)
    submitter.run()
    london.event("tracking.short")
    last = london.send("alice", bob, "--subject", "The last", "hello")
    wait_for(lambda: len(ids(london, "--recipient", bob, "--max", "100000")) < 1500, "the oldest have gone", 60)
    same(ids(london, "--subject", "the last"), [last], "the newest is there")
    same(len(london.rows("read", "bob")), 2001, "all mail is there")
    london.stop()
    lab.command("check", london.directory)


if __name__ == "__main__":
    main(op_08_by_every_criterion, op_08_lists_redirection_reports, op_08_each_of_five_hundred, op_08_rerouted_and_deleted, op_08_microsoft_mail, op_08_twenty_thousand_steps,
         tracking_takes_no_more_than_its_size)
