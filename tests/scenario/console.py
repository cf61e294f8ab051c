#!/usr/bin/env python3
"""The console's API before a real MTA: every answer against docs/openapi.yaml, lists, acts, live updates, and what it says while others are away."""
import http.client
import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from browser import with_console  # noqa: E402
from console import CONTRACT, Console, Stream, judge, rest  # noqa: E402
from posthorn import expect, free_port, is_sanitized, main, same, wait_for  # noqa: E402


MANY = 205    # more than an overview of the stream has


def stuck(lab, **more):
    """London with mail that waits for Paris, which does not run, and a letter in a mailbox."""
    london, paris = lab.pair()
    london.link(paris, open_interval="60 s")
    paris.link(london)
    with_console(lab, london, **more)
    london.start()
    ids = [london.send(london.alice, paris.claude, "--subject", "number %d" % i, "--text", "text %d" % i) for i in range(5)]
    london.send(london.alice, london.alice, "--subject", "at home", "--text", "Grüße")
    london.wait_mail("alice", 1)
    return london, paris, ids


def test_answers_are_as_the_contract_says(lab):
    london, paris, ids = stuck(lab)
    c = Console(london, "operator")
    same(c.get("/api/session")["role"], "operator", "role")
    expect(c.get("/api/openapi.yaml").decode().startswith("# The JSON API"), "the contract is served")
    now = wait_for(lambda: (lambda o: o if o["totals"]["queued"] == 5 else None)(c.overview()), "a sample with the queue")
    link, = [x for x in now["links"] if x["name"] == paris.name]
    same((link["queued"], link["kind"], link["stopped"]), (5, "x400", False), "the link in the overview")
    wait_for(lambda: c.overview()["links"][0]["lamp"] == "warning", "the lamp of a link that cannot be opened")
    expect({p["kind"] for p in now["processes"]} >= {"switch", "console", "reader"}, "processes of the board", now["processes"])
    page = c.get("/api/links/" + paris.name)
    expect(page["settings"] and not any("secret" in p["value"] for p in page["settings"]), "settings without passwords", page["settings"])
    rows = c.pages("/api/queue", 2)
    same([r["id"] for r in rows], ids, "the queue, page by page")
    same(c.pages("/api/queue?recipient=claude&priority=normal&link=" + paris.name), rows, "found by what it is")
    same(c.pages("/api/queue?recipient=nobody"), [], "and nothing else")
    m = c.get("/api/message/transfer/%d" % rows[0]["transfer"])
    same((m["mts_id"], m["decoded"], len(m["recipients"])), (ids[0], "", 1), "a message with its envelope")
    text = c.get("/api/message/transfer/%d/text" % rows[0]["transfer"])
    expect(any(p.get("text", "").startswith("text 0") for p in text["parts"]), "its text", text)
    delivery = london.mail("alice")[0]["delivery"]
    same(c.get("/api/message/delivery/%d" % delivery)["decoded"], "", "a delivered one")
    expect("Grüße" in str(c.get("/api/message/delivery/%d/text" % delivery)), "is shown")
    for gone in ("message/987654", "transfer/987654", "delivery/987654"):
        c.get("/api/message/%s" % gone, 404)
        c.get("/api/message/%s/text" % gone, 404)
    same(c.get("/api/events?category=content")["rows"], [], "nobody is warned of what is not there any more")
    steps = c.pages("/api/trace?id=" + ids[0].replace(";", "%3B").replace("/", "%2F").replace(" ", "+"))
    expect(len(steps) >= 1 and steps[0]["since_ms"] == 0, "a journey", steps)
    expect(c.pages("/api/track?recipient=" + paris.claude.replace(";", "%3B").replace(" ", "+").replace("=", "%3D")), "found by recipient")
    same(c.pages("/api/quarantine"), [], "quarantine")
    wait_for(lambda: c.get("/api/events?severity=warning&link=" + paris.name)["rows"], "warnings of the link")
    newest = c.get("/api/events?max=3")
    older = c.get("/api/events?max=3&before=%d" % newest["next"])
    expect(older["rows"][0]["seq"] < newest["rows"][-1]["seq"], "pages of events", newest, older)
    expect(c.get("/api/history?minutes=5&link=" + paris.name)["samples"], "history of a link")
    expect(b"posthorn_link_stored_messages" in c.get("/metrics"), "metrics")
    for path, status in (("/api/links/nobody", 404), ("/api/history?link=nobody", 404), ("/api/message/transfer/999999", 404), ("/api/message/thing/1", 404),
                         ("/api/queue?max=0", 400), ("/api/queue?older=x", 400), ("/api/queue?priority=high", 400), ("/api/trace", 400), ("/api/trace?id=" + "x" * 257, 400), ("/api/trace?id=" + "x" * 5000, 414),
                         ("/api/track", 400), ("/api/track?from=yesterday", 400), ("/api/events?severity=bad", 400), ("/api/nothing", 404)):
        c.get(path, status)
    same(c.ask("GET", "/api/login").status, 405, "method of login")
    c.post("/api/logout")
    c.get("/api/overview", 401)


def test_acts_are_done_and_told(lab):
    london, paris, ids = stuck(lab)
    c = Console(london, "operator")
    rows = c.pages("/api/queue")
    numbers = [r["transfer"] for r in rows]
    got = c.post("/api/queue/hold", {"ids": numbers[:2] + [999999], "why": "a look"})
    same([r["outcome"] for r in got["results"]], ["done", "done", "gone"], "outcomes")
    said = london.event("operator.act", who="console:operator", what="hold")["fields"]
    same(said["why"], "a look", "why, in the audit event")
    same([r["held"] for r in c.pages("/api/queue")], [True, True, False, False, False], "held")
    same(c.act("release", {"held": True}), {"found": 2, "done": 2}, "released by a filter")
    c.post("/api/queue/delete", {"ids": numbers[:1]}, 400)
    c.post("/api/queue/delete", {"filter": {}, "why": "x"}, 400)
    c.post("/api/queue/delete", {"ids": numbers, "filter": {"all": True}, "why": "x"}, 400)
    c.post("/api/queue/reroute", {"ids": numbers}, 400)
    same(c.post("/api/queue/delete", {"ids": numbers[:1], "why": "a test"})["done"], 1, "deleted")
    same(c.act("return", {"recipient": "claude"}, why="a test")["done"], 4, "returned")
    london.wait_mail("alice", 5)
    same(c.pages("/api/queue"), [], "nothing waits any more")
    viewer = Console(london, "viewer")
    viewer.get("/api/queue")
    viewer.post("/api/queue/hold", {"ids": numbers}, 403)
    viewer.post("/api/links/%s/stop" % paris.name, {}, 403)
    london.event("console.forbidden", user="viewer")


def test_a_stopped_link_stays_stopped(lab):
    london, paris, ids = stuck(lab)
    c = Console(london, "operator")
    c.post("/api/links/%s/stop" % paris.name, {"why": "work on the line"})
    wait_for(lambda: c.overview()["links"][0]["lamp"] == "stopped", "its lamp")
    c.post("/api/links/%s/retry" % paris.name, {}, 409)
    c.post("/api/links/nobody/stop", {}, 404)
    london.kill("switch.0")
    wait_for(lambda: london.status()[0][paris.name]["state"] == "stopped", "it is stopped for the next switch")
    same(london.stop(), 0, "end")
    london.start()
    same(london.status()[0][paris.name]["state"], "stopped", "and for the next MTA")
    paris.start()
    paris.send(paris.claude, london.alice, "calls in vain")
    london.event("link.busy", why="stopped")
    same(len(london.mail("alice")), 1, "nothing has come by it")
    c = Console(london, "operator")
    c.post("/api/links/%s/start" % paris.name)
    paris.wait_mail("claude", 5)
    london.wait_mail("alice", 2)
    same(london.command("link", "stop", "-c", london.path, paris.name), "", "the command does the same")
    same(london.status()[0][paris.name]["state"], "stopped", "state")


def test_live_updates(lab):
    london, paris, ids = stuck(lab, viewers=3)
    c = Console(london, "operator")
    streams = [Stream(c) for _ in range(3)]
    for s in streams:
        judge(s.until("overview"), CONTRACT["components"]["schemas"]["Overview"], "overview of the stream")
    same(c.get("/api/stream", 429)["error"][:7], "as many", "one page too many")
    paris.start()
    c.post("/api/links/%s/retry" % paris.name)
    for s in streams:
        judge(s.until("event", lambda e: e["event"] == "operator.act"), CONTRACT["components"]["schemas"]["Event"], "event of the stream")
        judge(s.until("change", lambda o: o["links"] and (o["links"][0]["outbound"] > 0 or o["links"][0]["sent"] == 5)),
              CONTRACT["components"]["schemas"]["Overview"], "change of the stream")
        judge(s.until("history"), CONTRACT["components"]["schemas"]["Sample"], "history of the stream")
    c.post("/api/logout")
    for s in streams:
        expect("session" in s.until("bye")["error"], "why it ends")
        same(s.next(), None, "the end")
        s.close()
    Console(london, "operator").get("/api/stream", 401, Cookie="posthorn=nothing")


def test_many_links_come_in_pages(lab):
    """More links than an overview of the stream has: pages bring them all, in order, then only what changes comes."""
    london = lab.mta("london")
    with_console(lab, london)
    london.settings["links"] += [{"name": "link%d" % i, "remote-mta-name": "link%d" % i, "schedule": "never"} for i in range(MANY)]
    london.start()
    c = Console(london, "operator")
    wait_for(lambda: len(c.overview()["links"]) == MANY, "the overview has all of them")
    s = Stream(c)
    first = s.until("overview")
    judge(first, CONTRACT["components"]["schemas"]["Overview"], "overview of the stream")
    same((first["of"], first["links"]), (MANY, []), "links that the overview tells of")

    def pages():
        names = []
        while not names or len(names) < page["of"]:
            page = s.until("links")
            judge(page, CONTRACT["components"]["schemas"]["LinkSeries"], "a page of links")
            same(page["from"], len(names), "where it goes on")
            names += [link["name"] for link in page["links"]]
        return names
    same(pages(), ["link%d" % i for i in range(MANY)], "all of them, in order")
    c.post("/api/links/link123/stop", {"why": "work on the line"})
    change = s.until("change", lambda o: any(link["lamp"] == "stopped" for link in o["links"]))
    judge(change, CONTRACT["components"]["schemas"]["Overview"], "a change")
    s.close()


def test_no_user_takes_all_places(lab):
    london, paris, ids = stuck(lab, viewers=4)
    c, other = Console(london, "viewer"), Console(london, "operator")
    streams = [Stream(c) for _ in range(3)]
    for s in streams:
        s.until("overview")
    c.get("/api/stream", 429)
    same(london.event("console.viewers")["fields"]["user"], "viewer", "who was told to come later")
    s = Stream(other)
    s.until("overview")
    other.get("/api/stream", 429)
    for s in streams + [s]:
        s.close()


def newest(c):
    return c.get("/api/events?max=1")["rows"][0]["seq"]


def told(c, n, octets, until):
    """Acts on n transfers, whose events are so many octets at most. Acts are events that no storm joins; a quote is two octets of JSON."""
    sent, act = 0, "hold"
    while sent < octets and not until():
        same(c.act(act, {"all": True}, why='"' * 300)["done"], n, act)
        act, sent = "release" if act == "hold" else "hold", sent + n * 600


def listen(stream, last, seen):
    """Numbers of what comes, up to the event that gives this reason."""
    while True:
        got = stream.next()
        if got is None:
            return
        if got[0] == "event":
            seen.append(got[1]["seq"])
            if {"name": "why", "value": last} in got[1]["fields"]:
                return


def test_a_viewer_that_does_not_read(lab):
    """It is cut off, and told so in an event; the console keeps nothing for it; the others hear everything, and mail goes on. When it comes again it is
    told that it missed something, and gets what is kept."""
    london, paris, ids = stuck(lab)
    c = Console(london, "operator")
    for i in range(20):
        london.send(london.alice, paris.claude, "number %d" % i)
    reads, slow = Stream(Console(london, "viewer")), Stream(c, window=4096)
    reads.until("overview")
    seen = []
    listener = threading.Thread(target=listen, args=(reads, "the end", seen))
    listener.start()
    before = newest(c)
    try:
        told(c, 20 + len(ids), 8 << 20, lambda: london.find("console.viewer-cut"))  # the ring holds 4 MB of JSON, the system less than 1 MB
        london.event("console.viewer-cut")
        memory = london.usage("console.0")[1]
        london.send(london.alice, london.alice, "mail goes on")
        london.wait_mail("alice", 2)
        c.get("/api/overview")
    finally:
        c.post("/api/queue/hold", {"filter": {"id": ids[0]}, "why": "the end"})
        listener.join()
    after = newest(c)
    expect(seen[0] <= before + 1 and seen == list(range(seen[0], seen[-1] + 1)), "who reads hears all of them", seen[0], before, len(seen))
    expect(len(rest(slow.c.sock)) < 2 << 20, "who did not is cut off from what waited for him")
    if not is_sanitized(lab.program):
        expect(memory < 100 << 20, "memory", memory)
    for s in reads, slow:
        s.close()
    again, heard = Stream(c, after=before), []
    again.until("overview")
    gap = again.until("gap")
    judge(gap, CONTRACT["components"]["schemas"]["Gap"], "gap of the stream")
    listen(again, "the end", heard)
    same((gap["after"], gap["before"]), (before, heard[0]), "what it is told of what it missed")
    expect(len(heard) > 1000 and heard == list(range(heard[0], heard[-1] + 1)) and heard[-1] <= after, "all that is kept comes", len(heard), heard[-1], after)
    again.close()
    return "%d events, %d heard again, %d MB" % (len(seen), len(heard), memory >> 20)


def test_a_viewer_that_was_away(lab):
    """What has happened meanwhile comes before what happens then, each once."""
    london, paris, ids = stuck(lab)
    c = Console(london, "operator")
    first = Stream(c)
    first.until("overview")
    c.post("/api/queue/hold", {"filter": {"all": True}, "why": "one"})
    heard = []
    listen(first, "one", heard)
    first.close()
    for why in ("two", "three"):
        c.post("/api/queue/hold", {"filter": {"all": True}, "why": why})
    for ask in ({"after": heard[-1]}, {"query": "?after=%d" % heard[-1]}):
        now, missed = Stream(c, **ask), []
        c.post("/api/queue/hold", {"filter": {"all": True}, "why": "four"})
        for why in ("two", "three", "four"):
            listen(now, why, missed)
        same(missed, list(range(heard[-1] + 1, missed[-1] + 1)), "all of them, in order")
        now.close()
    other = Stream(c, after=newest(c) + 1000000)
    same(other.until("gap")["after"] > newest(c), True, "a number that was never given is no place to go on from")
    other.close()
    for bad in ("x", "-1", "1x"):
        same(Stream(c, after=bad).status, 400, "Last-Event-ID: %s" % bad)


def test_others_may_be_away(lab):
    london, paris, ids = stuck(lab)
    c = Console(london, "operator")
    reader, switch = london.pids()["reader.0"], london.pids()["switch.0"]
    wait_for(lambda: c.overview()["switch"], "all is well")
    with lab.held(reader, switch):
        begun = time.monotonic()
        c.get("/api/queue", 503)
        c.get("/api/message/transfer/1/text", 503)
        took = time.monotonic() - begun
        expect(took < 30, "each is answered in some 5 s, and the machine is busy", took)
        wait_for(lambda: not c.overview()["switch"], "a switch that does not answer is away")
        c.post("/api/links/%s/retry" % paris.name, {}, 503)
    wait_for(lambda: c.overview()["switch"], "the switch is back")
    wait_for(lambda: c.ask("GET", "/api/queue").status == 200, "the reader is back")


def test_other_addresses_end_no_session(lab):
    """Doors are shut and opened while pages follow: the console stays what it is, and so does who is logged in; so it does when it is ended."""
    london, paris, ids = stuck(lab)
    c = Console(london, "operator")
    streams = [Stream(c) for _ in range(3)]
    for s in streams:
        s.until("overview")
    port = free_port()
    london.settings["console"]["listen"] = ["127.0.0.1:%d" % port]
    london.write()
    london.command("reload", "-c", london.path)
    for s in streams:
        expect(ended(s), "a stream through a door that is shut ends")
        s.close()
    cookie = c.cookie.replace("posthorn%d" % c.port, "posthorn%d" % port)
    c.port, c.cookie = port, cookie
    same(c.get("/api/session")["user"], "operator", "whose session it is")
    s = Stream(c)
    s.until("overview")
    london.stop()
    s.close()
    same([e for e in london.events if e["event"] == "process.fault"], [], "deaths")


def ended(stream):
    try:
        while stream.next() is not None:
            pass
    except (http.client.HTTPException, ConnectionError):
        pass
    return True


def test_sessions_end(lab):
    london, paris, ids = stuck(lab, **{"session-time": "2 s"})

    def begun():
        """A session whose stream was asked for in time."""
        c = Console(london, "operator")
        s = Stream(c)
        return (c, s) if s.status == 200 else s.close()
    c, s = wait_for(begun, "a stream")
    expect("session" in s.until("bye")["error"], "the stream keeps no session alive")
    c.get("/api/session", 401)
    london.settings["console"]["session-time"] = "1 h"
    london.write()
    london.command("reload", "-c", london.path)
    c = Console(london, "operator")
    viewer = Console(london, "viewer")
    viewer.get("/api/session")
    london.settings["console"]["users"] = [u for u in london.settings["console"]["users"] if u["name"] != "viewer"]
    london.write()
    london.command("reload", "-c", london.path)
    wait_for(lambda: viewer.ask("GET", "/api/session").status == 401, "who is no user any more is out")
    c.get("/api/session")


main(test_answers_are_as_the_contract_says, test_acts_are_done_and_told, test_a_stopped_link_stays_stopped, test_live_updates, test_many_links_come_in_pages, test_no_user_takes_all_places, test_a_viewer_that_does_not_read, test_a_viewer_that_was_away,
     test_others_may_be_away, test_other_addresses_end_no_session, test_sessions_end)
