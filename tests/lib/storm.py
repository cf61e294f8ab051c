"""storm.py - mail both ways through postoffices while something is wrong with them, and the question that every such test ends with: is each
message at its end exactly once, with no report, no notice and nothing set aside?

One thread does all of it: a record lock of Linux goes with the first descriptor of its file that the process closes, so a reader beside a writer
would take his lock away."""
import contextlib
import json
import os
import re
import signal
import statistics
import subprocess
import time

from msmail import OWN, SITE, Net
from posthorn import PATIENCE_S, Failed, Skip, expect, same, wait_for

NOBODY = 65534


@contextlib.contextmanager
def stepped_down(lab):
    """As somebody for whom permissions count: who runs the tests as root steps down meanwhile. Real and effective user go, the saved one stays,
    and what is started has none of it."""
    if os.geteuid() != 0:
        yield
        return
    os.chown(lab.root, NOBODY, NOBODY)
    groups = os.getgroups()
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, 0)
    os.setresuid(NOBODY, NOBODY, 0)
    try:
        if not os.access(os.devnull, os.R_OK | os.W_OK, effective_ids=True):
            raise Skip("on this machine %s is for root only" % os.devnull)
        yield
    finally:
        os.setresuid(0, 0, 0)
        os.setresgid(0, 0, 0)
        os.setgroups(groups)


def modes(path, change):
    """change(mode) for all there, directories last, so that those inside can still be reached."""
    for folder, _, names in os.walk(path, topdown=False):
        for name in names:
            with contextlib.suppress(FileNotFoundError):  # locks come and go
                p = os.path.join(folder, name)
                os.chmod(p, change(os.stat(p).st_mode))
    for folder, _, _ in list(os.walk(path, topdown=False)):
        os.chmod(folder, change(os.stat(folder).st_mode))


class Storm(Net):
    """A Net with a load. out: from ANNA to taro at Tokyo; in: from taro to ANNA. saburo at Tokyo gets X.400 mail that no postoffice sees."""

    def __init__(self, lab, **more):
        super().__init__(lab, **more)
        self.saburo = self.tokyo.mailbox("saburo")
        for m in (self.london, self.tokyo):
            m.settings["processes"].update({"restart-min": "20 ms", "restart-max": "300 ms"})
        self.out, self.inward, self.probes, self.unsent = 0, 0, 0, []
        self.body, self.size = b"a line\r" * 20, 3000

    # --- load ---

    def try_send(self, subject):
        try:
            self.site.send("ANNA", [OWN + "/TARO"], subject, self.body, own=SITE, attachments=[("a.dat", b"x" * self.size)])
            return True
        except (OSError, AssertionError):
            return False  # the program says so, and its user does it again later

    def burst(self, n, both=True):
        for _ in range(n):
            self.out += 1
            self.unsent.append("out %04d" % self.out)
            if both:
                self.inward += 1
                self.tokyo.send(self.taro, self.ms(SITE + "/ANNA"), "--subject", "in %04d" % self.inward, "--text", "for Anna")
        self.again()

    def again(self):
        """What a client could not put in before."""
        while self.unsent and self.try_send(self.unsent[0]):
            self.unsent.pop(0)

    def probe(self):
        """Seconds of one message from London to Tokyo."""
        self.probes += 1
        began = time.monotonic()
        self.london.send(self.alice, self.saburo, "--subject", "probe %d" % self.probes, "x")
        wait_for(lambda: len(self.tokyo.mail("saburo")) >= self.probes, "X.400 mail passes by", step=0.01)
        return time.monotonic() - began

    def pace(self, n=5):
        return statistics.median(self.probe() for _ in range(n))

    # --- what is said ---

    def link_row(self):
        return self.london.status()[0]["msmail"]

    def movers(self, mta=None):
        """{(mover, peer or ""): row}"""
        return {(r["mover"], r.get("peer", "")): r for r in (mta or self.london).rows("status") if "mover" in r}

    def wait_said(self, word, what="link"):
        """The status line of the link, or of a mover (its key), says something in which word, an expression, is found."""
        def said():
            row = self.link_row() if what == "link" else self.movers().get(what, {})
            text = row.get("last-error", "") if what == "link" else row.get("why", "")
            return text if text and re.search(word, text) else None
        return wait_for(said, "%s says why, with %r: %s" % (what, word, self.link_row() if what == "link" else self.movers().get(what)))

    # --- the end ---

    def subjects(self, mta, mailbox):
        """Of all entries, from what one command shows; reports have none, and are counted as they are."""
        found = []
        for row in mta.mail(mailbox):
            shown = mta.show(mailbox, row["delivery"])
            found += [f["value"] for f in shown["fields"] if f["label"] == "subject"] or ["no message: %s" % json.dumps(row)]
        return sorted(found)

    def is_settled(self):
        self.again()
        with contextlib.suppress(OSError, AssertionError):
            return not self.unsent and len(self.tokyo.mail("taro")) >= self.out and len(self.site.mailbox("ANNA")) >= self.inward and \
                not self.london.rows("queue") and not self.site.bag(self.site.externals()[OWN]) and not self.shadow.bag("INQUEUE3") and \
                not self.site.bag("INQUEUE3") and not self.shadow.bag(self.shadow.externals()[SITE])
        return False

    def waiting(self, po, bag):
        """(MAI, subject, state of its P1) of what lies in a mailbag."""
        found = []
        for h in po.bag(bag):
            try:
                state = po.read("P1", h.mai + ".P1")[16]
            except OSError:
                state = "none"
            found.append((h.mai, h.subject.decode("latin-1"), state))
        return found[:5]

    def where(self):
        with contextlib.suppress(OSError, AssertionError):
            return "taro %d of %d (%d unsent), ANNA %d of %d; bags: site out %d, in %d, shadow in %d, out %d; queue %s; link %s; movers %s" % (
                len(self.tokyo.mail("taro")), self.out, len(self.unsent), len(self.site.mailbox("ANNA")), self.inward,
                len(self.site.bag(self.site.externals()[OWN])), len(self.site.bag("INQUEUE3")), len(self.shadow.bag("INQUEUE3")),
                len(self.shadow.bag(self.shadow.externals()[SITE])), [r.get("link") for r in self.london.rows("queue")], self.link_row(),
                [(k, r.get("state"), r.get("why")) for k, r in self.movers().items()]) + \
                "; first of them %s" % [self.waiting(*x) for x in ((self.shadow, "INQUEUE3"), (self.site, "INQUEUE3"), (self.site, self.site.externals()[OWN]))]
        return "a postoffice cannot be looked at"

    def settle(self, patience=PATIENCE_S):
        try:
            wait_for(self.is_settled, "all mail at its end", patience, 0.1)
        except Failed as e:
            raise Failed("%s: %s" % (e, self.where())) from None

    def check_once(self):
        self.settle()
        same(self.subjects(self.tokyo, "taro"), ["out %04d" % (i + 1) for i in range(self.out)], "each once at Tokyo, and no report")
        same(sorted(h.subject.decode() for h in self.site.mailbox("ANNA")), ["in %04d" % (i + 1) for i in range(self.inward)], "each once in the mailbag, and no notice")
        for header in self.site.mailbox("ANNA"):
            expect(b"for Anna" in self.site.mail(header).text, "the text of %s" % header.subject)
        same(self.london.rows("quarantine", "list"), [], "quarantine")
        for m in self.lab.mtas:
            for name in ("message.struck", "mover.strike", "mover.notice", "mover.set-aside", "mover.gave-up", "mover.untold", "mover.message-missing",
                         "mover.envelope-corrupt", "msmail.struck"):
                same(m.find(name), None, "%s of %s" % (name, m.name))

    def check_files(self, *pos):
        """What nobody names is allowed where something died in between; anything else is damage."""
        for po in pos or (self.site, self.shadow):
            text = self.lab.command("postoffice", "check", po.path, "--json", status=None)
            bad = [line for line in text.splitlines() if line.strip() and "orphan" not in line and "nobody names" not in line]
            expect(self.lab.last_status == 0 or not bad, "%s is whole" % po.path, *bad[:10])

    def end(self):
        self.check_once()
        for m in self.lab.mtas:
            if m.process is not None:
                m.stop()
        self.check_files()
        return "%d out, %d in" % (self.out, self.inward)


def kill_site(mta):
    """kill -9 of the whole MTA, and started again at once, while what it had started may still live for a moment."""
    mta.process.kill()
    mta.process.wait()
    before = mta.mark()

    def is_up():
        if mta.process.poll() is not None:  # the orphans may hold lock and ports for a moment: 75, 69
            expect(mta.process.returncode in (-signal.SIGKILL, 69, 75), "%s: started again" % mta.name, mta.process.returncode)
            mta.start(wait=False)
        return wait_for(lambda: mta.process.poll() is not None or mta.find("supervisor.up", before), "a start", step=0.01) and mta.process.poll() is None
    wait_for(is_up, "%s started again" % mta.name)


def kill_child(mta, name):
    with contextlib.suppress(KeyError, ProcessLookupError):
        os.kill(mta.pids()[name], signal.SIGKILL)


def mount_small(path, octets):
    """A file system of that size at path, or False where it cannot be had."""
    return os.geteuid() == 0 and subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%d" % octets, "posthorn-test", path], check=False, capture_output=True).returncode == 0
