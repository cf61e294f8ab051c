#!/usr/bin/env python3
"""Rows of the failure catalogue against running MTAs: what stopped others stops here the smallest thing only. The names bear the
numbers of the articles. Here: what a peer sends that is odd; processes that die, hang or fail: deaths.py."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import peer as p  # noqa: E402
from peer import integer, oid, tlv  # noqa: E402
from posthorn import expect, main, same, wait_for  # noqa: E402

ORIGIN = ("FR", "POSTHORN", "RAW")
SENDER = "G=Raw; S=Peer; O=Office; P=RAW; A=POSTHORN; C=FR"


class Site:
    """London, with a caller `raw` that the test plays; what goes back to that caller's domain lies in the mailbox `raw`. With a
    neighbour, Tokyo, where mail for it lies in `taro`."""

    def __init__(self, lab, neighbour=False, limits=None, lists=None, **link):
        self.m = m = lab.mta("london")
        m.alice, m.bob = m.mailbox("alice", "Archer"), m.mailbox("bob", "Baker")
        m.settings["links"].append({"name": "raw", "remote-mta-name": "raw", "remote-password": "x", "local-password": "y"})
        m.settings["routes"].append({"match": "C=FR; A=POSTHORN; P=RAW", "to": "local"})
        m.settings["mailboxes"].append({"name": "raw", "addresses": [SENDER]})
        if limits:
            m.settings["limits"] = limits
        if lists:
            m.settings["lists"] = lists
        if neighbour:
            self.tokyo = t = lab.mta("tokyo", "JP")
            t.taro = t.mailbox("taro", "Tanaka")
            m.link(t, **link)
            t.link(m)
            t.start(wait=False)
        m.start()
        if neighbour:
            self.tokyo.event("supervisor.up")
        self.caller, self.n = p.Peer.dial(m.port).bound("raw", "x"), 0

    def take(self, apdu, text="it is taken"):
        """Transferred on the one association that all of a test uses: it goes on whatever was sent before."""
        self.n += 1
        answer = self.caller.transfer(apdu, self.n)
        expect(p.is_accepted(answer), text, answer.hex())

    def alive(self):
        """The same association, the next message; nobody has died."""
        before = len(self.m.mail("bob"))
        self.take(message("alive.%d" % self.n, [BOB]), "the association goes on")
        self.m.wait_mail("bob", before + 1)
        same([e for e in self.m.events if e["event"] in ("process.fault", "link.association-ended")], [], "deaths and ended associations")

    def shown(self, mailbox, entry, m=None):
        """[(label, value)], parts"""
        shown = (m or self.m).show(mailbox, entry["delivery"])
        return [(f["label"], f["value"]) for f in shown["fields"]], shown["parts"]

    def the_report(self, about):
        """The fields of the report in the mailbox `raw` about that message."""
        def look():
            for entry in self.m.mail("raw"):
                fields, _ = self.shown("raw", entry)
                if any(label == "subject-message" and value.endswith("L=" + about) for label, value in fields):
                    return fields
            return None
        return wait_for(look, "a report about %s" % about)


ALICE = p.orname("GB", "POSTHORN", "LONDON", "Alice", "Archer")
BOB = p.orname("GB", "POSTHORN", "LONDON", "Bob", "Baker")
TARO = p.orname("JP", "POSTHORN", "TOKYO", "Taro", "Tanaka")
NOBODY = p.orname("GB", "POSTHORN", "LONDON", "No", "Body")
EMPTY = tlv(0x60, tlv(0x30))
BY_DIRECTORY = tlv(0x60, tlv(0x30), tlv(0xA0, tlv(0x30, tlv(0x31, tlv(0x30, oid(2, 5, 4, 3), tlv(0x13, b"Claude Colin"))))))

# per-recipient-indicators: responsible; what the MTA and the originator have asked for
NON_DELIVERY, ALL, NOTHING = b"\xa8", b"\xd0", b"\xa0"


def trace(arrival=b"260101000000Z", domain=None):
    return tlv(0x69, tlv(0x30, domain or p.gdi(*ORIGIN), tlv(0x31, tlv(0x80, arrival), tlv(0x82, b"\0"))))


def message(local_id, to, content=None, originator=None, domain=None, arrival=b"260101000000Z", priority=None, content_type=2, asked=NON_DELIVERY,
            extensions=b""):
    """MessageTransferEnvelope (X.411 12.2.1.1) and content."""
    domain = domain or p.gdi(*ORIGIN)
    rcpts = [tlv(0x31, name, integer(i + 1, 0x80), tlv(0x81, b"\0" + asked)) for i, name in enumerate(to)]
    envelope = tlv(0x31, tlv(0x64, domain, tlv(0x16, local_id.encode())), originator or p.orname(*ORIGIN, "Raw", "Peer"),
                   integer(content_type, 0x46), b"" if priority is None else integer(priority, 0x47), trace(arrival, domain), extensions, tlv(0xA2, *rcpts))
    return tlv(0xA0, envelope, tlv(0x04, content if content is not None else p.ipm(local_id, "hello")))


def outcome(number, name, delivered, asked=ALL):
    """PerRecipientReportTransferFields (X.411 12.2.1.3)."""
    what = tlv(0xA0, tlv(0x80, b"260101000100Z")) if delivered else tlv(0xA1, integer(1, 0x80), integer(0, 0x81))
    return tlv(0x31, b"\xa0" + name[1:], integer(number, 0x81), tlv(0x82, b"\0" + asked),
               tlv(0xA3, tlv(0x80, b"260101000000Z"), tlv(0xA1, what)))


def report(local_id, to, about, outcomes, *more):
    envelope = tlv(0x31, tlv(0x64, p.gdi(*ORIGIN), tlv(0x16, local_id.encode())), to, trace())
    content = tlv(0x31, tlv(0x64, p.gdi("GB", "POSTHORN", "LONDON"), tlv(0x16, about.encode())), tlv(0xA0, *outcomes), *more)
    return tlv(0xA1, envelope, content)


def values(fields, label):
    return [value for name, value in fields if name == label]


# --- addresses ---

def k173344_k243701_k169671_bad_addresses(lab):
    """Recipients longer than any bound, with a directory name only, with nothing, with control characters: each is reported alone and at
    once, the good one beside it has the message, nothing stays in a queue."""
    site = Site(lab)
    bad = {"long": p.orname("GB", "POSTHORN", "LONDON", "A", "x" * 300), "directory": BY_DIRECTORY, "empty": EMPTY,
           "control": p.orname("GB", "POSTHORN", "LONDON", "A\r\n\x1b[2J", "B\0"), "longer": p.orname("GB", "POSTHORN", "LONDON", "A", "y" * 60000)}
    for n, (name, recipient) in enumerate(bad.items()):
        site.take(message(name, [ALICE, recipient, BOB]))
        site.m.wait_mail("alice", n + 1)
        fields = site.the_report(name)
        same((len(values(fields, "not-delivered")), values(fields, "delivered")), (1, []), "recipients in the report about %s" % name)
    same(site.m.rows("queue"), [], "what stays in a queue")
    same(site.m.quarantined(), [], "what is quarantined")
    site.m.command("read", "-c", site.m.path, "raw", "--show", "all")
    site.alive()
    return "%d addresses, a report each" % len(bad)


def k175965_neither_sender_nor_recipient(lab):
    """Sender and recipient both are no addresses: nothing can be reported to anybody, it is said so, and the next message flows."""
    site = Site(lab)
    for n, (sender, to) in enumerate(((EMPTY, EMPTY), (BY_DIRECTORY, BY_DIRECTORY), (p.orname("GB", "POSTHORN", "LONDON", "No", "Body"), EMPTY))):
        mark = site.m.mark()
        site.take(message("nobody.%d" % n, [to], originator=sender))
        site.m.event("message.not-delivered", mark)
        site.m.event("message.report-discarded", mark)
        expect("discarded" in " ".join(site.m.steps("nobody.%d" % n)) or "report-made" in site.m.steps("nobody.%d" % n), "its journey is told")
    site.alive()
    return "three, each with an event"


def k165485_k176194_k176952_empty_private_domain(lab):
    """An MTS-identifier with an empty private domain (13 00) from abroad: taken as absent, delivered, relayed without it, reported."""
    site = Site(lab, neighbour=True)
    foreign = tlv(0x63, p.country("FR"), p.admd("POSTHORN"), tlv(0x13))
    site.take(message("empty.1", [ALICE, TARO, NOBODY], domain=foreign))
    same(site.m.wait_mail("alice", 1)[0]["id"], "C=FR;A=POSTHORN;L=empty.1", "its identifier")
    same(site.tokyo.wait_mail("taro", 1)[0]["id"], "C=FR;A=POSTHORN;L=empty.1", "its identifier at the next MTA")
    same(values(site.the_report("empty.1"), "subject-message"), ["C=FR;A=POSTHORN;L=empty.1"], "the report's subject")
    site.take(message("empty.1", [ALICE, TARO, NOBODY], domain=foreign), "the same again is confirmed")
    same(len(site.m.mail("alice")), 1, "entries")
    site.alive()
    return "delivered, relayed, reported"


# --- reports ---

def k141135_k156728_k188597_k238838_k129693_odd_reports(lab):
    """Reports from other MTAs: delivered and not delivered told apart for each recipient; content returned of an unknown type, of none,
    nonsense or absent; recipients without an O/R address: all are shown."""
    site = Site(lab)
    failed, arrived = p.orname("JP", "OTHER", "X", "Not", "There"), p.orname("JP", "OTHER", "X", "Is", "There")
    kinds = {
        "both": ((outcome(1, arrived, True), outcome(2, failed, False)),),
        "good": ((outcome(1, arrived, True),),),
        "unasked": ((outcome(1, arrived, True, NON_DELIVERY),),),
        "unknown": ((outcome(1, failed, False),), oid(1, 2, 3), tlv(0x81, b"what is this")),
        "number": ((outcome(1, failed, False),), integer(4711, 0x46), tlv(0x81, b"what is this")),
        "untyped": ((outcome(1, failed, False),), tlv(0x81, p.ipm("returned", "hello"))),
        "broken": ((outcome(1, failed, False),), integer(22, 0x46), tlv(0x81, b"\xa0\x80\x31\x7f")),
        "nothing": ((outcome(1, failed, False),), integer(22, 0x46), tlv(0x81)),
        "unnamed": ((outcome(1, BY_DIRECTORY, False), outcome(2, EMPTY, True)),),
    }
    n = 0
    for name, what in kinds.items():
        site.take(report("r." + name, ALICE, "sent." + name, *what))
        if name == "unasked":
            site.m.wait_step("r.unasked", "absorbed")  # a delivery that nobody asked about is told nobody
            continue
        n += 1
        fields, parts = site.shown("alice", sorted(site.m.wait_mail("alice", n), key=lambda e: int(e["delivery"]))[-1])
        same(values(fields, "subject-message"), ["C=GB;A=POSTHORN;P=LONDON;L=sent." + name], "the subject of %s" % name)
        wanted = {"both": (1, 1), "good": (1, 0), "unnamed": (1, 1)}.get(name, (0, 1))
        same((len(values(fields, "delivered")), len(values(fields, "not-delivered"))), wanted, "delivered, not delivered: %s" % name)
        same(len(parts), 0 if name in ("both", "good", "nothing", "unnamed") else 1, "parts of %s" % name)
        if name == "both":
            expect("S=There" in values(fields, "delivered")[0] and "G=Is" in values(fields, "delivered")[0], "who has it", fields)
            expect("G=Not" in values(fields, "not-delivered")[0] and "unrecognised-OR-name" in values(fields, "not-delivered")[0], "who has not", fields)
    site.m.command("read", "-c", site.m.path, "alice", "--show", "all")
    site.alive()
    same(len(site.m.mail("alice")), n, "entries")
    return "%d reports shown" % n


def k146397_k163297_many_reports_and_a_corrupt_one(lab):
    """Two hundred reports at once, three of them corrupt: those are set aside, all others arrive."""
    site = Site(lab)
    for n in range(200):
        apdu = report("r.%d" % n, ALICE, "sent.%d" % n, (outcome(1, NOBODY, n % 2 == 0),))
        if n in (50, 51, 150):
            apdu = apdu[:-20] + b"\xff" * 20
        site.take(apdu)
    site.m.wait_mail("alice", 197)
    wait_for(lambda: len(site.m.quarantined()) == 3, "set aside")
    site.alive()
    return "197 arrived, 3 set aside"


def k174895_reports_pass_limits(lab):
    """A report that brings back more content than any limit of size on its way allows: the originator has it, a relay passes it on."""
    site = Site(lab, neighbour=True, limits={"message": "64 K"}, size_limit="32 K")
    back = p.ipm("returned", "x" * 200000)
    for to, m, mailbox in ((ALICE, site.m, "alice"), (TARO, site.tokyo, "taro")):
        site.take(report("r." + mailbox, to, "sent", (outcome(1, NOBODY, False),), integer(2, 0x46), tlv(0x81, back)))
        shown = m.show(mailbox, m.wait_mail(mailbox, 1)[0]["delivery"])
        same((shown["kind"], shown["parts"][-1]["size"]), ("report", 200000), "what %s reads" % mailbox)
    site.alive()
    return "200,000 octets came back through limits of 32 and 64 K"


def k153940_report_to_the_envelope_originator(lab):
    """The heading names others as author and for replies: the report goes to whom the envelope names, and to nobody else."""
    site = Site(lab)
    heading = tlv(0x31, tlv(0x6B, tlv(0x13, b"raw.1")), tlv(0xA0, BOB), tlv(0xAB, tlv(0x31, ALICE)), tlv(0xA8, tlv(0x14, b"others")))
    content = tlv(0xA0, heading, tlv(0x30, tlv(0xA0, tlv(0x31), tlv(0x16, b"hello"))))
    site.take(message("others.1", [NOBODY, p.orname(*ORIGIN, "Raw", "Peer")], content=content))
    same(len(values(site.the_report("others.1"), "not-delivered")), 1, "recipients in the report")
    fields = [site.shown("raw", e)[0] for e in site.m.wait_mail("raw", 2) if e["kind"] == "message"][0]
    expect("G=Bob" in "".join(values(fields, "from")) and "G=Alice" in values(fields, "reply-to")[0], "what the heading says", fields)
    same((site.m.mail("alice"), site.m.mail("bob")), ([], []), "mail of the others")
    site.alive()
    return "one report, at its originator"


# --- what a relay leaves as it is ---

def k161936_k166587_priority_is_left_alone(lab):
    """Normal 0, non-urgent 1, urgent 2 (X.411): what comes in is what the next MTA has, and the order in the queue."""
    site = Site(lab, neighbour=True)
    wanted = {0: "normal", 1: "non-urgent", 2: "urgent", None: "normal"}
    for number in wanted:
        site.take(message("p.%s" % number, [ALICE, TARO], priority=number))
    for m, mailbox in ((site.m, "alice"), (site.tokyo, "taro")):
        found = {}
        for entry in m.wait_mail(mailbox, 4):
            fields = [(f["label"], f["value"]) for f in m.show(mailbox, entry["delivery"])["fields"]]
            found[entry["id"].split("L=p.")[1]] = values(fields, "priority")
        same(found, {str(k): [v] for k, v in wanted.items()}, "priorities at %s" % mailbox)
    return "four, here and at the next MTA"


def k161933_k170004_times_of_the_envelope(lab):
    """The time of submission is what the first MTA wrote, here and behind a relay, not now; dates inside the content, of a forwarded
    message of 1990, expire nothing."""
    site = Site(lab, neighbour=True)
    inner = p.ipm("Inner", "of old")
    forwarded = tlv(0xA9, tlv(0x31, tlv(0x80, b"900101000000Z")), tlv(0x30, inner[2:]))
    heading = tlv(0x31, tlv(0x6B, tlv(0x13, b"raw.2")), tlv(0xA8, tlv(0x14, b"Fwd")))
    content = tlv(0xA0, heading, tlv(0x30, forwarded))
    cases = {"old": (b"900704120000Z", "1990-07-04 12:00:00 UTC"), "zone": (b"260101033000+0330", "2026-01-01 00:00:00 UTC"),
             "future": (b"350101000000Z", "2035-01-01 00:00:00 UTC")}
    for name, (arrival, _) in cases.items():
        site.take(message(name, [ALICE, TARO], content=content, arrival=arrival))
    for m, mailbox in ((site.m, "alice"), (site.tokyo, "taro")):
        for entry in m.wait_mail(mailbox, len(cases)):
            shown = m.show(mailbox, entry["delivery"])
            fields = [(f["label"], f["value"]) for f in shown["fields"]]
            same(values(fields, "submitted"), [cases[entry["id"].split("L=")[1]][1]], "submitted, in %s" % mailbox)
            same([x["kind"] for x in shown["parts"]][:1], ["message"], "the forwarded message in %s" % mailbox)
    same(site.m.mail("raw"), [], "reports")
    return "three times, here and behind the relay"


def k157420_k177979_k200661_k169682_what_is_inside(lab):
    """A forwarded message, an object of an unknown class, a heading with unknown extensions, over a link that wraps texts: none of it is
    returned; the texts are wrapped, the rest is as it was, all is shown."""
    site = Site(lab, neighbour=True, wrap=40)
    inner = p.ipm("Inner", "y" * 100)
    unknown = tlv(0xAF, tlv(0x28, oid(1, 2, 3, 4, 5), tlv(0xA0, tlv(0x04, b"what is this"))))
    extensions = tlv(0xAF, tlv(0x30, oid(1, 2, 3, 4, 6), tlv(0x04, b"categories")))
    heading = tlv(0x31, tlv(0x6B, tlv(0x13, b"raw.4")), tlv(0xA8, tlv(0x14, b"Outer")), extensions)
    parts = tlv(0x30, tlv(0xA0, tlv(0x31), tlv(0x16, b"x" * 100)), tlv(0xA9, tlv(0x31), tlv(0x30, inner[2 + (inner[1] > 127):])), unknown)
    site.take(message("inside.1", [TARO], content=tlv(0xA0, heading, parts), content_type=22))
    fields, shown = site.shown("taro", site.tokyo.wait_mail("taro", 1)[0], site.tokyo)
    same(values(fields, "subject"), ["Outer"], "the subject")
    expect(any("1.2.3.4.6" in v for v in values(fields, "extension")), "the extension that nobody knows", fields)
    same([(x["depth"], max(map(len, x.get("text", "").split("\n")))) for x in shown if x["kind"] == "ia5-text"], [(1, 40), (2, 40)], "texts: depth, columns")
    same([(x["size"], "what is this" in x["hex"]) for x in shown if x["kind"] not in ("ia5-text", "message")], [(14, True)], "the object")
    same(site.m.mail("raw"), [], "reports")
    site.alive()
    return "wrapped inside and out, nothing returned"


def k155592_size_in_every_step(lab):
    """Tracking: each step of a journey that has a size says it, at each MTA."""
    site = Site(lab, neighbour=True)
    content = p.ipm("sized", "x" * 5000)
    site.take(message("sized.1", [ALICE, TARO, NOBODY], content=content))
    site.tokyo.wait_mail("taro", 1)
    site.m.wait_step("sized.1", "transfer-out")
    for m in (site.m, site.tokyo):
        rows = [r for r in m.rows("trace", "sized.1") if r["id"].endswith("L=sized.1") and r["step"] not in ("report-made", "report-in")]
        expect(len(rows) >= 2, "steps at %s" % m.name, rows)
        same({r["step"]: r["size"] for r in rows}, {r["step"]: len(content) for r in rows}, "sizes at %s" % m.name)
    return "%d octets in each" % len(content)


# --- what a reader sees ---

def k141970_k193035_headings(lab):
    """Line ends and escapes inside a subject, and a heading of more than 32 KB: shown on lines of their own, the next entry too."""
    site = Site(lab)
    site.take(message("cr.1", [ALICE], content=p.ipm("a\rb\r\nFrom: somebody\x1b[2J", "hello")))
    specifiers = b"".join(tlv(0x31, b"\xa0" + descriptor(i)[1:]) for i in range(600))
    heading = tlv(0x31, tlv(0x6B, tlv(0x13, b"raw.3")), tlv(0xA2, specifiers), tlv(0xA8, tlv(0x14, b"Long")))
    expect(len(heading) > 32768, "a heading of more than 32 KB", len(heading))
    site.take(message("long.1", [ALICE], content=tlv(0xA0, heading, tlv(0x30, tlv(0xA0, tlv(0x31), tlv(0x16, b"hello"))))))
    site.take(message("after.1", [ALICE]))
    entries = sorted(site.m.wait_mail("alice", 3), key=lambda e: int(e["delivery"]))
    text = site.m.command("read", "-c", site.m.path, "alice", "--show", str(entries[0]["delivery"]))
    expect(not re.search(r"[\x00-\x09\x0b-\x1f]", text) and "\nFrom: somebody" not in text, "no line and no escape of the peer's", repr(text))
    fields, parts = site.shown("alice", entries[1])
    same((len(values(fields, "to")), len(parts)), (600, 1), "recipients and parts of the long one")
    same(len(site.shown("alice", entries[2])[1]), 1, "parts of the one after it")
    site.alive()
    return "600 recipients in a heading of %d octets" % len(heading)


def descriptor(i):
    """ORDescriptor with a formal name."""
    return tlv(0x31, p.orname("GB", "POSTHORN", "LONDON", "User%d" % i, "Many"))


def k151249_names_and_contents_of_files(lab):
    """Several files in one message: each name stands at its own content, at the other end of a link."""
    london, paris = lab.pair()
    london.link(paris)
    paris.link(london)
    london.start(wait=False)
    paris.start()
    london.event("supervisor.up")
    files = {"a.txt": b"first\n", "b.bin": bytes(range(40)), "c.txt": b"", "a.TXT": b"fourth\n" * 3, "e e.dat": b"\0" * 7}
    args = [x for name, octets in files.items() for x in ("--file", lab.file(name, octets))]
    london.send("alice", paris.claude, *args)
    parts = paris.show("claude", paris.wait_mail("claude", 1)[0]["delivery"])["parts"]
    found = [(x["name"], bytes.fromhex("".join(line[10:58].replace(" ", "") for line in x.get("hex", "").splitlines()))) for x in parts]
    same(found, list(files.items()), "names and contents, in their order")
    return "%d files" % len(files)


# --- what is encoded oddly ---

def k159166_k166402_k193049_k253718_a_bad_member_of_a_list(lab):
    """A history of lists, in which a member's length is wrong, to a list here that looks itself up in it: known as expanded when the
    history is right, else expanded anew, with a history that is right; nothing is tried for ever."""
    news = {"name": "news", "addresses": ["G=News; S=List; O=Office; P=LONDON; A=POSTHORN; C=GB"],
            "members": ["G=Bob; S=Baker; O=Office; P=LONDON; A=POSTHORN; C=GB", "G=Taro; S=Tanaka; O=Office; P=TOKYO; A=POSTHORN; C=JP"]}
    site = Site(lab, neighbour=True, lists=[news])
    name, when = p.orname("GB", "POSTHORN", "LONDON", "News", "List"), tlv(0x17, b"260101000000Z")
    good = tlv(0x30, name, when)
    bad = {"whole": good, "longer": b"\x30\x7f" + good[2:], "shorter": b"\x30\x05" + good[2:], "empty": tlv(0x30),
           "name": tlv(0x30, b"\x60\x7f" + name[2:], when), "time": tlv(0x30, name, tlv(0x17)), "huge": b"\x30\x84\x7f\xff\xff\xff" + good[2:], "string": tlv(0x04, good)}
    for how, member in bad.items():
        history = tlv(0x30, b"\x80\x01\x1a", tlv(0xA2, tlv(0x30, member)))
        site.take(message("list." + how, [name], extensions=tlv(0xA3, history)))
    known = {"whole", "time"}  # the name can be read
    arrived = sorted(e["id"].split("L=list.")[1] for e in site.tokyo.wait_mail("taro", len(bad) - len(known)))
    same(arrived, sorted(set(bad) - known), "what the member abroad has")
    site.m.wait_mail("bob", len(bad) - len(known))
    wait_for(lambda: {how for how in bad if "discarded" in site.m.steps("list." + how)} == known, "histories that say that it has been here")
    site.m.wait_empty()
    same((site.m.mail("raw"), site.m.quarantined(), site.tokyo.quarantined()), ([], [], []), "reports, set aside")
    site.alive()
    return "%d histories" % len(bad)


def oddly(octets, way):
    """The same value in another encoding that X.690 8 allows: longer lengths than needed, lengths that are not given, strings in pieces."""
    out, at = b"", 0
    while at < len(octets):
        tag, n, start = octets[at], octets[at + 1], at + 2
        if n > 128:
            start += n - 128
            n = int.from_bytes(octets[at + 2:start], "big")
        body, at = octets[start:start + n], start + n
        if tag & 0x20:
            body = oddly(body, way)
        elif tag == 0x04 and body[:1] == b"\xa0":
            body = oddly(body, way)  # the content
        if way == "pieces" and tag in (0x04, 0x13, 0x16):
            tag, body = tag | 0x20, b"".join(tlv(0x04, body[i:i + 7]) for i in range(0, len(body), 7))
        if way == "long" or not tag & 0x20:
            out += bytes([tag]) + b"\x84" + len(body).to_bytes(4, "big") + body
        else:
            out += bytes([tag]) + b"\x80" + body + b"\0\0"
    return out


def k157235_peculiar_encodings(lab):
    """Every length in five octets; no length given where that is allowed; every string in pieces of seven: the same message each time."""
    site = Site(lab, neighbour=True)
    for n, way in enumerate(("long", "indefinite", "pieces")):
        site.take(oddly(message("odd." + way, [ALICE, TARO], content=p.ipm("Peculiar", "it is the same text")), way))
        for m, mailbox in ((site.m, "alice"), (site.tokyo, "taro")):
            entry = sorted(m.wait_mail(mailbox, n + 1), key=lambda e: int(e["delivery"]))[-1]
            fields, parts = site.shown(mailbox, entry, m)
            same((entry["id"], values(fields, "subject")), ("C=FR;A=POSTHORN;P=RAW;L=odd." + way, ["Peculiar"]), "what %s has" % mailbox)
            same([x["text"].strip() for x in parts], ["it is the same text"], "the text, %s" % way)
    same((site.m.mail("raw"), site.m.quarantined()), ([], []), "reports, set aside")
    site.alive()
    return "three encodings, here and at the next MTA"


def receipt(subject_id):
    """An IPN (X.420): the identifier of its subject as given, receipt-time."""
    return tlv(0xA1, subject_id, tlv(0xA1, p.orname(*ORIGIN, "Raw", "Peer")), tlv(0xA0, tlv(0xA1, tlv(0x80, b"260101000000Z"))))


def k175964_a_wrong_length_in_a_receipt(lab):
    """The identifier in a receipt says another length than it has: it is delivered as it came, shown as what it is, and nobody dies of it."""
    site = Site(lab, neighbour=True)
    user, local = ALICE, tlv(0x13, b"41 0000")
    ids = {"right": tlv(0x6B, user, local), "longer": b"\x6b\x7f" + user + local, "shorter": b"\x6b\x04" + user + local, "empty": tlv(0x6B),
           "local": tlv(0x6B, user, b"\x13\x40" + local[2:]), "zero": tlv(0x6B, user, b"\x13\x00"), "huge": b"\x6b\x84\xff\xff\xff\xff" + user + local,
           "none": b""}
    for name, subject_id in ids.items():
        site.take(message("receipt." + name, [ALICE, TARO], content=receipt(subject_id)))
    for m, mailbox in ((site.m, "alice"), (site.tokyo, "taro")):
        for entry in m.wait_mail(mailbox, len(ids)):
            fields, parts = site.shown(mailbox, entry, m)
            expect(fields, "something is shown of %s" % entry["id"], fields, parts)
        m.command("read", "-c", m.path, mailbox, "--show", "all")
        same([e for e in m.events if e["event"] == "process.fault"], [], "deaths at %s" % m.name)
    site.alive()
    return "%d receipts shown" % len(ids)


def k143197_a_receipt_that_waits_long(lab):
    """A receipt and a report that cannot be handed over: nobody asked to hear of the receipt, nobody ever hears of the report; a
    receipt about which its sender does want to know is reported once, and nothing is said while it waits."""
    site = Site(lab, neighbour=True, max_open_retries=3)
    site.tokyo.stop()
    about = tlv(0x6B, TARO, tlv(0x13, b"41"))
    mark = site.m.mark()
    site.take(message("receipt.1", [TARO], content=receipt(about), asked=NOTHING))
    site.take(report("report.1", TARO, "sent", (outcome(1, NOBODY, False),)))
    site.take(message("receipt.2", [TARO], content=receipt(about)))
    site.m.event("message.report-discarded", mark)
    site.m.wait_empty()
    same(values(site.the_report("receipt.2"), "not-delivered")[0].split(":")[0], "G=Taro; S=Tanaka; O=Office; P=TOKYO; A=POSTHORN; C=JP", "about whom")
    same(len(site.m.mail("raw")), 1, "reports")
    same("report-made" in site.m.steps("report.1"), False, "a report about the report")
    site.alive()
    return "one report for three"


def k246608_k275647_k275653_k282275_hostile_strings(lab):
    """What means something to a printer, a parser, a terminal, a database stands in names: the journeys, the queue, the reports and the events
    show it, a printed address reads back as the same, nothing dies."""
    site = Site(lab)
    hostile = ["DDA:RFC-822=a(a)b", "DDA:", "DDA:=;", "A; S=B; C=XX", "%s%n%x%99999d", "$$/=//", "'; drop table message; --", "back\\slash", 'a "b"', "{}[]:,",
               "/o=Org/ou=Site/cn=DDA:SMTP", "=", ";", "\t", "<x>&amp;", "../../etc", "(a)(0x40)", "C=GB;A=POSTHORN"]
    for n, text in enumerate(hostile):
        name = p.orname("GB", "POSTHORN", "LONDON", text[:16], text)
        dda = tlv(0x60, tlv(0x30, p.country("GB"), p.admd("POSTHORN"), tlv(0xA2, tlv(0x13, b"LONDON"))),
                  tlv(0x30, tlv(0x30, tlv(0x13, text[:8].encode()), tlv(0x13, text.encode()))))
        site.take(message("hostile.%d" % n, [ALICE, name, dda], originator=p.orname(*ORIGIN, "Raw", "Peer")))
        site.take(message("by.%d" % n, [ALICE], originator=p.orname(*ORIGIN, text[:16], text)))
    site.m.wait_mail("alice", 2 * len(hostile))
    for n, text in enumerate(hostile):
        failed = values(site.the_report("hostile.%d" % n), "not-delivered")
        same(len(failed), 2, "recipients in the report about %r" % text)
        same(site.m.steps("hostile.%d" % n)[:3], ["transfer-in", "delivered", "report-made"], "its journey")
        site.m.rows("trace", "by.%d" % n)
    site.m.command("read", "-c", site.m.path, "alice", "--show", "all")
    site.m.command("read", "-c", site.m.path, "raw", "--show", "all")
    same([x for x in site.m.other_lines if x], [], "lines that are no events")
    site.alive()
    return "%d strings in three places" % len(hostile)


main(k173344_k243701_k169671_bad_addresses, k175965_neither_sender_nor_recipient, k165485_k176194_k176952_empty_private_domain,
     k141135_k156728_k188597_k238838_k129693_odd_reports, k146397_k163297_many_reports_and_a_corrupt_one, k174895_reports_pass_limits,
     k153940_report_to_the_envelope_originator, k161936_k166587_priority_is_left_alone, k161933_k170004_times_of_the_envelope,
     k157420_k177979_k200661_k169682_what_is_inside, k155592_size_in_every_step, k141970_k193035_headings, k151249_names_and_contents_of_files,
     k159166_k166402_k193049_k253718_a_bad_member_of_a_list, k157235_peculiar_encodings, k175964_a_wrong_length_in_a_receipt,
     k143197_a_receipt_that_waits_long, k246608_k275647_k275653_k282275_hostile_strings)
