#!/usr/bin/env python3
"""A store is damaged: `posthorn check` says so, makes a whole copy, and an MTA goes on with it."""
import json
import os
import shutil
import sqlite3
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from posthorn import expect, main, same  # noqa: E402

WHOLE, VIOLATED, USAGE, FOREIGN, NONE, COPY, IN_USE = 0, 1, 64, 65, 66, 73, 75


def waiting(lab, m):
    """An MTA with mail for a peer that is not there, and one message in a mailbox; ended."""
    nowhere = lab.mta("nowhere", "FR")
    m.link(nowhere)
    alice = m.mailbox("alice")
    m.start()
    for i in range(8):
        m.send("alice", nowhere.address("No", "Body"), "message %d" % i)
    m.send("alice", alice, "--subject", "kept", "to alice")
    m.wait_mail("alice", 1)


def statuses(lab):
    m = lab.mta("london")
    waiting(lab, m)
    lab.command("check", m.directory, status=IN_USE)
    lab.command("check", "--repair", "--output", os.path.join(lab.root, "copy"), m.directory, status=IN_USE)
    m.stop()
    text = lab.command("check", m.directory)
    expect("9 messages" in text and "0 violations" in text, "totals", text)
    same(json.loads(lab.command("check", "--json", m.directory))["violations"], 0, "violations")
    same(lab.command("check", "--quiet", m.directory), "", "quiet")
    lab.command("check", os.path.join(m.directory, "store.db"))
    lab.command("check", os.path.join(lab.root, "none"), status=NONE)
    lab.command("check", status=USAGE)
    lab.command("check", "--repair", m.directory, status=USAGE)
    lab.command("check", "--repair", "--output", m.directory, m.directory, status=COPY)
    db = sqlite3.connect(os.path.join(m.directory, "store.db"))
    db.execute("pragma user_version = 99")
    db.close()
    lab.command("check", m.directory, status=FOREIGN)
    return "0, 64, 65, 66, 73, 75"


def repaired(lab):
    m = lab.mta("london")
    waiting(lab, m)
    m.stop()
    db = sqlite3.connect(os.path.join(m.directory, "store.db"))
    db.execute("delete from transfer where id in (select id from transfer limit 3)")
    db.execute("delete from counter")
    db.commit()
    db.close()
    text = lab.command("check", m.directory, status=VIOLATED)
    expect(text.count("neither a place in a queue nor an outcome") == 3, "one sentence for each", text)
    copy = os.path.join(lab.root, "copy")
    os.mkdir(copy)
    os.chmod(copy, 0o755)
    os.umask(0o022)
    text = lab.command("check", "--repair", "--output", copy, m.directory)
    expect(text.count("wait again") == 3, "what was done", text)
    same([name for name in os.listdir(copy) if os.stat(os.path.join(copy, name)).st_mode & 0o077], [], "what others may read")
    lab.command("check", copy)
    lab.command("check", m.directory, status=VIOLATED)
    shutil.rmtree(m.directory)
    shutil.copytree(copy, m.directory)
    mark = m.mark()
    m.start(wait=False)
    m.event("supervisor.up", after=mark)
    rows = [json.loads(line) for line in lab.command("queue", "-c", m.path, "--json").splitlines()]
    same(len(rows), 8, "all wait again")
    same(len(m.wait_mail("alice", 1)), 1, "the mailbox")
    m.stop()
    lab.command("check", m.directory)
    return "3 of 8 made anew"


main(statuses, repaired)
