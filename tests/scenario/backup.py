#!/usr/bin/env python3
"""A backup is made while mail flows, on a full disk, and while somebody ends it; and an MTA goes on with what was made of it."""
import glob
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from msmail import SITE, Net  # noqa: E402
from posthorn import PATIENCE_S, Skip, expect, free_port, is_sanitized, main, same, wait_for  # noqa: E402

USAGE, FOREIGN, NONE, COPY, IO, IN_USE = 64, 65, 66, 73, 74, 75
FOREVER = {"max_open_retries": 100000, "max_transfer_retries": 100000}
BACKLOG, LONG = 400, 60


def relay(lab):
    """An MTA that relays from `load` to `sink`, and has a link to nowhere."""
    m = lab.mta("relay", "FR")
    m.alice = m.mailbox("alice")
    m.sink = free_port()
    m.settings["store"]["inline-content"] = "16 K"
    m.settings["links"] += [
        {"name": "load", "remote-mta-name": "load", "remote-password": "secret"},
        {"name": "sink", "address": "127.0.0.1:%d" % m.sink, "remote-mta-name": "load", "threshold": 1, "max-associations": 6,
         "open-interval": "300 ms"},
        {"name": "nowhere", "address": "127.0.0.1:%d" % free_port(), "remote-mta-name": "nowhere", "max-open-retries": 100000}]
    m.settings["routes"] += [{"match": "C=SE; A=BENCH; P=SINK", "to": "sink"}, {"match": "C=SE; A=BENCH; P=NOWHERE", "to": "nowhere"}]
    return m


def bench(m, *options):
    return subprocess.Popen([m.lab.program, "bench", "--mta", "load", "--password", "secret", "--json", "--to", "127.0.0.1:%d" % m.port,
                             *map(str, options)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def backlog(m, n, size):
    """Messages that wait for the link to nowhere: ids."""
    p = bench(m, "--recipient", "C=SE; A=BENCH; P=NOWHERE; O=Example; S=Recipient", "--associations", 4, "--messages", n, "--size", size)
    p.communicate(timeout=170)


def load(m, seconds, size):
    return bench(m, "--listen", "127.0.0.1:%d" % m.sink, "--associations", 5, "--messages", 1000000, "--seconds", seconds, "--size", size)


def rate(p):
    out = p.communicate(timeout=170)[0]
    same(p.returncode, 0, "all arrived, once and whole")
    return json.loads(out.splitlines()[-1])["msgs_per_s"]


def waiting(m):
    return {r["id"] for r in m.rows("queue", "list", "--link", "nowhere")}


def take(m, target, *options):
    return json.loads(m.command("backup", "-c", m.path, "--json", *options, target))


def goes_on_with(lab, m, target, *options, before=None):
    """Another MTA of the same settings, on what is made of the backup; before(its directory) before it starts."""
    again = lab.mta(m.name + "2", "FR")
    again.settings = dict(m.settings, store=dict(m.settings["store"], directory=again.directory), listen=["127.0.0.1:%d" % again.port])
    lab.command("restore", *options, target, again.directory)
    lab.command("check", again.directory)
    if before:
        before(again.directory)
    return again.start()


def under_load(lab):
    """Made while mail of both kinds flows, inline and in files: whole, all that waited all the time is in it, and it goes on somewhere else."""
    m = relay(lab).start()
    backlog(m, BACKLOG, 2048)
    backlog(m, LONG, 40000)
    m.send("alice", m.alice, "kept")
    m.wait_mail("alice", 1)
    before = waiting(m)
    same(len(before), BACKLOG + LONG, "the backlog")
    seconds = 4 if is_sanitized(lab.program) else 2
    for i in range(3):
        flows = load(m, seconds, (2048, 40000, 300000)[i])
        target = os.path.join(lab.root, "backup-%d" % i)
        made = take(m, target)
        expect(made["messages"] >= BACKLOG + LONG + 1, "all that waited", made)
        expect(rate(flows) > 0, "mail went on")
        lab.command("check", target)
    same(waiting(m), before, "what waits goes on waiting")
    m.stop()
    lab.command("check", m.directory)
    again = goes_on_with(lab, m, target)
    same(waiting(again), before, "what waited is there")
    same(len(again.mail("alice")), 1, "the mailbox")
    expect(again.send("alice", m.alice, "new") not in before, "new ids")
    again.wait_mail("alice", 2)
    same(json.loads(lab.command("check", "--json", os.path.join(lab.root, "backup-0")))["violations"], 0, "it is as it was")
    return "%d messages of a moment, in %d files" % (made["messages"], made["files"])


def held(lab):
    """With --hold nothing goes twice: it waits for the operator, also where the way is open now."""
    london, paris = lab.pair()
    london.link(paris, **FOREVER)
    paris.link(london)
    london.start()
    ids = {london.send("alice", paris.claude, "message %d" % i) for i in range(3)}
    target = os.path.join(lab.root, "backup")
    same(take(london, target)["transfers"], 3, "what waits")
    same(london.event("backup.done")["fields"]["messages"], "3", "the MTA says so")
    same(sorted(os.listdir(target)), ["manifest", "settings.yaml", "store.db"], "files")
    same([n for n in os.listdir(target) if os.stat(os.path.join(target, n)).st_mode & 0o077], [], "what others may read")
    done = subprocess.run(["sha256sum", "--check", "--strict", "manifest"], cwd=target, capture_output=True, text=True, check=False)
    same(done.returncode, 0, "sha256sum reads the manifest: %s" % done.stderr)
    paris.start()
    paris.wait_mail("claude", 3)
    london.wait_empty()
    london.stop()
    again = goes_on_with(lab, london, target, "--hold")
    same({r["id"] for r in again.rows("queue", "list", "--held")}, ids, "all are held")
    again.command("queue", "release", "-c", again.path, "--held")
    again.wait_empty()
    same(len(paris.mail("claude")), 3, "known as duplicates")
    return "3 held, 3 released"


def postoffices(lab):
    """What interchanges and movers remember is in it, and a restore says of when; with what the lost store knows of since, as the operator's
    book has it, nothing is put into a postoffice twice that the backup had as waiting."""
    net = Net(lab, mover=False)
    m, bag = net.london, net.shadow.externals()[SITE]
    m.start()

    def put(subject):
        m.send("alice", net.ms(SITE + "/ANNA"), "--subject", subject, "--text", "t")

    def there(po=net.shadow):
        return sorted(h.subject for h in po.bag(bag))

    put("before")
    m.wait_empty()
    m.command("link", "stop", "-c", m.path, "msmail")
    put("between")
    aside = os.path.join("mover-berlin", "INQUEUE3-00000012", "00000012.MAI")
    os.makedirs(os.path.dirname(os.path.join(m.directory, aside)))
    with open(os.path.join(m.directory, aside), "wb") as f:
        f.write(b"the only copy")
    target = os.path.join(lab.root, "backup")
    made = take(m, target)
    expect(made["transfers"] == 1 and made["msmail_files"] >= 2, "what waits, and what is remembered", made)
    same(made["under_way"], 0, "transfers under way")
    m.command("link", "start", "-c", m.path, "msmail")
    m.wait_empty()
    same(there(), [b"before", b"between"], "what the postoffice has")
    m.stop()
    said = lab.command("restore", target, os.path.join(lab.root, "other"))
    expect("files of interchanges and movers" in said and "their postoffices are as they are now" in said, "it says so", said)

    def know_better(directory):
        for name in glob.glob(os.path.join(m.directory, "interchange-*", "sent.*")):
            shutil.copy(name, os.path.join(directory, os.path.relpath(name, m.directory)))
    again = goes_on_with(lab, m, target, before=know_better)
    with open(os.path.join(again.directory, aside), "rb") as f:
        same(f.read(), b"the only copy", "what a mover has set aside")
    same(len(again.rows("queue", "list")), 1, "it waits again")
    again.command("link", "start", "-c", again.path, "msmail")  # it was stopped then
    again.wait_empty()
    same(there(), [b"before", b"between"], "it is known")
    again.command("send", "-c", again.path, "--from", "alice", "--to", net.ms(SITE + "/BERT"), "--subject", "after", "t")
    again.wait_empty()
    same(there(), [b"after", b"before", b"between"], "and mail goes on")
    same([e["event"] for e in again.events if e["event"] == "interchange.sent-lost"], [], "nothing of it is damaged")
    return "%d files of interchanges and movers" % made["msmail_files"]


def statuses(lab):
    m = lab.mta("london")
    m.mailbox("alice")
    m.start()
    target = os.path.join(lab.root, "backup")
    take(m, target)
    lab.command("backup", "-c", m.path, target, status=COPY)
    m.event("backup.failed", why="is there already")
    mark = m.mark()
    done = subprocess.run([lab.program, "backup", "-c", m.path, "--quiet", "here"], cwd=lab.root, capture_output=True, text=True, check=False)
    same((done.returncode, done.stderr), (0, ""), "a path that begins where the command is given")
    same(m.event("backup.done", after=mark)["fields"]["target"], os.path.join(os.path.realpath(lab.root), "here"), "the whole path, for everybody else")
    lab.command("backup", "-c", m.path, status=USAGE)
    lab.command("backup", target + "2", status=USAGE)
    lab.command("backup", "-d", os.path.join(lab.root, "nothing"), target + "2", status=IO)
    os.mkdir(os.path.join(lab.root, "empty"))
    lab.command("backup", "-d", os.path.join(lab.root, "empty"), target + "2", status=NONE)
    lab.command("backup", "-c", m.path, os.path.join(lab.root, "no", "such", "folder"), status=COPY)
    lab.command("restore", target, m.directory, status=COPY)  # it is used
    lab.command("restore", os.path.join(lab.root, "empty"), os.path.join(lab.root, "new"), status=NONE)
    lab.command("restore", target, status=USAGE)
    for backup, status, says in ((os.path.join(lab.root, "nothing"), NONE, "nothing/manifest: cannot be opened: No such file or directory"), (m.path, NONE, "found a file, want the directory"),
                                 (os.path.join(lab.root, "empty"), NONE, "it has no manifest")):
        lab.command("restore", backup, os.path.join(lab.root, "new"), status=status)
        expect(backup in lab.last_error and says in lab.last_error, "why %s is no backup" % backup, lab.last_error)
    may_not_be_read(lab, target, "manifest")
    may_not_be_read(lab, target, "store.db")
    m.stop()
    lab.command("backup", "-d", m.directory, target + "3", "--quiet")
    lab.command("check", target + "3")
    with open(os.path.join(target, "store.db"), "r+b") as f:
        f.seek(5000)
        f.write(b"!")
    lab.command("restore", target, os.path.join(lab.root, "new"), status=IO)
    with open(os.path.join(target, "manifest"), "ab") as f:
        f.write(b"# one more line\n")
    lab.command("restore", target, os.path.join(lab.root, "new"), status=FOREIGN)
    expect(not os.path.exists(os.path.join(lab.root, "new")), "nothing is left")
    return "0, 64, 65, 66, 73, 74"


def may_not_be_read(lab, target, name):
    """Root reads everything: then somebody else asks."""
    path, new, other = os.path.join(target, name), os.path.join(lab.root, "other", "new"), 65534
    os.makedirs(os.path.dirname(new), exist_ok=True)
    for folder in (lab.root, target, os.path.dirname(new)):
        os.chmod(folder, 0o777)
    for file in os.listdir(target):
        os.chmod(os.path.join(target, file), 0o755)
    os.chmod(path, 0)
    done = subprocess.run([lab.program, "restore", target, new], stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE_S, check=False,
                          user=other if os.geteuid() == 0 else None)
    os.chmod(path, 0o600)
    same(done.returncode, IO, "exit status: %r" % done.stderr)
    expect(("%s: cannot be opened: Permission denied" % path).encode() in done.stderr, "why it cannot be read", done.stderr)
    expect(not os.path.exists(new), "nothing is left")


def interrupted(lab):
    """Ended in order nothing is left; killed, what is left is in nobody's way: not the MTA's, not the next backup's."""
    m = relay(lab).start()
    backlog(m, 300, 15000)
    backlog(m, 20, 40000)
    target = os.path.join(lab.root, "backup")
    for how, left in ((signal.SIGTERM, False), (signal.SIGKILL, True)):
        p = subprocess.Popen([lab.program, "backup", "-c", m.path, target], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(lambda: os.path.exists(target + ".part") or p.poll() is not None, "it has begun", step=0.001)
        p.send_signal(how)
        p.wait(60)
        expect(not os.path.exists(target) or p.returncode == 0, "no half of a backup", p.returncode)
        if os.path.exists(target):
            shutil.rmtree(target)  # it was faster
        elif not left:
            expect(not os.path.exists(target + ".part"), "nothing is left")
    m.send("alice", m.alice, "mail goes on")
    m.wait_mail("alice", 1)
    take(m, target)
    same(sorted(n for n in os.listdir(lab.root) if n.startswith("backup")), ["backup"], "nothing is beside it")
    expect(not os.path.exists(os.path.join(m.directory, "backup.hold")), "nothing is held")
    m.stop()
    lab.command("check", m.directory)
    return "ended, killed"


def crashed(lab):
    """Of a store that nobody has closed: what was accepted is in its log, and in the backup."""
    m = relay(lab).start()
    backlog(m, 50, 2048)
    before = waiting(m)
    pids = m.pids()
    m.process.kill()
    m.process.wait()
    m.reader.join(30)
    m.process.stderr.close()
    m.process = None
    wait_for(lambda: not any(os.path.exists("/proc/%d" % pid) for pid in pids.values()), "its processes end with it")
    target = os.path.join(lab.root, "backup")
    same(take(m, target)["transfers"], 50, "what waits")
    again = goes_on_with(lab, m, target)
    same(waiting(again), before, "the same")
    return "50 from the log"


def full_disk(lab):
    """No room where the backup is to be: nothing is left of it, and the MTA goes on."""
    if os.geteuid() != 0:
        raise Skip("a small file system is mounted by root")
    m = relay(lab).start()
    backlog(m, 300, 15000)
    small = os.path.join(lab.root, "small")
    os.mkdir(small)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", small], capture_output=True, check=False).returncode != 0:
        raise Skip("a tmpfs cannot be mounted here")
    try:
        lab.command("backup", "-d", m.directory, os.path.join(small, "backup"), status=COPY)  # fewer than 64M are free
        m.settings["store"]["min-free"] = 0
        m.write()
        lab.command("backup", "-c", m.path, os.path.join(small, "backup"), status=COPY)
        same(os.listdir(small), [], "nothing is left")
    finally:
        subprocess.run(["umount", small], check=False)
    m.send("alice", m.alice, "mail goes on")
    m.wait_mail("alice", 1)
    m.stop()
    lab.command("check", m.directory)
    with sqlite3.connect(os.path.join(m.directory, "store.db")) as db:
        same(db.execute("select count(*) from message").fetchone()[0], 301, "all is there")
    return "2 MB"


if __name__ == "__main__":
    main(under_load, held, postoffices, statuses, interrupted, crashed, full_disk)
