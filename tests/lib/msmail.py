"""msmail.py - sites with Microsoft Mail postoffices, for scenarios: a London whose link of kind msmail serves a shadow postoffice, movers to the
sites' postoffices, and Tokyo behind London on X.400. The postoffices are looked at by tests/lib/postoffice.py alone."""
import os

from postoffice import Postoffice
from posthorn import Mta, expect, wait_for

OWN = "EXCH/LONDON"                # the shadow postoffice
SITE = "FABRIK/BERLIN"


class Net:
    """London with shadow and one site's postoffice, Tokyo. Users ANNA and BERT at the site; alice at London, taro at Tokyo."""

    def __init__(self, lab, mover=True, **msmail):
        self.lab, self.london, self.tokyo = lab, Mta(lab, "london"), Mta(lab, "tokyo", "JP")
        self.alice, self.taro = self.london.mailbox("alice"), self.tokyo.mailbox("taro")
        self.shadow, self.site = self.create("shadow", OWN), self.create("berlin", SITE)
        self.command("external", "add", self.shadow.path, SITE)
        self.command("external", "add", self.site.path, OWN)
        for user in ("ANNA", "BERT"):
            self.command("user", "add", self.site.path, user)
        section = {"postoffice": self.shadow.path, "poll": "200 ms", "lock-patience": "2 s",
                   "addresses": ["%s/TARO = %s" % (OWN, self.taro), "%s/ALICE = %s" % (OWN, self.alice)]}
        section.update({k.replace("_", "-"): v for k, v in msmail.items()})
        self.link = {"name": "msmail", "kind": "msmail", "open-interval": "300 ms", "transfer-interval": "300 ms", "msmail": section}
        self.london.settings["links"].append(self.link)
        self.london.settings["routes"].append({"match": self.london.domain + "; DDA:MS=*", "to": "msmail"})
        if mover:
            self.mover = {"name": "berlin", "postoffice": self.site.path, "peers": [self.shadow.path], "interval": "300 ms"}
            self.back = {"name": "shadow", "postoffice": self.shadow.path, "peers": [self.site.path], "interval": "300 ms", "mailer": False}
            self.london.settings["movers"] = [self.mover, self.back]
        self.london.link(self.tokyo)
        self.tokyo.link(self.london)

    def command(self, *args, status=0, data=None):
        return self.lab.command("postoffice", *args, status=status, data=data)

    def create(self, name, own):
        path = os.path.join(self.lab.root, "po-" + name)
        self.command("create", path, "--name", own)
        return Postoffice(path)

    def start(self):
        self.tokyo.start()
        self.london.start()
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
