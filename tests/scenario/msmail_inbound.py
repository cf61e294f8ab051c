#!/usr/bin/env python3
"""Rows of the failure catalogue about mail from a Microsoft Mail postoffice to X.400, through the whole program: client, mover,
interchange, converter, switch, link. The names bear the numbers of the articles."""
import contextlib
import datetime
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import postoffice as po  # noqa: E402
from msmail import OWN, SITE, Net, held  # noqa: E402
from posthorn import WATCHDOG, expect, main, same, wait_for  # noqa: E402

TARO = OWN + "/TARO"


def text_of(parts):
    return "".join(part.get("text", "") for part in parts)


def quiet(net):
    """Nothing is left over, at the site or in the shadow postoffice, but what lies in its users' mailboxes."""
    wait_for(lambda: not net.shadow.leftovers() and not net.shadow.bag("INQUEUE3"), "an empty shadow postoffice: %s" % net.shadow.leftovers())
    net.london.wait_empty()


# --- processes ---

def k151669_k151473_one_that_hangs_and_one_that_dies(lab):
    """The interchange hangs while it holds the lock of INQUEUE3, its converter dies with a message in hand: each is replaced, X.400 mail goes
    on meanwhile, each message arrives once, and nobody is blamed for good."""
    net = Net(lab)
    net.london.settings["processes"]["watchdog"] = WATCHDOG
    net.start(once="interchange:INTERCHANGE_OFFER:2:hang,converter:CONVERTER_XLATE:3:abort")
    before = net.london.pids()
    for i in range(6):
        net.from_site(TARO, "No %d" % i)
    net.london.event("process.hung")
    net.tokyo.send(net.taro, net.alice, "--text", "meanwhile")
    net.london.wait_mail("alice", 1)
    net.tokyo.wait_mail("taro", 6)

    def changed():
        after = net.london.pids()
        return {k.split(".")[0] for k in before if before[k] != after.get(k)}
    wait_for(lambda: len(changed()) >= 2, "both were started again")
    same(changed(), {"interchange", "converter"}, "processes that were started again")
    quiet(net)
    same((len(net.tokyo.mail("taro")), net.notices(), net.london.rows("quarantine", "list")), (6, [], []), "messages, notices, quarantine")
    net.stop()
    return "6 of 6, once"


def k151669_k169671_k237182_poison_among_good_ones(lab):
    """One message hangs the interchange each time, one kills the converter: three strikes, quarantine, [012] to the sender. One fails there the
    same way each time: [029] at once. The good ones before, between and behind them arrive once."""
    net = Net(lab)
    net.london.settings["processes"]["watchdog"] = WATCHDOG
    net.start(always="interchange:INTERCHANGE_XLATE:@POISON-HANG:hang,converter:CONVERTER_XLATE:@POISON-DEATH:abort,"
                     "converter:CONVERTER_XLATE:@POISON-FAIL:fail")
    for i, mark in enumerate(("HANG", "DEATH", "FAIL")):
        net.from_site(TARO, "Good %d" % i)
        net.from_site(TARO, "Bad %s" % mark, b"POISON-" + mark.encode(), sender="BERT")
    net.from_site(TARO, "Good 3")
    net.tokyo.wait_mail("taro", 4)
    for mark in ("HANG", "DEATH", "FAIL"):
        text = net.notice("Bad " + mark, "BERT")
        expect(("[029]" if mark == "FAIL" else "[012]") in text and TARO in text, "the notice about %s" % mark, text)
    quiet(net)
    wait_for(lambda: len(net.died()) >= 6, "all deaths are told")
    deaths = net.died()
    expect(deaths.count("interchange") == 3 and deaths.count("converter") == 3, "three deaths of each", deaths)
    same((len(net.tokyo.mail("taro")), len(net.notices("BERT")), net.notices("ANNA")), (4, 3, []), "messages, notices")
    rows = net.london.rows("quarantine", "list")
    same(len(rows), 2, "in quarantine")
    net.london.command("quarantine", "delete", "-c", net.london.path, str(rows[0]["quarantine"]), "--why", "seen")
    net.stop()
    return "hangs, dies, fails: 3 notices, 4 delivered"


# --- recipients ---

def k151791_k173344_k127919_k165396_bad_addresses_among_good_ones(lab):
    """Recipients that are unknown, no names, too long or twice beside good ones: the good ones have it once, each bad one is in a notice
    with its cause, INQUEUE3 is empty; and again with bad ones only."""
    net = Net(lab).start()
    unknown, control, long = OWN + "/NOBODY", OWN + "/A\x01B", OWN + "/" + "X" * 1100
    net.from_site([unknown, TARO, control, TARO, long, OWN + "/ALICE"], "Mixed", cc=[TARO])
    net.at_tokyo("Mixed")
    net.london.wait_mail("alice", 1)
    wait_for(lambda: all(any(what in t for t in net.notices()) for what in ("NOBODY", "London/A".upper(), "X" * 20)), "a notice for each: %s" % net.notices())
    net.from_site([OWN + "/NOBODY2"], "Bad only")
    net.notice("NOBODY2")
    quiet(net)
    expect("[002]" in net.notice("NOBODY2"), "the code of an unknown one", net.notice("NOBODY2"))
    expect(not any("TARO" in t.split("not delivered to:")[1].split("----")[0] for t in net.notices()), "nobody who has it is in a notice", net.notices())
    same((len(net.tokyo.mail("taro")), len(net.london.mail("alice")), net.died()), (1, 1, []), "copies, deaths")
    net.stop()
    return "%d notices" % len(net.notices())


def k98067_k175965_nobody_is_told_of_a_notice(lab):
    """A postmaster's notice to nobody, and a message whose sender and recipient both are none: no notice comes back to anybody, no process
    dies, the next message flows."""
    net = Net(lab).start()
    net.from_site([OWN + "/NOBODY"], "Mail failure", b"[002] returned", sender="POSTMASTER")
    net.from_site([OWN + "/N\x02"], "None", sender="\x01\x02")
    net.from_site([OWN + "/NOBODY"], "None", sender="GONE")
    net.from_site(TARO, "Good")
    net.at_tokyo("Good")
    quiet(net)
    wait_for(lambda: not net.site.bag("INQUEUE3") and not net.site.leftovers(), "nothing is left at the site: %s" % net.site.leftovers())
    same((net.notices("ANNA"), net.notices("BERT"), net.notices("Admin"), net.died()), ([], [], [], []), "notices, deaths")
    net.stop()


def k175447_a_list_that_has_its_own_writer(lab):
    """ANNA writes to a list of London's, which has her by her Microsoft Mail address, Taro, and itself: one copy for each, and an end."""
    net = Net(lab)
    team = net.london.address("List", "Team")
    net.london.settings["lists"] = [{"name": "team", "addresses": [team], "members": [net.ms(SITE + "/ANNA"), net.taro, team, net.ms(SITE + "/BERT")]}]
    net.link["msmail"]["addresses"].append("%s/TEAM = %s" % (OWN, team))
    net.start()
    net.from_site([OWN + "/TEAM", OWN + "/ALICE"], "To all")
    for user in ("ANNA", "BERT"):
        net.wait_box(net.site, user, 1)
    net.tokyo.wait_mail("taro", 1)
    net.london.wait_mail("alice", 1)
    net.from_site(TARO, "Behind it")
    net.at_tokyo("Behind it")
    quiet(net)
    same((len(net.site.mailbox("ANNA")), len(net.site.mailbox("BERT")), len(net.tokyo.mail("taro"))), (1, 1, 2), "copies")
    net.stop()


# --- contents ---

def k151249_k157941_k166589_k193762_files(lab):
    """Seven attachments, one of no octets, two of one name, names of another code page and of 200 characters, in the middle of a text of more
    than ASCII: each name with its own content, in their order; the text is whole."""
    net = Net(lab).start()
    names = ["eins.txt", "leer.dat", "eins.txt", "Größe ß.doc", "l" * 200 + ".bin", "a:b\\c/d.txt", "ende"]
    octets = [b"1" * 10, b"", b"2" * 300, b"drei\0\xff", bytes(range(256)) * 400, b"x", b"y" * 70000]
    text = "Gruß aus München: ÄÖÜ\r" * 5
    net.from_site(TARO, "Files", text.encode("cp850"), code_page=850,
                  attachments=[(n.encode("cp850").decode("latin-1"), o) for n, o in zip(names, octets)])
    _, parts = net.at_tokyo("Files")
    files = [p for p in parts if p["kind"] == "file-transfer"]
    same([(p["name"], p["size"]) for p in files], [(n.split("/")[-1], len(o)) for n, o in zip(names, octets)], "names and sizes, in their order")
    for p, o in zip(files, octets):
        first = p["hex"].splitlines()[0][10:58].replace(" ", "") if o else ""
        same(first, o[:16].hex(), "the content of %s" % p["name"][:30])
    same(text_of(parts).replace("\r\n", "\n").rstrip("\n"), text.replace("\r", "\n").rstrip("\n"), "the text")
    net.stop()
    return "%d files" % len(files)


def k156844_k161952_k161933_k161936_k166587_k159179_k118595_what_a_message_says(lab):
    """A subject of 250 characters, lines of 1 to 1000, NUL, "begin" and "end" in the text, date and priority: all arrive as they were."""
    net = Net(lab).start()
    lines = ["x" * n for n in list(range(1, 140)) + [254, 255, 256, 500, 999, 1000]] + ["begin 644 file", "M" + "a" * 60, "`", "end", "begin", "."]
    subject = "Betreff " + "s" * 242
    net.from_site(TARO, subject, "\r".join(lines).encode(), when=datetime.datetime(1997, 3, 4, 5, 6, 7))
    fields, parts = net.at_tokyo(subject)
    same(text_of(parts).split("\n"), lines, "the lines")
    same((fields["submitted"], fields["priority"], len(parts)), (["1997-03-04 05:06:07 UTC"], ["normal"], 1), "date, priority, parts")
    for ms, x400 in (("1", ["non-urgent", "low"]), ("2", ["normal"] * 2), ("3", ["normal"] * 2), ("4", ["normal"] * 2), ("5", ["urgent", "high"])):
        net.from_site(TARO, "Priority " + ms, b"a\0b\x1a\rc", priority=ms)
        fields, parts = net.at_tokyo("Priority " + ms)
        same(fields["priority"] + fields["importance"], x400, "priority " + ms)
        expect(text_of(parts).startswith("ab") and text_of(parts).endswith("c"), "the text behind a NUL", parts)
    net.stop()
    return "%d lines" % len(lines)


def k167139_k167639_k155790_k184681_k224987_code_pages(lab):
    """Texts, subjects and friendly names in pages of other countries; in a page that nobody knows: it arrives with replacements, one warning."""
    net = Net(lab).start()
    samples = {866: "Привет из Москвы", 1251: "Привет", 852: "Žluťoučký kůň", 1253: "Καλημέρα", 437: "Ünïcode £", 1252: "10 € ©®"}
    for page, text in samples.items():
        octets = text.encode("cp%d" % page)
        net.from_site(TARO, "%d %s" % (page, octets.decode("latin-1")), octets, code_page=page,
                      friendly=[(0, 0, 2, octets), (1, 0, 2, b"\x80\xff Taro")])
        _, parts = net.at_tokyo("%d %s" % (page, text))
        same(text_of(parts), text, "the text in page %d" % page)
    for i in range(2):
        net.from_site(TARO, "Unknown %d" % i, b"abc \x93\xa4\xd6 def", code_page=20127 + 40000)
        _, parts = net.at_tokyo("Unknown %d" % i)
        expect(text_of(parts).startswith("abc ") and text_of(parts).endswith(" def"), "what could be read of it", parts)
    same((net.notices(), net.died()), ([], []), "notices, deaths")
    net.stop()
    same(len([e for e in net.london.events if e["event"] == "msmail.code-page"]), 1, "warnings")
    return "%d pages" % len(samples)


class NoDate:
    """A date that no calendar has, as a Mac client's."""
    minute, hour, day, month, year = 99, 77, 45, 33, 0

    @staticmethod
    def strftime(_):
        return "19041399-259961"


@contextlib.contextmanager
def with_elements(*more):
    """MAI that are sent meanwhile have these elements, too, at their end."""
    real = po.mai

    def longer(*args, **kwargs):
        inner = real(*args, **kwargs)[5:] + b"".join(more)
        return b"\x4D\x83" + len(inner).to_bytes(3, "big") + inner
    po.mai = longer
    try:
        yield
    finally:
        po.mai = real


def k214565_k168771_k158399_odd_dates_and_receipts(lab):
    """Dates that are none, of 1980 and of 2099, in a message and in a receipt: nothing is thrown away, returned or expired; the receipt is one of
    X.400's about the message that asked for it."""
    net = Net(lab).start()
    for name, when in (("No date", NoDate()), ("Old", datetime.datetime(1980, 1, 1)), ("New", datetime.datetime(2099, 12, 31))):
        net.from_site(TARO, name, when=when)
        fields, _ = net.at_tokyo(name)
        expect(name != "No date" or fields["submitted"][0][:2] == "20", "a time of now", fields)
    net.to_site("ANNA", "Asked", "--text", "text", "--receipt")
    mail = net.at_site("Asked")
    same(mail.flags & 1, 1, "a receipt is asked for")
    about = po.element(po.FIELD, po.element(po.STRING, mail.message_id.encode()), po.MESSAGE_ID)
    with with_elements(po.element(po.VENDOR, po.number(2), po.FLAGS), about):
        net.from_site(TARO, "Registered: Asked", b"read", when=NoDate())
    entries = net.tokyo.wait_mail("taro", 4)
    shown = str(net.tokyo.show("taro", entries[-1]["delivery"]))
    expect("receipt" in shown, "a receipt", shown)
    same((net.notices(), net.died()), ([], []), "notices, deaths")
    net.stop()


def k169682_k200661_k130382_what_nobody_knows(lab):
    """Fields and vendor elements that nobody knows, long ones, nested ones and some over a read buffer's end: passed over, the message arrives."""
    net = Net(lab).start()
    unknown = [po.element(po.FIELD, po.element(po.STRING, b"Categories"), 0x70), po.element(po.VENDOR, po.number(7), 0x5FFF),
               po.element(po.VENDOR, po.element(po.STRING, b"z" * 65536), 0x39),
               po.element(po.VENDOR, b"".join(po.element(po.SEQUENCE, po.element(po.SEQUENCE, po.number(n))) for n in range(500)), 0x5ABC)]
    with with_elements(*unknown):
        net.from_site(TARO, "Unknown", b"the text", attachments=[("object.ole", b"\xd0\xcf\x11\xe0" * 100)])
    _, parts = net.at_tokyo("Unknown")
    same((text_of(parts), [(p["name"], p["size"]) for p in parts[1:]]), ("the text", [("object.ole", 400)]), "text and file")
    same((net.notices(), net.died()), ([], []), "notices, deaths")
    net.stop()


def k176396_k176440_k222985_a_huge_text(lab):
    """A text of 6 MB in one line, one of 6 MB in 300,000 lines: both arrive, what is sent behind them does not wait for long."""
    net = Net(lab).start()
    net.from_site(TARO, "One line", b"word " * 1200000)
    net.from_site(TARO, "Lines", b"nineteen characters\r" * 300000)
    net.from_site(TARO, "Small")
    net.at_tokyo("Small")
    sizes = sorted(e["size"] for e in net.tokyo.wait_mail("taro", 3))
    expect(sizes[0] < 2000 and sizes[1] > 6000000, "sizes", sizes)
    same((net.notices(), net.died()), ([], []), "notices, deaths")
    net.stop()


# --- files of the postoffice ---

def k168857_k237695_k113165_held_by_another_program(lab):
    """INQUEUE3 is held by another program, by its lock, then by its KEY: said with the holder's name, other mail flows, and when it is let go
    all is taken once."""
    net = Net(lab).start()
    mark = net.london.mark()
    with held(os.path.join(net.shadow.path, "P1", "INQUEUE3.0LK")):
        net.from_site(TARO, "First")
        event = net.london.event("interchange.locked", after=mark)
        expect("other-program" in event["fields"]["who"], "who holds it", event)
        net.to_site("ANNA", "Meanwhile")
        net.at_site("Meanwhile")
        same(net.tokyo.mail("taro"), [], "nothing is taken past a lock")
    net.at_tokyo("First")
    with held(net.shadow.file("KEY", "INQUEUE3.KEY")):
        net.from_site(TARO, "Second")
        net.tokyo.send(net.taro, net.alice, "--text", "meanwhile")
        net.london.wait_mail("alice", 1)
    net.at_tokyo("Second")
    quiet(net)
    same((len(net.tokyo.mail("taro")), net.notices(), net.died()), (2, [], []), "messages, notices, deaths")
    net.stop()


def k247618_k159305_k146113_corrupt_at_the_head(lab):
    """The first message of INQUEUE3 is no message, the second's envelope is none, a third has lost its file: each is told of and set aside, the
    fourth arrives; what is in quarantine can be deleted."""
    net = Net(lab).start()
    with held(os.path.join(net.shadow.path, "P1", "INQUEUE3.0LK")):
        for name in ("Corrupt", "Envelope", "Lost", "Good"):
            net.from_site(TARO, name)
        wait_for(lambda: len(net.shadow.bag("INQUEUE3")) == 4 and not net.site.leftovers(), "all are in INQUEUE3")
        ids = {h.subject.decode(): h.mai for h in net.shadow.bag("INQUEUE3")}
        with open(net.shadow.mai_path(ids["Corrupt"]), "r+b") as f:
            f.truncate(20)
        with open(net.shadow.file("P1", ids["Envelope"] + ".P1"), "r+b") as f:
            f.seek(20)
            f.write(b"\xff" * 40)
        os.unlink(net.shadow.mai_path(ids["Lost"]))
    net.at_tokyo("Good")
    wait_for(lambda: not net.shadow.bag("INQUEUE3"), "INQUEUE3 is empty")
    for code, name in (("[012]", "Corrupt"), ("[016]", "Lost")):
        wait_for(lambda code=code: [t for t in net.notices() if code in t], "%s about %s" % (code, name))
    rows = net.london.rows("quarantine", "list")
    same(len(rows), 2, "in quarantine: what could not be read")
    for row in rows:
        net.london.command("quarantine", "delete", "-c", net.london.path, str(row["quarantine"]), "--why", "seen")
    same((len(net.tokyo.mail("taro")), net.died()), (1, []), "messages, deaths")
    net.stop()
    return "%d in quarantine, %d notices" % (len(rows), len(net.notices()))


def k256187_among_orphans(lab):
    """8,000 files that nobody names lie in the directories of both postoffices: mail flows as if they were not there."""
    net = Net(lab)
    for which in (net.site, net.shadow):
        for top, letters in (("MAI", "MA"), ("ATT", "AT")):
            for n in range(2000):
                name = "%08X" % (0x70000000 + n)
                with open(os.path.join(which.path, top, letters + name[-1], name + "." + top), "wb") as f:
                    f.write(b"x")
    net.start()
    for i in range(3):
        net.from_site(TARO, "No %d" % i, attachments=[("a.txt", b"abc")])
    net.tokyo.wait_mail("taro", 3)
    net.to_site("ANNA", "Back")
    net.at_site("Back")
    same(net.died(), [], "deaths")
    net.stop()


if __name__ == "__main__":
    main(k151669_k151473_one_that_hangs_and_one_that_dies, k151669_k169671_k237182_poison_among_good_ones,
         k151791_k173344_k127919_k165396_bad_addresses_among_good_ones, k98067_k175965_nobody_is_told_of_a_notice,
         k175447_a_list_that_has_its_own_writer, k151249_k157941_k166589_k193762_files,
         k156844_k161952_k161933_k161936_k166587_k159179_k118595_what_a_message_says, k167139_k167639_k155790_k184681_k224987_code_pages,
         k214565_k168771_k158399_odd_dates_and_receipts, k169682_k200661_k130382_what_nobody_knows, k176396_k176440_k222985_a_huge_text,
         k168857_k237695_k113165_held_by_another_program,
         k247618_k159305_k146113_corrupt_at_the_head, k256187_among_orphans)
