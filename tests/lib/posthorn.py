"""posthorn.py - what tests of the whole program share: settings files with free ports, MTAs started and stopped, the
commands an operator types, the event lines, and waiting with a deadline instead of sleeping.

A test is a list of functions; each gets a Lab, checks with expect(), and prints one line. argv[1] is the program."""
import contextlib
import json
import os
import queue
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import traceback

from stutter import Stutter, descendants

PATIENCE_S = int(os.environ.setdefault("POSTHORN_PATIENCE", "90"))     # the commands' too: a loaded machine with two cores, under ASan
LATE_S = float(os.environ.get("POSTHORN_LATE", "0"))
SKIPPED = 77
WATCHDOG = "6 s"     # ends what hangs on purpose, and nothing that a loaded machine keeps waiting for a moment: starting has the same patience


class Failed(Exception):
    pass


class Skip(Exception):
    pass


def expect(truth, text, *found):
    """Fails with what was wanted, and what was found."""
    if not truth:
        raise Failed(text + "".join("\n    found: %s" % (f,) for f in found))


def same(found, wanted, text):
    expect(found == wanted, "%s: want %r" % (text, wanted), repr(found))


def wait_for(question, text, patience=PATIENCE_S, step=0.05):
    """The first true answer; fails when there is none in time."""
    until = time.monotonic() + patience
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > until:
            raise Failed("not in %d s: %s" % (patience, text))
        time.sleep(step)


def shared(*names):
    path = os.path.join(os.environ.get("POSTHORN_SHARED", ""), *names)
    if not os.environ.get("POSTHORN_SHARED") or not os.path.exists(path):
        raise Skip("no %s: the captures are not here (option `shared`)" % os.path.join(*names))
    return path


def source(*names):
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", *names)


NUMBERS = {
    "status": {"queued", "octets", "inbound", "two-way", "outbound", "in-flight", "sent", "received", "open-failures", "unanswered-ms", "next-attempt-ms",
               "round-trip-ms", "messages", "mailbox-entries", "links", "content-processes", "uptime-ms", "held", "quarantined", "suspects",
               "waiting", "moved", "due"},
    "queue": {"transfer", "message", "size", "attempts", "held"},
    "read": {"delivery", "size"},
    "trace": {"seq", "event", "size", "after-ms"},
    "track": {"seq", "event", "size"},
    "link": {"id", "in-flight", "age-ms", "two-way"},
    "route": {"route", "cost", "won", "failures", "next-attempt-ms", "queued", "size-limit", "members"},
    "quarantine": {"quarantine", "message", "size", "strikes"},
    "backup": {"messages", "transfers", "deliveries", "quarantined", "files", "octets", "msmail_files", "under_way"},
    "events": set(), "send": set(),
}


def typed(rows, command):
    """What is a number is known by its name, and nothing else is one; where there is none for once it is empty."""
    expect(rows, "rows of %s" % command)
    for row in rows:
        if command == "status" and "process" in row:       # blocks: counts alone
            same({type(v) for k, v in row.items() if k != "process"}, {int}, "%s: counts of %s" % (command, row["process"]))
            continue
        if command == "status" and "watchdog" in row:      # a process that is in trouble
            same({k for k, v in row.items() if not isinstance(v, int)}, {"name", "words"}, "%s: texts of %s" % (command, row["name"]))
            continue
        for key, value in row.items():
            wanted = int if key in NUMBERS[command] and value != "" else str
            expect(type(value) is wanted, "%s: %s is %s" % (command, key, wanted.__name__), row)
    return rows


def late(stream):
    """Its lines, each POSTHORN_LATE seconds after it has come. A test that asks once for an event, because mail, a command or another process says that
    it must have happened, is found so each time."""
    lines = queue.Queue()

    def read():
        for line in stream:
            lines.put((time.monotonic() + LATE_S, line))
        lines.put((0, None))
    threading.Thread(target=read, daemon=True).start()
    while True:
        due, line = lines.get()
        if line is None:
            return
        time.sleep(max(0, due - time.monotonic()))
        yield line


_given, _blocks = [], []


def _more_ports():
    """A hundred that no other test process has: a name that one process at a time can have stands for them."""
    for block in random.sample(range(12000, 32000, 100), 200):
        s = socket.socket(socket.AF_UNIX)
        try:
            s.bind("\0posthorn-test-ports-%d" % block)
        except OSError:
            s.close()
            continue
        _blocks.append(s)
        return random.sample(range(block, block + 100), 100)
    raise Failed("no free port")


def free_port():
    """Below the range of outgoing connections, so that none of those takes it before it is bound; of this process alone, so that no test beside
    it does."""
    while True:
        if not _given:
            _given.extend(_more_ports())
        port = _given.pop()
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


def state(pid):
    """The letter of proc(5): T when it is stopped, X when it is gone."""
    try:
        with open("/proc/%d/stat" % pid, encoding="ascii", errors="replace") as f:
            return f.read().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "X"


def lives(pid):
    """It runs, or may go on: it still has its descriptors, locks and ports."""
    return state(pid) not in "ZX"


def is_sanitized(program):
    """Such a build is slow: loops over many steps take a share of them there, and all in the release build."""
    with open(program, "rb") as f:
        return b"__asan_init" in f.read()


def yaml(value, depth=0):
    """Enough YAML for settings: maps, lists of maps or of strings, scalars. Text is quoted as JSON quotes it."""
    pad = "  " * depth
    if isinstance(value, dict) and value:
        lines = []
        for key, v in value.items():
            if isinstance(v, (dict, list)) and v:
                lines.append("%s%s:\n%s" % (pad, key, yaml(v, depth + 1)))
            else:
                lines.append("%s%s: %s\n" % (pad, key, yaml(v)))
        return "".join(lines)
    if isinstance(value, list) and value:
        lines = []
        for v in value:
            text = yaml(v, depth + 1) if isinstance(v, dict) else pad + "  " + yaml(v) + "\n"
            lines.append(pad + "- " + text[len(pad) + 2:])
        return "".join(lines)
    if isinstance(value, (dict, list)):
        return "{}" if isinstance(value, dict) else "[]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return json.dumps(value, ensure_ascii=False)


def domain(country, prmd):
    return "C=%s; A=POSTHORN; P=%s" % (country, prmd)


class Mta:
    """One MTA: settings as a dict to change before start(), then its process, events and commands."""

    def __init__(self, lab, name, country="GB"):
        self.lab, self.name = lab, name
        self.prmd = name.upper()
        self.domain = domain(country, self.prmd)
        self.port = free_port()
        self.directory = os.path.join(lab.root, name)
        self.path = os.path.join(lab.root, name + ".yaml")
        self.process = None
        self.events, self.other_lines, self.more = [], [], threading.Condition()
        self.settings = {
            "mta": {"name": name, "domain": self.domain},
            "store": {"directory": self.directory},
            "listen": ["127.0.0.1:%d" % self.port],
            "events": "json",
            "processes": {"links": 1, "restart-min": "50 ms"},
            "links": [],
            "routes": [{"match": self.domain, "to": "local"}],
            "mailboxes": [],
        }

    def address(self, given, surname):
        return "G=%s; S=%s; O=Office; P=%s; A=POSTHORN; %s" % (given, surname, self.prmd, self.domain.split(";")[0])

    def mailbox(self, name, surname="User"):
        """Adds a mailbox, gives its address."""
        address = self.address(name.capitalize(), surname)
        self.settings["mailboxes"].append({"name": name, "addresses": [address]})
        return address

    def link(self, peer, port=None, **more):
        """Adds a link to another MTA (port: that of a proxy in between) and the route to its domain."""
        row = {"name": peer.name, "address": "127.0.0.1:%d" % (port or peer.port), "remote-mta-name": peer.name,
               "remote-password": "secret-" + peer.name, "local-password": "secret-" + self.name,
               "open-interval": "300 ms", "transfer-interval": "300 ms"}
        for key, value in more.items():
            row[key.replace("_", "-")] = value
        self.settings["links"].append(row)
        self.settings["routes"].append({"match": peer.domain, "to": peer.name})
        return row

    def write(self):
        with open(self.path, "w", encoding="utf-8") as f:
            f.write(yaml(self.settings))
        return self.path

    # --- process ---

    def start(self, wait=True):
        self.write()
        before = self.mark()  # it may be its second life
        self.process = subprocess.Popen([self.lab.program, "run", "-c", self.path], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)
        self.reader = threading.Thread(target=self._collect, args=(self.process.stderr,), daemon=True)
        self.reader.start()
        if wait:
            self.event("supervisor.up", after=before)
        return self

    def _collect(self, stream):
        for line in late(stream) if LATE_S else stream:
            text = line.decode("utf-8", "replace").rstrip("\n")
            try:
                event = json.loads(text)
                if not isinstance(event, dict) or "event" not in event:
                    raise ValueError
            except ValueError:
                event = None
            with self.more:
                if event is None:
                    self.other_lines.append(text)
                else:
                    self.events.append(event)
                self.more.notify_all()
        with self.more:
            self.more.notify_all()

    def find(self, name, /, after=0, **fields):
        for event in self.events[after:]:
            has = event.get("fields", {})
            if event["event"] == name and all(str(v) in has.get(k.replace("_", "-"), "") for k, v in fields.items()):
                return event
        return None

    def event(self, name, /, after=0, patience=PATIENCE_S, **fields):
        """Waits for an event of this name whose fields contain these texts."""
        until = time.monotonic() + patience
        with self.more:
            while True:
                found = self.find(name, after, **fields)
                if found:
                    return found
                left = until - time.monotonic()
                dead = self.process.poll() is not None and not self.reader.is_alive()
                if left <= 0 or dead:
                    raise Failed("%s: no event %s %s %s" % (self.name, name, fields or "",
                                                            "before it ended" if dead else "in %d s" % patience))
                self.more.wait(min(left, 0.5))

    def mark(self):
        """Where the events are now, for event(after=...)."""
        with self.more:
            return len(self.events)

    def pids(self):
        """Of the processes that run now, by name as `link.0`."""
        running = {}
        with self.more:
            for event in self.events:
                name = event.get("fields", {}).get("name")
                if event["event"] == "process.started":
                    running[name] = int(event["fields"]["pid"])
                elif event["event"] in ("process.stopped", "process.fault", "process.ended", "process.killed"):
                    running.pop(name, None)
        return running

    def kill(self, name, how=signal.SIGKILL):
        """Ends a process by its name as in pids(), and waits until its successor is ready."""
        pid, mark = wait_for(lambda: self.pids().get(name), "%s: %s runs" % (self.name, name)), self.mark()
        os.kill(pid, how)
        self.event("process.started", mark, name=name)
        started = next(i for i, e in enumerate(self.events[mark:], mark) if e["event"] == "process.started" and e["fields"]["name"] == name)
        wait_for(lambda: [e for e in self.events[started:] if e["event"] == "process.ready" and e["process"] == name.replace(".", "-")],
                 "%s: %s is ready again" % (self.name, name))

    def stop(self):
        """As an operator would; gives the exit status."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Failed("%s did not end in %d s" % (self.name, PATIENCE_S)) from None
        self.reader.join(10)
        self.process.stderr.close()
        self.process = None
        return status

    def killed(self, kill=True):
        """kill -9 of its supervisor, or waits for that; all others go with it, and have gone when this returns."""
        pids = descendants(self.process.pid) if kill else list(self.pids().values())
        if kill:
            self.process.kill()
        status = self.process.wait(PATIENCE_S)
        wait_for(lambda: not any(lives(pid) for pid in pids), "%s: the end of all its processes" % self.name)
        self.reader.join(10)
        self.process.stderr.close()
        self.process = None
        return status

    def usage(self, name):
        """(descriptors, octets of resident memory) of a process by its name as in pids(). Memory is 0 under a sanitizer, which keeps
        what was freed."""
        pid = self.pids()[name]
        with open("/proc/%d/maps" % pid, encoding="utf-8", errors="replace") as f:
            if "asan" in f.read():
                return len(os.listdir("/proc/%d/fd" % pid)), 0
        with open("/proc/%d/status" % pid, encoding="ascii") as f:
            kilobytes = int([line.split()[1] for line in f if line.startswith("VmRSS:")][0])
        return len(os.listdir("/proc/%d/fd" % pid)), kilobytes * 1024

    def quarantined(self):
        """[(state, cause, octets)] of what could not be read, oldest first: from the store itself, beside the running switch."""
        path = os.path.join(self.directory, "store.db")
        with contextlib.closing(sqlite3.connect("file:%s?mode=ro" % path, uri=True, timeout=PATIENCE_S)) as db:
            rows = db.execute("select q.state, q.cause, m.content, m.file from quarantine q join message m on m.id = q.message "
                              "where q.octets = 1 order by q.id").fetchall()
        return [(state, cause, self._content(octets, file)) for state, cause, octets, file in rows]

    def _content(self, octets, file):
        if file is None:
            return bytes(octets or b"")
        with open(os.path.join(self.directory, "content", "%016x" % file), "rb") as f:
            return f.read()

    # --- commands ---

    def command(self, *args, status=0, data=None):
        """What a command prints; fails when its exit status is another."""
        return self.lab.command(*args, status=status, data=data)

    def rows(self, *args, status=0):
        name, *rest = args
        text = self.command(name, "-c", self.path, "--json", *rest, status=status)
        return [json.loads(line) for line in text.splitlines() if line.strip()]

    def send(self, sender, to, *more, status=0):
        """Submits; gives the MTS-identifier."""
        to = [to] if isinstance(to, str) else to
        args = [x for address in to for x in ("--to", address)]
        return self.command("send", "-c", self.path, "--from", sender, *args, *more, status=status).strip()

    def mail(self, mailbox):
        return self.rows("read", mailbox)

    def show(self, mailbox, delivery):
        return json.loads(self.command("read", "-c", self.path, "--json", mailbox, "--show", str(delivery)))

    def wait_mail(self, mailbox, n, patience=PATIENCE_S):
        """Waits until n entries lie there; gives them."""
        seen = []

        def enough():
            seen[:] = self.mail(mailbox)
            return len(seen) >= n
        try:
            wait_for(enough, "%s: %d entries in mailbox %s" % (self.name, n, mailbox), patience)
        except Failed as e:
            raise Failed("%s, but %d" % (e, len(seen))) from None
        same(len(seen), n, "%s: entries in mailbox %s" % (self.name, mailbox))
        return seen

    def status(self):
        """(by link, totals)"""
        rows = self.rows("status")
        return {r["link"]: r for r in rows if "link" in r}, [r for r in rows if "mta" in r][0]

    def steps(self, mts_id):
        return [r["step"] for r in self.rows("trace", mts_id)]

    def wait_step(self, mts_id, step, n=1):
        return wait_for(lambda: self.steps(mts_id).count(step) >= n and self.steps(mts_id),
                        "%s: step %s of %s" % (self.name, step, mts_id))

    def wait_empty(self, patience=PATIENCE_S):
        wait_for(lambda: not self.rows("queue"), "%s: an empty queue" % self.name, patience, 0.1)


class Lab:
    """One test function's MTAs and files."""

    def __init__(self, program):
        self.program = program
        self.root = tempfile.mkdtemp(prefix="posthorn-test-")
        self.mtas, self.closers = [], []
        self.stutter = Stutter(program)

    def mta(self, name, country="GB"):
        m = Mta(self, name, country)
        self.mtas.append(m)
        return m

    def pair(self, a="london", b="paris"):
        """Two MTAs that know each other, each with a mailbox: `alice` there, `claude` here. Not started."""
        x, y = self.mta(a, "GB"), self.mta(b, "FR")
        x.alice, y.claude = x.mailbox("alice", "Archer"), y.mailbox("claude", "Colin")
        return x, y

    def command(self, *args, status=0, data=None):
        done = subprocess.run([self.program, *args], input=data, capture_output=True, timeout=PATIENCE_S, check=False,
                              stdin=subprocess.DEVNULL if data is None else None)
        out, err = done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
        if status is not None:
            expect(done.returncode == status, "posthorn %s: want exit status %d" % (" ".join(args)[:300], status),
                   done.returncode, out[-1000:], err[-1000:])
        self.last_error = err
        self.last_status = done.returncode
        return out

    def file(self, name, octets):
        path = os.path.join(self.root, name)
        with open(path, "wb") as f:
            f.write(octets)
        return path

    def held(self, *pids):
        """These processes do not run (SIGSTOP) for as long as the `with` lasts; they may die in it."""
        return self.stutter.held(*pids)

    def close(self, failed):
        try:
            self._close(failed)
        finally:
            self.stutter.end()
            shutil.rmtree(self.root, ignore_errors=True)

    def _close(self, failed):
        trouble = []
        for m in self.mtas:
            with contextlib.suppress(Failed):
                if m.process is not None and m.stop() not in (0, None) and not failed:
                    trouble.append("%s ended with another status than 0" % m.name)
            for line in m.other_lines:
                if "Sanitizer" in line or "runtime error" in line:
                    trouble.append("%s: %s" % (m.name, line))
        for f in self.closers:
            f()
        if failed or trouble:
            for m in self.mtas:
                print("--- events of %s" % m.name)
                for event in m.events[-60:]:
                    print("   ", event["time"][11:], event["process"], event["severity"], event["event"],
                          json.dumps(event.get("fields", {}), ensure_ascii=False))
                for line in m.other_lines[-60:]:
                    print("    |", line)
        if trouble and not failed:
            raise Failed("; ".join(trouble[:3]))


def main(*tests):
    """argv: the program, then names of the tests to run (all when there is none)."""
    program = os.path.abspath(sys.argv[1])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))   # who is out of time says where, and leaves nothing running
    chosen = [t for t in tests if len(sys.argv) < 3 or t.__name__ in sys.argv[2:]]
    failures, skips = 0, 0
    for test in chosen:
        began, lab, failed = time.monotonic(), Lab(program), True
        try:
            try:
                said = test(lab)
                failed = False
            finally:
                lab.close(failed)
            print("ok   %-34s %5.1f s  %s" % (test.__name__, time.monotonic() - began, said or ""), flush=True)
        except Skip as e:
            skips += 1
            print("skip %-34s %s" % (test.__name__, e), flush=True)
        except Exception as e:  # pylint: disable=broad-except
            failures += 1
            lines = [f.lineno for f in traceback.extract_tb(e.__traceback__) if f.filename == test.__code__.co_filename]
            traceback.print_exc(limit=-4, file=sys.stdout)
            print("FAIL %-34s line %d: %s: %s" % (test.__name__, lines[-1] if lines else 0, type(e).__name__, str(e)[:4000]), flush=True)
    print("%d of %d passed, %d skipped" % (len(chosen) - failures - skips, len(chosen), skips))
    sys.exit(1 if failures else SKIPPED if skips == len(chosen) else 0)
