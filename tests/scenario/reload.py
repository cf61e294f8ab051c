#!/usr/bin/env python3
"""What new settings do to mail on its way: London, Paris and Tokyo, load, and `posthorn reload` meanwhile. How settings are read, refused
and told is in reload_config.py."""
import os
import socket
import ssl
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fault"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from connector import Program  # noqa: E402
from operating import submit, three_sites  # noqa: E402
from posthorn import expect, free_port, main, same, wait_for  # noqa: E402
from secure import Authority  # noqa: E402


def reload(m, status=0):
    m.write()
    return m.command("reload", "-c", m.path, status=status)


def link_of(m, name):
    return [k for k in m.settings["links"] if k["name"] == name][0]


def calls(m, link, after=0):
    """Addresses, with the port, from which the peer has called and been let in: one for each association."""
    return [e["fields"]["peer"] for e in m.events[after:] if e["event"] == "link.inbound" and e["fields"]["link"] == link]


def subjects_once(m, mailbox, n):
    """So many different ones, none of them twice."""
    rows = m.wait_mail(mailbox, n)
    ids = [r["id"] for r in rows]
    same((len(ids), len(set(ids))), (n, n), "messages, and different ones, in %s of %s" % (mailbox, m.name))


class Load(threading.Thread):
    """Mail from here, the whole time."""

    def __init__(self, m, total, *template):
        super().__init__()
        self.args, self.ids = (m, total, *template), []
        self.start()

    def run(self):
        self.ids = submit(*self.args)[0]


def op_06_k145976_a_link_is_added_under_load(lab):
    """Nothing is started anew, and the association of the link that did not change is the same one before and after."""
    london, paris, tokyo = lab.mta("london"), lab.mta("paris", "FR"), lab.mta("tokyo", "JP")
    london.alice = london.mailbox("alice")
    claude, taro = paris.mailbox("claude"), tokyo.mailbox("taro")
    row = london.link(paris)
    row["max-associations"] = 1
    paris.link(london)
    tokyo.link(london)
    london.start(wait=False)
    paris.start(wait=False)
    tokyo.start(wait=False)
    for m in (london, paris, tokyo):
        m.event("supervisor.up")
    london.send("alice", claude, "--subject", "first")
    paris.wait_mail("claude", 1)
    before, called = london.pids(), wait_for(lambda: calls(paris, "london"), "Paris says who has called")
    same(len(called), 1, "associations with Paris")
    load = Load(london, 300, ("--from", london.alice, "--to", claude, "t"))
    london.link(tokyo)
    reload(london)
    london.send("alice", taro, "--subject", "by the new link")
    tokyo.wait_mail("taro", 1)
    link_of(london, "paris")["open-interval"] = "7 s"  # of no concern to the peer
    link_of(london, "paris")["transfer-interval"] = "7 s"
    reload(london)
    load.join()
    subjects_once(paris, "claude", 301)
    same(calls(paris, "london"), called, "associations with Paris, after all")
    same(london.find("link.released", link="paris"), None, "releases of it")
    same(london.find("link.association-ended", link="paris"), None, "ends of it")
    same(london.pids(), before, "processes")
    return "301 on one association from %s" % called[0]


def op_12_a_password_changes_at_both_ends(lab):
    """One end after the other: mail waits, nothing is reported, and it goes on when the second one has changed, long before the interval."""
    london, paris = lab.pair()
    london.link(paris, open_interval="20 min", max_associations=1)
    paris.link(london)
    london.start(wait=False)
    paris.start(wait=False)
    london.event("supervisor.up")
    paris.event("supervisor.up")
    london.send("alice", paris.claude, "--subject", "before")
    paris.wait_mail("claude", 1)
    load = Load(london, 200, ("--from", london.alice, "--to", paris.claude, "t"))
    link_of(paris, "london")["remote-password"] = "another"
    reload(paris)
    load.join()
    london.event("link.credentials-refused", link="paris")
    wait_for(lambda: london.status()[0]["paris"]["state"] == "waiting", "it waits for its interval")
    link_of(london, "paris")["local-password"] = "another"
    reload(london)
    subjects_once(paris, "claude", 201)
    same(london.mail("alice"), [], "reports")
    london.wait_empty()


def op_12_two_passwords_overlap(lab):
    """remote-password-next is as good from the reload on, and takes nobody's association away."""
    london, paris = lab.pair()
    london.link(paris, open_interval="20 min", max_associations=1)
    paris.link(london)
    london.start(wait=False)
    paris.start(wait=False)
    london.event("supervisor.up")
    paris.event("supervisor.up")
    london.send("alice", paris.claude, "--subject", "old")
    paris.wait_mail("claude", 1)
    called = wait_for(lambda: calls(paris, "london"), "Paris says who has called")
    link_of(paris, "london")["remote-password-next"] = "another"
    reload(paris)
    london.send("alice", paris.claude, "--subject", "still old")
    paris.wait_mail("claude", 2)
    same(calls(paris, "london"), called, "associations")
    link_of(london, "paris")["local-password"] = "another"
    reload(london)
    london.send("alice", paris.claude, "--subject", "new")
    paris.wait_mail("claude", 3)
    wait_for(lambda: len(calls(paris, "london")) >= 2, "Paris says who has called now")
    same(len(calls(paris, "london")), 2, "the old one, and one with the new password")
    same(london.find("link.credentials-refused"), None, "refusals")


def k145976_k175708_k195905_k284254_queued_mail_goes_by_the_new_route(lab):
    london, paris, tokyo = three_sites(lab)
    link_of(london, "paris")["open-interval"] = "20 min"  # Paris is down
    london.start(wait=False)
    tokyo.start(wait=False)
    london.event("supervisor.up")
    tokyo.event("supervisor.up")
    ids = submit(london, 200, ("--from", london.alice, "--to", paris.claude, "t"))[0]
    same(london.status()[0]["paris"]["queued"], 200, "in the queue of Paris")
    before = london.pids()
    [r for r in london.settings["routes"] if r["match"] == paris.domain][0]["to"] = "tokyo"
    reload(london)
    subjects_once(tokyo, "relay", 200)
    london.wait_empty()
    same(london.status()[0]["paris"]["queued"], 0, "in the queue of Paris")
    expect("rerouted" in london.steps(ids[0]), "the journey says it", london.steps(ids[0]))
    same(london.pids(), before, "processes")
    same(london.mail("alice"), [], "reports")


def k152876_k176518_a_link_is_removed_with_mail_queued(lab):
    """What has another way takes it; what has none stays and is seen, until there is one."""
    london, paris, tokyo = three_sites(lab)
    link_of(london, "paris")["open-interval"] = "20 min"
    london.start(wait=False)
    tokyo.start(wait=False)
    london.event("supervisor.up")
    tokyo.event("supervisor.up")
    submit(london, 50, ("--from", london.alice, "--to", paris.claude, "t"))
    link, routes = link_of(london, "paris"), london.settings["routes"]
    london.settings["links"].remove(link)
    london.settings["routes"] = [r for r in routes if r["to"] != "paris"]
    mark = london.mark()
    reload(london)
    london.event("link.settings", after=mark, link="paris", what="removed")
    row = london.status()[0]["paris"]
    same((row["state"], row["queued"]), ("removed", 50), "the link that is gone")
    same(len(london.rows("queue", "list", "--link", "paris")), 50, "what waits there")
    ids = [r["transfer"] for r in london.rows("queue", "list", "--link", "paris")]
    london.rows("queue", "hold", "--id", str(ids[0]))
    london.settings["routes"].append({"match": paris.domain, "to": "tokyo"})
    reload(london)
    subjects_once(tokyo, "relay", 49)
    london.rows("queue", "release", "--held")
    subjects_once(tokyo, "relay", 50)
    london.wait_empty()
    same(london.mail("alice"), [], "reports")


def k182318_k196664_routes_in_a_circle_end(lab):
    """London and Tokyo think that the other is nearer to Paris: each message goes round once, is told of once, and then all is quiet."""
    london, paris, tokyo = three_sites(lab)
    link_of(london, "paris")["open-interval"] = "20 min"
    tokyo.settings["mailboxes"] = [b for b in tokyo.settings["mailboxes"] if b["name"] != "relay"]
    tokyo.settings["routes"] = [r for r in tokyo.settings["routes"] if r["match"] != paris.domain] + [{"match": paris.domain, "to": "london"}]
    london.start(wait=False)
    tokyo.start(wait=False)
    london.event("supervisor.up")
    tokyo.event("supervisor.up")
    submit(london, 100, ("--from", london.alice, "--to", paris.claude, "t"))
    route = [r for r in london.settings["routes"] if r["match"] == paris.domain][0]
    for to in ("tokyo", "paris", "tokyo"):
        route["to"] = to
        reload(london)
    london.wait_mail("alice", 100)  # reports
    london.wait_empty()
    tokyo.wait_empty()
    moved = [e for e in london.events if e["event"] == "message.placed-again"]
    expect(len(moved) <= 300, "each is placed again once for a change, at most", len(moved))
    same(len(london.mail("alice")), 100, "one report for each")


def a_link_changes_while_a_long_message_is_on_it(lab):
    """The association ends after the message, whose transfer is not begun anew; the next goes by the new settings."""
    london, paris = lab.pair()
    london.link(paris, max_associations=1)
    paris.link(london)
    london.start(wait=False)
    paris.start(wait=False)
    london.event("supervisor.up")
    paris.event("supervisor.up")
    london.send("alice", paris.claude, "--subject", "before")
    paris.wait_mail("claude", 1)
    for n in range(4):
        london.send("alice", paris.claude, "--subject", "long %d" % n, "--text-file", lab.file("long.txt", b"line of text\r\n" * 800000))
        link_of(london, "paris")["window-size"] = 3 + n
        link_of(london, "paris")["local-mta-name"] = "london"
        reload(london)
    subjects_once(paris, "claude", 5)
    london.wait_empty()
    same(london.find("message.retry"), None, "transfers that were begun anew")
    same(london.find("link.association-ended", link="paris"), None, "associations that were not released in order")


def a_link_gets_another_kind(lab):
    """A peer that is down; a program in its place; the peer again. The queue is the link's, nothing is lost or twice, nobody is started anew."""
    london, paris = lab.pair()
    row = london.link(paris, open_interval="20 min", max_associations=1)
    row["name"] = [r for r in london.settings["routes"] if r["match"] == paris.domain][0]["to"] = "folder"
    paris.link(london)
    as_x400, as_connector = dict(row), {"name": "folder", "kind": "connector", "max-associations": 1}
    program = Program(london)
    london.start()
    before = london.pids()
    submit(london, 20, ("--from", london.alice, "--to", paris.claude, "t"))
    wait_for(lambda: london.status()[0]["folder"]["state"] == "waiting", "Paris is down")

    def turn_into(kind):
        row.clear()
        row.update(kind)
        return reload(london)

    expect("kind: x400 -> connector" in turn_into(as_connector), "said")
    same(london.status()[0]["folder"]["queued"], 20, "kept in the queue")
    program.start()
    program.wait_outbox(20)
    london.wait_empty()
    paris.start()
    london.send("alice", paris.claude, "--subject", "by the program")
    program.wait_outbox(21)
    turn_into(as_x400)
    submit(london, 20, ("--from", london.alice, "--to", paris.claude, "t"))
    subjects_once(paris, "claude", 20)
    london.wait_empty()
    same(london.pids(), before, "processes")
    same(london.mail("alice"), [], "reports")
    same(len(program.outbox()), 21, "at the program")


def certificates_are_read_again(lab):
    """Another certificate in the same file, and nothing else: shown from the reload on. One that is no certificate: the old one serves on."""
    authority, london = Authority(lab), lab.mta("london")
    london.mailbox("alice")
    mine = authority.certificate("client", "IP:127.0.0.1")
    london.settings["tls"] = authority.certificate("london", "IP:127.0.0.1")
    port = free_port()
    london.settings["listen-tls"] = ["127.0.0.1:%d" % port]
    london.start()

    def serial():
        context = ssl.create_default_context(cafile=authority.file("pem"))
        context.load_cert_chain(mine["certificate"], mine["key"])
        with socket.create_connection(("127.0.0.1", port), 30) as raw, context.wrap_socket(raw, server_hostname="127.0.0.1") as s:
            return s.getpeercert()["serialNumber"]

    first = serial()
    same(serial(), first, "the same one each time")
    authority.certificate("london", "IP:127.0.0.1")
    same(serial(), first, "before it is told")
    same(reload(london), "nothing has changed\n", "the settings")
    second = serial()
    expect(second != first, "another one", second)
    with open(london.settings["tls"]["certificate"], "w", encoding="ascii") as f:
        f.write("not yet\n")
    mark = london.mark()
    reload(london)
    london.event("link.tls-failed", after=mark)
    same(serial(), second, "while the file is none")


if __name__ == "__main__":
    main(op_06_k145976_a_link_is_added_under_load, op_12_a_password_changes_at_both_ends, op_12_two_passwords_overlap,
         k145976_k175708_k195905_k284254_queued_mail_goes_by_the_new_route, k152876_k176518_a_link_is_removed_with_mail_queued,
         k182318_k196664_routes_in_a_circle_end, a_link_changes_while_a_long_message_is_on_it, a_link_gets_another_kind, certificates_are_read_again)
