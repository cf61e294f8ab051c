#!/usr/bin/env python3
"""What can be wrong at the start: each ends with one message that names what was found and what was wanted, and with the exit
status that the help promises; an instance that runs is not disturbed."""
import os
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from posthorn import PATIENCE_S, expect, main, same  # noqa: E402


def ends(m, status, *words):
    """Starts, and ends by itself; gives the one line that says why."""
    m.start(wait=False)
    found = m.process.wait(PATIENCE_S)
    m.reader.join(10)
    m.process.stderr.close()
    m.process = None
    lines = m.other_lines + [str(e.get("fields")) for e in m.events if e["severity"] in ("error", "alarm")]
    said = [line for line in lines if all(w in line for w in words)]
    expect(said, "a line that says %s" % (words,), *lines)
    same(found, status, "exit status")
    expect(len(lines) <= 2, "one clear line, not a heap of them", *lines)
    same(m.find("supervisor.up"), None, "it was not up")
    return said[0]


def one_mta(lab, name="london"):
    m = lab.mta(name)
    m.alice = m.mailbox("alice")
    return m


def second_instance(lab):
    """On the same store: refused, and the first one works on."""
    first, second = one_mta(lab), one_mta(lab, "second")
    first.start()
    second.settings["store"]["directory"] = first.directory
    said = ends(second, 75, first.directory)
    first.send("alice", first.alice, "still here")
    first.wait_mail("alice", 1)
    return said


def port_in_use(lab):
    m = one_mta(lab)
    with socket.create_server(("127.0.0.1", m.port)):
        said = ends(m, 69, "127.0.0.1:%d" % m.port)
    m.other_lines, m.events = [], []
    m.start()
    return said


def unwritable_store(lab):
    """A directory that cannot be made, for root neither."""
    m = one_mta(lab)
    blocker = lab.file("file", b"")
    m.settings["store"]["directory"] = os.path.join(blocker, "store")
    return ends(m, 73, blocker)


def read_only_store(lab):
    m = one_mta(lab)
    os.mkdir(m.directory)
    os.mkdir(os.path.join(m.directory, "store.db"))  # nothing can be opened there, by root neither
    return ends(m, 73, "store.db")


def private_store(lab):
    """In a directory that others may look into, which is the operator's doing: they cannot read the mail."""
    m = one_mta(lab)
    os.makedirs(m.directory)
    os.chmod(m.directory, 0o755)
    os.umask(0o022)
    m.start()
    m.send("alice", m.alice, "private")
    m.wait_mail("alice", 1)
    modes = {name: os.stat(os.path.join(m.directory, name)).st_mode & 0o077 for name in os.listdir(m.directory)}
    expect("store.db" in modes and "store.db-wal" in modes, "the database and its log", modes)
    same({name for name, mode in modes.items() if mode != 0}, set(), "what others may read or write")
    return "%d files" % len(modes)


def misspelt_key(lab):
    m = one_mta(lab)
    m.settings["links"] = [{"name": "paris", "remote-mta-name": "paris", "open-intervall": "3 s"}]
    line = 1 + [i for i, text in enumerate(open(m.write(), encoding="utf-8")) if "open-intervall" in text][0]
    said = ends(m, 78, "%s:%d:" % (m.path, line), "open-intervall", "did you mean", "open-interval")
    lab.command("check-config", m.path, status=78)
    expect("open-intervall" in lab.last_error and "did you mean" in lab.last_error, "check-config says the same", lab.last_error)
    return said


def wrong_value(lab):
    m = one_mta(lab)
    m.settings["processes"]["links"] = 0
    said = ends(m, 78, "links", "0", "1")
    m.settings["processes"]["links"] = "many"
    m.other_lines = []
    ends(m, 78, "links", "many")
    return said


def route_to_nowhere(lab):
    m = one_mta(lab)
    m.settings["routes"].append({"match": "C=FR", "to": "pariss"})
    return ends(m, 78, "pariss", "want")


def no_settings_file(lab):
    lab.command("run", "-c", os.path.join(lab.root, "none.yaml"), status=78)
    expect("none.yaml" in lab.last_error, "the message names it", lab.last_error)
    lab.command("run", status=64)
    return lab.last_error.strip()


main(second_instance, port_in_use, unwritable_store, read_only_store, private_store, misspelt_key, wrong_value, route_to_nowhere, no_settings_file)
