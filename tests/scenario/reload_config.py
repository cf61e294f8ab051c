#!/usr/bin/env python3
"""New settings while an MTA runs: as a whole or not at all, whoever asks, whatever is wrong with them, and whoever dies in the middle. What it
does to mail on its way: reload.py."""
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from msmail import SITE, Net  # noqa: E402
from posthorn import expect, free_port, main, same, wait_for  # noqa: E402


def reload(m, *more, status=0):
    """What it prints; the file is written first."""
    m.write()
    return m.command("reload", "-c", m.path, *more, status=status)


def listens(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def hup(m):
    m.write()
    before = m.mark()
    os.kill(m.process.pid, signal.SIGHUP)
    return before


def what_is_wrong_changes_nothing(lab):
    """Line and column, as at the start; what cannot change while it runs; an address that is taken: nobody hears of any of it."""
    london, paris = lab.pair()
    london.link(paris)
    paris.link(london)
    london.start(wait=False)
    paris.start(wait=False)
    london.event("supervisor.up")
    paris.event("supervisor.up")
    before = london.pids()

    def refused(status, *words):
        mark = london.mark()
        london.lab.command("reload", "-d", london.directory, status=status)
        said = lab.last_error
        for word in words:
            expect(word in said, "\"%s\" in the answer" % word, said)
        same(london.pids(), before, "processes")
        london.event("config.wrong" if status == 78 else "config.refused", after=mark, who="uid %d" % os.getuid(), why=words[-1])
        same(london.find("config.changed"), None, "changes")
        return said

    london.settings["links"][0]["open-intervall"] = "5 min"
    with open(london.write(), encoding="utf-8") as f:
        line = 1 + [n for n, text in enumerate(f) if "open-intervall" in text][0]
    said = refused(78, "%s:%d:5: " % (london.path, line), "did you mean \"open-interval\"?")
    for where in ("-c", london.path), ("-d", london.directory):  # by the file that is wrong, too
        answer = json.loads(lab.command("reload", *where, "--json", status=78))
        same((answer["outcome"], answer["changes"]), ("wrong", []), "as JSON")
        expect("did you mean \"open-interval\"?" in answer["error"], "and why", answer)
    lab.command("status", "-c", london.path, status=78)
    expect("-d DIRECTORY" in lab.last_error, "how to reach the MTA meanwhile", lab.last_error)
    lab.command("status", "-d", london.directory)
    del london.settings["links"][0]["open-intervall"]

    london.settings["links"][0]["open-interval"] = "1 min"  # right by itself, and not done, since something else is not
    london.settings["mta"]["domain"] = "C=GB; A=OTHER; P=LONDON"
    london.write()
    refused(1, "mta.domain cannot change while it runs")
    london.settings["mta"]["domain"] = london.domain
    london.settings["processes"]["links"] = 3
    london.write()
    refused(1, "processes.links cannot change while it runs")
    london.settings["processes"]["links"] = 1

    with socket.create_server(("127.0.0.1", 0)) as taken:
        london.settings["listen"].append("127.0.0.1:%d" % taken.getsockname()[1])
        london.write()
        refused(1, "127.0.0.1:%d" % taken.getsockname()[1])
    london.settings["listen"].pop()

    with open(london.path, "w", encoding="utf-8") as f:
        f.write("\t")
    refused(78, "%s:1:1: " % london.path, "a tab: indent with spaces")
    os.unlink(london.path)
    refused(78, london.path, "No such file")
    os.mkfifo(london.path)  # whoever reads it waits for ever: nobody else does
    london.lab.command("send", "-d", london.directory, "--from", london.alice, "--to", paris.claude, "--subject", "meanwhile")
    paris.wait_mail("claude", 1)
    os.unlink(london.path)

    out = reload(london)
    same(out, "links[paris].open-interval: 300 ms -> 1 min\n", "what the next one does, that is right")
    return said.strip()[:100]


def listeners_links_and_routes_come(lab):
    """A peer and a second address, by a command: mail flows, and not one process is another. Passwords are not shown anywhere."""
    london, paris = lab.pair()
    london.start(wait=False)
    paris.link(london)
    paris.start(wait=False)
    london.event("supervisor.up")
    paris.event("supervisor.up")
    before, second, first = london.pids(), free_port(), london.port
    london.link(paris)
    london.settings["listen"].append("127.0.0.1:%d" % second)
    dry = reload(london, "--dry-run")
    expect(not listens(second), "nothing is bound by a dry run")
    same(london.find("config.changed"), None, "changes after a dry run")
    answer = json.loads(reload(london, "--json"))
    same(answer["outcome"], "reloaded", "the answer")
    same("".join(c + "\n" for c in answer["changes"]) + "nothing was done\n", dry, "what the dry run has said")
    for line in ("listen: + \"127.0.0.1:%d\"" % second, "links[paris]: new", "routes[%s -> paris]: new" % paris.domain):
        expect(line in answer["changes"], line, answer)
    london.event("supervisor.listening", address=":%d" % second)
    london.event("config.changed", what="links[paris]: new", who="uid %d" % os.getuid())
    expect(listens(second), "it listens there, too")
    london.send("alice", paris.claude, "--subject", "by the new link")
    paris.wait_mail("claude", 1)
    same(london.pids(), before, "processes")

    london.settings["listen"] = ["127.0.0.1:%d" % second]
    london.settings["links"][0]["remote-password"] = "another-secret"
    text = reload(london)
    expect("links[paris].remote-password: another one (" in text, "that a password is another", text)
    wait_for(lambda: not listens(first), "the first address is closed")
    paris.settings["links"][0]["address"] = "127.0.0.1:%d" % second
    paris.settings["links"][0]["local-password"] = "another-secret"
    reload(paris)
    paris.send("claude", london.alice, "--subject", "by the second address")
    london.wait_mail("alice", 1)
    same(london.pids(), before, "processes")

    # An address that overlaps the one of before, by one reload, and back: what is open there stays.
    mark, opened = london.mark(), connections(second)
    expect(opened, "an association that Paris has opened")
    for address in ("0.0.0.0", "127.0.0.1"):
        london.settings["listen"] = ["%s:%d" % (address, second)]
        reload(london)
        expect(listens(second), "it listens at %s" % address)
    expect(opened <= connections(second), "associations stay")
    same([e["event"] for e in london.events[mark:] if e["event"].startswith("link.association")], [], "associations that ended")
    same(london.pids(), before, "processes")
    for m in (london, paris):
        told = json.dumps(m.events) + "".join(m.other_lines) + text + dry
        expect("secret" not in told, "no password in events and answers")


def connections(port):
    """By which somebody is connected to that port, by the kernel's numbers."""
    with open("/proc/net/tcp", encoding="ascii") as f:
        rows = [line.split() for line in f][1:]
    return {r[9] for r in rows if r[2].endswith(":%04X" % port) and r[3] == "01"}


def op_06_associations_stay_and_the_next_message_goes_by_the_new_route(lab):
    """What the peer does not see ends nothing: the same connection before and after, which carries what the new route says. What it sees ends that
    link's associations, in order, and no other's."""
    london, paris = lab.pair()
    tokyo = lab.mta("tokyo", "JP")
    taro = tokyo.mailbox("taro")
    for peer in (paris, tokyo):
        london.link(peer, max_associations=1)
        peer.link(london)
    for m in (london, paris, tokyo):
        m.start(wait=False)
    for m in (london, paris, tokyo):
        m.event("supervisor.up")
    london.send("alice", [paris.claude, taro], "--subject", "first")
    paris.wait_mail("claude", 1)
    tokyo.wait_mail("taro", 1)
    before = connections(paris.port), connections(tokyo.port)
    same([len(c) for c in before], [1, 1], "associations")

    london.settings["links"][0]["open-interval"] = "1 min"
    london.settings["links"][0]["size-limit"] = "5 M"
    london.settings["routes"].append({"match": "C=IT; A=POSTHORN", "to": "paris"})
    reload(london)
    london.command("route", "explain", "-c", london.path, "C=IT; A=POSTHORN; S=x")
    london.send("alice", ["C=IT; A=POSTHORN; S=nobody", paris.claude], "--subject", "second")
    paris.wait_mail("claude", 2)
    london.wait_mail("alice", 1)  # that Paris has no way to Italy
    same((connections(paris.port), connections(tokyo.port)), before, "associations after a change that no peer sees")

    london.settings["links"][0]["window-size"] = 3
    reload(london)
    wait_for(lambda: not connections(paris.port) & before[0], "the association is released")
    london.send("alice", [paris.claude, taro], "--subject", "third")
    paris.wait_mail("claude", 3)
    tokyo.wait_mail("taro", 2)
    same(connections(tokyo.port), before[1], "the other link's association")


def by_signal_and_once_more(lab):
    """SIGHUP does the same, and says so in events; what is the same changes nothing."""
    m = lab.mta("london")
    m.mailbox("alice")
    m.start()
    before = m.pids()
    bob = m.mailbox("bob")
    mark = hup(m)
    m.event("config.changed", after=mark, what="mailboxes[bob]: new", who="SIGHUP (uid %d, process %d)" % (os.getuid(), os.getpid()))
    m.event("config.reloaded", after=mark, changes="1")
    m.send("alice", bob, "--subject", "to the new one")
    m.wait_mail("bob", 1)
    for _ in range(2):
        same(reload(m), "nothing has changed\n", "once more")
    same(json.loads(reload(m, "--json")), {"outcome": "unchanged", "changes": []}, "and for a program")
    mark = hup(m)
    m.event("config.unchanged", after=mark)
    same(m.pids(), before, "processes")


def postoffices_and_their_numbers(lab):
    """A link before that of a postoffice gives it another number: its processes are others, and all mail arrives. A link that is gone takes its
    processes with it; one that comes brings them; so it is with one that gets another kind and has its own again."""
    net = Net(lab).start()
    london = net.london
    net.site.send("ANNA", [london_name(net)], "one", b"first\r", own=SITE)
    net.tokyo.wait_mail("taro", 1)
    before = london.pids()
    expect("interchange.0" in before and "mover.1" in before, "processes", before)
    other = {"name": "spare", "address": "127.0.0.1:%d" % free_port(), "remote-mta-name": "spare", "open-interval": "1 min"}
    london.settings["links"].insert(0, other)
    reload(london)
    wait_for(lambda: "interchange.1" in london.pids() and "interchange.0" not in london.pids(), "the interchange has another number")
    after = london.pids()
    for name in ("switch.0", "link.0", "mover.0", "mover.1", "reader.0"):
        same(after[name], before[name], name)
    net.site.send("ANNA", [london_name(net)], "two", b"second\r", own=SITE)
    net.tokyo.wait_mail("taro", 2)
    net.tokyo.send(net.taro, net.ms(SITE + "/ANNA"), "--subject", "back", "--text", "third")
    net.wait_box(net.site, "ANNA", 1)

    kept = [k for k in london.settings["links"] if k["name"] == "msmail"][0]
    movers, routes = london.settings.pop("movers"), london.settings["routes"]
    london.settings["links"].remove(kept)
    london.settings["routes"] = [r for r in routes if r["to"] != "msmail"]
    text = reload(london)
    expect("links[msmail]: gone" in text and "movers[berlin]: gone" in text, "what has gone", text)
    wait_for(lambda: not [n for n in london.pids() if n.split(".")[0] in ("interchange", "converter", "mover")], "none of their processes")
    net.site.send("ANNA", [london_name(net)], "three", b"waits\r", own=SITE)

    london.settings["links"].append(kept)
    london.settings["routes"], london.settings["movers"] = routes, movers
    reload(london)
    net.tokyo.wait_mail("taro", 3)
    was = dict(kept)
    kept.clear()
    kept.update({"name": "msmail", "kind": "connector"})
    london.settings.pop("movers")
    reload(london)
    same([n for n in london.pids() if n.split(".")[0] in ("interchange", "converter")], [], "its processes, of another kind")
    net.tokyo.send(net.taro, net.ms(SITE + "/ANNA"), "--subject", "again", "--text", "fourth")
    wait_for(lambda: london.status()[0]["msmail"]["queued"] == 1, "it waits in the same queue")
    kept.clear()
    kept.update(was)
    london.settings["movers"] = movers
    reload(london)
    net.wait_box(net.site, "ANNA", 2)
    same(london.pids()["switch.0"], before["switch.0"], "the switch")
    net.stop()


def london_name(net):
    """Taro, as the address map of London calls him."""
    return [line.split(" = ")[0] for line in net.link["msmail"]["addresses"] if "TARO" in line][0]


def deaths_in_the_middle(lab):
    """kill -9 of whoever takes new settings, just then: there again with the new ones. Of who reads them: nothing has changed."""
    for kind in ("switch", "link", "alone", "reader", "content"):
        m = lab.mta("mta-" + kind)
        m.mailbox("alice")
        os.environ["POSTHORN_FAULT"] = kind + ":PROCESS_SETTINGS:1:kill"
        try:
            m.start()
        finally:
            del os.environ["POSTHORN_FAULT"]
        before = m.pids()
        bob = m.mailbox("bob")
        mark = hup(m)
        m.event("process.ended", after=mark, name=kind + ".")
        m.event("config.reloaded", after=mark)
        wait_for(lambda m=m, kind=kind: [n for n in m.pids() if n.startswith(kind)], "%s runs again" % kind)
        m.send("alice", bob, "--subject", "after a death of the " + kind)
        m.wait_mail("bob", 1)
        for name, pid in before.items():
            if not name.startswith(kind):
                same(m.pids()[name], pid, name)
        m.stop()

    m = lab.mta("config")
    m.mailbox("alice")
    os.environ["POSTHORN_FAULT"] = "supervisor:SUPERVISOR_CONFIG:1:fail"
    try:
        m.start()
    finally:
        del os.environ["POSTHORN_FAULT"]
    before = m.pids()
    m.mailbox("bob")
    reload(m, status=78)
    expect("died of signal 9" in lab.last_error, "why", lab.last_error)
    same(m.find("config.changed"), None, "changes")
    same(reload(m), "mailboxes[bob]: new\n", "the next time")
    same(m.pids(), before, "processes")


def kill_9_of_the_others_in_the_middle(lab):
    """The gateway's processes, recorder, console and content: killed while the settings are read, they are there again with the old ones, and the reload
    ends in nothing; killed while they are to take the new ones or to end for them, they are there again with the new ones, and the reload is whole."""
    kinds = ("interchange", "mover", "recorder", "console", "content")
    net = Net(lab)
    m = net.london
    m.settings["console"] = {"listen": ["127.0.0.1:%d" % free_port()]}
    m.start()
    first, mark = m.settings["listen"][0], m.mark()

    def name_of(kind):
        return wait_for(lambda: sorted(n for n in m.pids() if n.startswith(kind + ".")), "%s runs" % kind)[0]

    def is_ready(name, after):
        wait_for(lambda: [e for e in m.events[after:] if e["event"] == "process.ready" and e["process"] == name.replace(".", "-")], "%s is ready and says so" % name)

    # While they are read: a pipe in place of the file, that nobody writes yet.
    os.unlink(m.path)
    os.mkfifo(m.path, 0o600)
    asked = subprocess.Popen([lab.program, "reload", "-d", m.directory], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    pipe = os.open(m.path, os.O_WRONLY) # it is open when the other end is
    names = [name_of(kind) for kind in kinds]
    for name in names:
        os.kill(m.pids()[name], signal.SIGKILL)
    for name in names:
        is_ready(name, mark)
    with contextlib.suppress(BrokenPipeError): # the patience with the file is over on a machine so slow
        os.write(pipe, b"mta: [")
    os.close(pipe)
    said = asked.communicate(timeout=90)[1].decode()
    same(asked.returncode, 78, "status: " + said)
    same(m.find("config.changed"), None, "changes")
    os.unlink(m.path)

    changes = {"interchange": lambda: net.link["msmail"].update({"poll": "110 ms"}), "mover": lambda: net.mover.update({"interval": "110 ms"}),
               "content": lambda: m.settings.setdefault("processes", {}).update({"content-memory": "300 M"})}
    for kind in kinds:
        m.settings["event-log"] = {"levels": ["process minimum"]} # none of them says that it is ready
        reload(m)
        port, name = free_port(), name_of(kind)
        m.settings["event-log"] = {}
        m.settings["listen"] = [first, "127.0.0.1:%d" % port]
        changes.get(kind, lambda: None)()
        m.write()
        pid, mark = m.pids()[name], m.mark()
        with lab.held(pid): # so that the reload waits for it
            asked = subprocess.Popen([lab.program, "reload", "-c", m.path, "--json"], stdout=subprocess.PIPE)
            wait_for(lambda port=port: listens(port), "the settings were read, and nothing can be wrong any more")
            os.kill(pid, signal.SIGKILL)
        same(json.loads(asked.communicate(timeout=90)[0])["outcome"], "reloaded", "the end of the reload when the %s dies" % kind)
        is_ready(name, mark)
    m.send("alice", net.alice, "--subject", "after all of it")
    m.wait_mail("alice", 1)
    same(m.find("process.fault"), None, "faults")


def the_supervisor_dies_in_the_middle(lab):
    """All end with it; at the next start the new ones are in force, and nothing that was accepted is lost."""
    m = lab.mta("london")
    alice = m.mailbox("alice")
    os.environ["POSTHORN_FAULT"] = "supervisor:SUPERVISOR_RELOAD:1:kill"
    try:
        m.start()
    finally:
        del os.environ["POSTHORN_FAULT"]
    m.send("alice", alice, "--subject", "before")
    bob = m.mailbox("bob")
    hup(m)
    same(m.killed(kill=False), -signal.SIGKILL, "how it ended")
    m.start()
    m.wait_mail("alice", 1)
    m.send("alice", bob, "--subject", "after")
    m.wait_mail("bob", 1)


main(what_is_wrong_changes_nothing, listeners_links_and_routes_come,
     op_06_associations_stay_and_the_next_message_goes_by_the_new_route, by_signal_and_once_more, postoffices_and_their_numbers,
     deaths_in_the_middle, kill_9_of_the_others_in_the_middle, the_supervisor_dies_in_the_middle)
