"""msmail.py - sites with Microsoft Mail postoffices, for scenarios: a London whose link of kind msmail serves a shadow postoffice, movers to the
sites' postoffices, and Tokyo behind London on X.400. The postoffices are looked at by tests/lib/postoffice.py alone."""
import contextlib
import fcntl
import os
import socket

from postoffice import Postoffice
from posthorn import expect, wait_for

OWN = "EXCH/LONDON"                # the shadow postoffice
SITE = "FABRIK/BERLIN"


class Net:
    """London with shadow and one site's postoffice, Tokyo. Users ANNA and BERT at the site; alice at London, taro at Tokyo."""

    def __init__(self, lab, mover=True, **msmail):
        self.lab, self.london, self.tokyo = lab, lab.mta("london"), lab.mta("tokyo", "JP")
        self.alice, self.taro = self.london.mailbox("alice"), self.tokyo.mailbox("taro")
        self.shadow, self.site = self.create("shadow", OWN), self.create("berlin", SITE)
        self.command("external", "add", self.shadow.path, SITE)
        self.command("external", "add", self.site.path, OWN)
        for user in ("ANNA", "BERT"):
            self.command("user", "add", self.site.path, user)
        section = {"postoffice": self.shadow.path, "poll": "100 ms", "lock-patience": "2 s",
                   "addresses": ["%s/TARO = %s" % (OWN, self.taro), "%s/ALICE = %s" % (OWN, self.alice)]}
        section.update({k.replace("_", "-"): v for k, v in msmail.items()})
        self.link = {"name": "msmail", "kind": "msmail", "open-interval": "300 ms", "transfer-interval": "300 ms", "msmail": section}
        self.london.settings["links"].append(self.link)
        self.london.settings["routes"].append({"match": self.london.domain + "; DDA:MS=*", "to": "msmail"})
        if mover:
            self.mover = {"name": "berlin", "postoffice": self.site.path, "peers": [self.shadow.path], "interval": "100 ms"}
            self.back = {"name": "shadow", "postoffice": self.shadow.path, "peers": [self.site.path], "interval": "100 ms", "mailer": False}
            self.london.settings["movers"] = [self.mover, self.back]
        self.london.link(self.tokyo)
        self.tokyo.link(self.london)

    def command(self, *args, status=0, data=None):
        return self.lab.command("postoffice", *args, status=status, data=data)

    def create(self, name, own):
        path = os.path.join(self.lab.root, "po-" + name)
        self.command("create", path, "--name", own)
        return Postoffice(path)

    def start(self, always="", once=""):
        """always, once: fault plans for London's processes, in every life and in the first."""
        self.tokyo.start(wait=False)
        plans = {"POSTHORN_FAULT_ALWAYS": always, "POSTHORN_FAULT": once}
        os.environ.update({k: v for k, v in plans.items() if v})
        try:
            self.london.start()
        finally:
            for name in plans:
                os.environ.pop(name, None)
        self.tokyo.event("supervisor.up")
        return self

    def stop(self):
        self.london.stop()
        self.tokyo.stop()

    def ms(self, name, more=""):
        """The O/R address of MS:NET/PO/MBX in London's domain."""
        return "DDA:MS=%s; %s%s" % (name, more, "P=LONDON; A=POSTHORN; C=GB")

    def wait_box(self, po, user, n):
        wait_for(lambda: len(po.mailbox(user)) >= n, "%d messages for %s" % (n, user))
        found = po.mailbox(user)
        expect(len(found) == n, "%s has %d messages" % (user, n), [h.subject for h in found])
        return [(h, po.mail(h)) for h in found]

    def from_site(self, to, subject, text=b"text", sender="ANNA", **more):
        to = [to] if isinstance(to, str) else to
        return self.site.send(sender, to, subject, text, own=SITE, **more)

    def to_site(self, to, subject, *more):
        """From taro at Tokyo to users of the site, or whole addresses. Gives the MTS-identifier."""
        to = [to] if isinstance(to, str) else to
        return self.tokyo.send(self.taro, [a if ";" in a else self.ms(SITE + "/" + a) for a in to], "--subject", subject, *(more or ("--text", "text")))

    def at_tokyo(self, subject):
        """The entry of that subject as `posthorn read` shows it: (values by label, parts)."""
        def look():
            for entry in self.tokyo.mail("taro"):
                shown = self.tokyo.show("taro", entry["delivery"])
                if subject in [f["value"] for f in shown["fields"] if f["label"] in ("subject", "extended-subject")]:
                    return shown
            return None
        shown = wait_for(look, "%s at Tokyo" % subject[:60])
        fields = {}
        for f in shown["fields"]:
            fields.setdefault(f["label"], []).append(f["value"])
        return fields, shown["parts"]

    def report(self, about):
        """The fields of the report at Tokyo about that message of taro's, as (label, value)."""
        def look():
            for entry in self.tokyo.mail("taro"):
                if entry["kind"] == "report":
                    fields = [(f["label"], f["value"]) for f in self.tokyo.show("taro", entry["delivery"])["fields"]]
                    if ("subject-message", about) in fields:
                        return fields
            return None
        return wait_for(look, "a report about %s" % about)

    def at_site(self, subject, user="ANNA", po=None):
        """The message of that subject (as the MAI has it) in a mailbox of the site."""
        po = po or self.site

        def look():
            for header in po.mailbox(user):
                mail = po.mail(header)
                if mail.subject == subject.encode("latin-1"):
                    return mail
            return None
        return wait_for(look, "%s for %s" % (subject[:60], user))

    def notices(self, user="ANNA", po=None):
        """Texts of the notices in a mailbox."""
        po = po or self.site
        return [po.mail(h).text.decode("latin-1") for h in po.mailbox(user) if h.sender == "POSTMASTER"]

    def notice(self, about, user="ANNA", po=None):
        """The text of the one notice that has this in it."""
        return wait_for(lambda: [t for t in self.notices(user, po) if about in t], "a notice about %s" % about[:60])[0]

    def died(self):
        return [e["fields"]["name"].split(".")[0] for e in self.london.events if e["event"] == "process.fault"]


@contextlib.contextmanager
def held(path):
    """A lock that another program holds: a `.0LK` with its name in it, or any file of a postoffice."""
    is_lock = path.upper().endswith(".0LK")

    def take():
        """Who went before may have removed the file that was opened."""
        f = open(path, "a+b")  # pylint: disable=consider-using-with
        fcntl.lockf(f, fcntl.LOCK_EX)
        with contextlib.suppress(OSError):
            if os.fstat(f.fileno()).st_ino == os.stat(path).st_ino:
                return f
        f.close()
        return None
    with wait_for(take, "the lock of %s" % path) as f:
        if is_lock:
            f.truncate(0)
            f.write(b"%s other-program now\r\n" % socket.gethostname().encode())
            f.flush()
        yield f
        if is_lock:
            os.unlink(path)
