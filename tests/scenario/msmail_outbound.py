#!/usr/bin/env python3
"""Rows of the failure catalogue about mail from X.400 to users of a Microsoft Mail postoffice, through the whole program: link, switch,
interchange, converter, mover, mailbag. The names bear the numbers of the articles."""
import datetime
import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from msmail import OWN, SITE, Net, held  # noqa: E402
from posthorn import WATCHDOG, expect, main, same, wait_for  # noqa: E402
from postoffice import record  # noqa: E402


def values(fields, label):
    return [v for name, v in fields if name == label]


def plain(mail):
    return mail.text.decode("cp%d" % (mail.code_page or 850)).replace("\r\n", "\n").replace("\r", "\n")


# --- processes ---

def k151669_k237182_a_message_that_nobody_can_convert(lab):
    """Towards Microsoft Mail one message kills the converter, one hangs it, one fails there as if it would pass, each time: a report for each
    in the end, what killed is in quarantine after three strikes, the good ones between them arrive once."""
    net = Net(lab)
    net.command("user", "add", net.site.path, "POISONFAIL")
    net.london.settings["processes"]["watchdog"] = WATCHDOG
    net.london.settings["limits"] = {"strikes": 3}
    net.start(always="converter:CONVERTER_XLATE:@POISON-DEATH:abort,converter:CONVERTER_XLATE:@POISON-HANG:hang,interchange:INTERCHANGE_XLATE:@POISONFAIL:fail")
    bad = []
    for i, mark in enumerate(("DEATH", "HANG", "FAIL")):
        net.to_site("ANNA", "Good %d" % i)
        bad.append(net.to_site("POISONFAIL" if mark == "FAIL" else "ANNA", "POISON-" + mark))
    net.to_site("ANNA", "Good 3")
    wait_for(lambda: len(net.site.mailbox("ANNA")) >= 4, "four good ones")
    for about in bad:
        same(len(values(net.report(about), "not-delivered")), 1, "recipients in the report about %s" % about)
    same(sorted(h.subject for h in net.site.mailbox("ANNA")), [b"Good %d" % i for i in range(4)], "what arrived")
    same(net.site.mailbox("POISONFAIL"), [], "what nobody can convert")
    deaths = net.died()
    expect("interchange" not in deaths and 6 <= deaths.count("converter") <= 8, "three strikes each, at most one death more that is not charged", deaths)
    rows = net.london.rows("quarantine", "list")
    same(len(rows), 2, "in quarantine: what killed")
    net.london.wait_empty()
    net.stop()


def k151669_a_worker_that_hangs_holding_its_bag(lab):
    """The interchange hangs with the records of a transfer half put in, dies before it is ready, and again before it answers: X.400 mail and
    the other direction go on, each message arrives once."""
    net = Net(lab)
    net.london.settings["processes"]["watchdog"] = WATCHDOG
    net.start(once="interchange:INTERCHANGE_RECORD:2:hang,mover:MOVER_READY:2:abort")
    for i in range(6):
        net.to_site(["ANNA", "BERT"], "No %d" % i)
    net.from_site(OWN + "/TARO", "Other way")
    net.london.event("process.hung")
    net.at_tokyo("Other way")
    for user in ("ANNA", "BERT"):
        net.wait_box(net.site, user, 6)
    net.london.wait_empty()
    same((len(net.site.mailbox("ANNA")), len(net.site.mailbox("BERT")), net.london.rows("quarantine", "list")), (6, 6, []), "copies, quarantine")
    net.stop()


# --- recipients ---

def k151791_k127919_k131116_k169117_who_is_not_there(lab):
    """Unknown users and postoffices among good ones: one report with each of them and his cause, none about the good; a route to a postoffice
    that no mailbag leads to is said. A user who is added is known at once; so is one with his name in lower case."""
    net = Net(lab).start()
    to = ["ANNA", "NOBODY", net.ms("NOWHERE/ATALL/X"), "BERT", "WRONG"]
    about = net.to_site(to, "Mixed")
    for user in ("ANNA", "BERT"):
        net.wait_box(net.site, user, 1)
    event = net.london.event("msmail.no-route")
    expect("NOWHERE/ATALL" in event["fields"]["recipient"], "which postoffice", event)

    def told():
        fields = [v for e in net.tokyo.mail("taro") if e["kind"] == "report" for v in
                  [f["value"] for f in net.tokyo.show("taro", e["delivery"])["fields"] if f["label"] == "not-delivered"]]
        return len(fields) >= 3 and fields
    bad = wait_for(told, "reports about three recipients")
    same(len(bad), 3, "recipients who are reported")
    for name in ("NOBODY", "NOWHERE", "WRONG"):
        expect(any(name in v for v in bad), "%s is named" % name, bad)
    expect(about, "sent")
    net.command("user", "add", net.site.path, "NEW")
    net.to_site(["NEW", "anna"], "To the new one")
    net.wait_box(net.site, "NEW", 1)
    net.wait_box(net.site, "ANNA", 2)
    net.stop()


def k176425_k177869_k192052_k173344_addresses_of_x400(lab):
    """A sender whose address has `/`, `//` and blanks, one with 250 characters, one with a domain-defined address: shown in the MAI as one
    that leads back, all users have it, and nobody's address has control characters."""
    net = Net(lab)
    senders = ["G=An/na; S=O/Neil//Smith /x; O=Of/fice; P=TOKYO; A=POSTHORN; C=JP",
               "S=%s; O=%s; OU1=%s; OU2=%s; P=TOKYO; A=POSTHORN; C=JP" % ("s" * 40, "o" * 64, "u" * 32, "v" * 32),
               "DDA:SMTP=joe(a)example.com; P=TOKYO; A=POSTHORN; C=JP"]
    for n, address in enumerate(senders):
        net.tokyo.settings["mailboxes"].append({"name": "odd%d" % n, "addresses": [address]})
    net.start()
    for n, address in enumerate(senders):
        net.tokyo.send(address, [net.ms(SITE + "/ANNA"), net.ms(SITE + "/BERT")], "--subject", "From %d" % n, "--text", "t")
        mail = net.at_site("From %d" % n)
        expect(mail.sender and all(" " <= c for c in mail.sender), "the sender's address", mail.sender)
        expect(len(mail.to) == 2, "the recipients", mail.to)
    net.wait_box(net.site, "BERT", 3)
    same((net.died(), net.london.rows("quarantine", "list")), ([], []), "deaths, quarantine")
    net.stop()


def k153940_k141135_k156728_k149021_what_comes_back(lab):
    """Non-delivery from X.400 is a notice for the sender, with the text, about that recipient only; delivery is none. With a sender of whom two
    postoffices have a namesake: to the one who wrote."""
    net = Net(lab)
    nobody = "G=No; S=Body; O=Office; P=TOKYO; A=POSTHORN; C=JP"
    net.link["msmail"]["addresses"].append("%s/NOBODY = %s" % (OWN, nobody))
    net.command("user", "add", net.shadow.path, "ANNA")
    net.start()
    net.from_site([OWN + "/TARO", OWN + "/NOBODY"], "Half of it", b"the text of it", receipt=True)
    net.at_tokyo("Half of it")
    text = net.notice("Half of it")
    expect("NOBODY" in text and "TARO" not in text.split("not delivered to:")[1].split("----")[0] and "the text of it" in text, "the notice", text)
    net.to_site("ANNA", "Confirm", "--text", "t", "--report", "delivery")
    net.at_site("Confirm")
    net.from_site(OWN + "/TARO", "Behind it")
    net.at_tokyo("Behind it")
    same((len(net.notices()), net.shadow.mailbox("ANNA")), (1, []), "notices, and what the namesake has")
    net.stop()


# --- contents ---

def k151249_k193762_k157420_k177979_k166598_files(lab):
    """Eleven files, one of no octets, two of one name, and a forwarded message: each name with its own content, in their order; nothing is
    refused for what is inside."""
    net = Net(lab).start()
    names = ["eins.txt", "leer.dat", "two words.doc", "ohne"] + ["datei%d.bin" % i for i in range(7)]
    octets = [b"eins\n", b"", b"\0\xff" * 500, b"x"] + [bytes([i]) * (i + 1) * 1000 for i in range(7)]
    args = []
    for name, o in zip(names, octets):
        args += ["--file", lab.file(name, o)]
    net.to_site("ANNA", "Files", "--text", "above", *args)
    mail = net.at_site("Files")
    found = [(a["name"].decode("cp850"), net.site.attachment(a["id"])) for a in mail.attachments]
    same([n for n, _ in found], names, "names, in their order")
    for (name, content), wanted in zip(found, octets):
        same(content == wanted, True, "the content of %s" % name)
        same([a["size"] for a in mail.attachments if a["name"].decode() == name][0], len(wanted), "the size of %s" % name)
    expect("above" in plain(mail), "the text", mail.text)
    net.stop()
    return "%d files" % len(found)


def k161952_k156844_k161936_k166587_k164855_k159180_k179739_k118595_what_a_message_says(lab):
    """A subject of 120 characters, lines of 1 to 1000, "begin" and "end", characters of many countries, priority: the MAI has them; the record
    has the first 40 of the subject."""
    net = Net(lab).start()
    lines = ["x" * n for n in list(range(1, 140)) + [254, 255, 256, 500, 999, 1000]] + ["begin 644 file", "end", "äöüß ÄÖÜ éèê", "begin", "."]
    subject = "Re: AW: Betreff: " + "s" * 103
    path = lab.file("text", "\n".join(lines).encode())
    net.to_site("ANNA", subject, "--text-file", path)
    mail = net.at_site(subject)
    same(plain(mail).split("\n"), lines, "the lines")
    same([h.subject for h in net.site.mailbox("ANNA")], [subject[:40].encode()], "the record's subject")
    for x400, ms in (("non-urgent", ("1", "2")), ("normal", ("", "3")), ("urgent", ("5", "4"))):
        net.to_site("ANNA", "Priority " + x400, "--text", "t", "--priority", x400)
        expect(net.at_site("Priority " + x400).priority in ms, "priority " + x400, net.at_site("Priority " + x400).priority)
    texts = {"Russian": "Привет из Москвы", "Greek": "Καλημέρα", "Polish": "Zażółć gęślą jaźń", "Japanese": "こんにちは", "Mixed": "Grüße Привет 日本",
             "Euro": "10 €"}
    for name, text in texts.items():
        net.to_site("ANNA", "In " + name, "--text", text)
        mail = net.at_site("In " + name)
        expect(len(plain(mail).strip()) >= len(text) // 2, "%s has arrived, if with replacements" % name, mail.text)
    same((net.died(), [e for e in net.tokyo.mail("taro") if e["kind"] == "report"]), ([], []), "deaths, reports")
    net.stop()


def k193035_many_recipients(lab):
    """600 recipients in the heading, far over header-limit: both users have it, the list is cut and says so, an event says it; two users of
    hundreds are told of once."""
    net = Net(lab, header_limit="4 K").start()
    many = ["G=Person%d; S=With-a-long-name-%d; O=Office; P=TOKYO; A=POSTHORN; C=JP" % (i, i) for i in range(300)]
    net.tokyo.settings["mailboxes"].append({"name": "many", "addresses": many})
    net.tokyo.stop()
    net.tokyo.start()
    net.to_site(["ANNA", "BERT"] + many, "Many")
    mail = net.at_site("Many")
    net.at_site("Many", "BERT")
    expect(SITE + "/ANNA" in mail.to + mail.cc and len("".join(mail.to + mail.cc)) < 6000, "what the heading has", len(mail.to))
    net.london.event("msmail.header")
    net.stop()
    return "%d of 302 shown" % len(mail.to + mail.cc)


def k152724_k217193_wrapped_by_x400(lab):
    """Both links of a backbone wrap texts at 60 characters: what a Microsoft Mail user sends over it has its files whole and can be answered."""
    net = Net(lab)
    for link in net.london.settings["links"] + net.tokyo.settings["links"]:
        if link["name"] in ("tokyo", "london"):
            link["wrap"] = 60
    net.start()
    octets = bytes(range(256)) * 20
    net.from_site(OWN + "/TARO", "Wrapped", b"word " * 40, attachments=[("a.bin", octets)])
    _, parts = net.at_tokyo("Wrapped")
    text = parts[0]["text"]
    expect(text.split() == ["word"] * 40 and max(map(len, text.split("\n"))) <= 60, "the text is wrapped, no word is lost", text)
    same([(p["name"], p["size"]) for p in parts[1:]], [("a.bin", len(octets))], "the file")
    path = lab.file("b.bin", octets)
    net.to_site("ANNA", "Re: Wrapped", "--text", "word " * 40, "--file", path)
    mail = net.at_site("Re: Wrapped")
    same((plain(mail).split(), net.site.attachment(mail.attachments[0]["id"]) == octets), (["word"] * 40, True), "what comes back")
    net.stop()


# --- mailbags ---

def fill(po, user, n):
    """n live records."""
    bag = po.users()[user]
    when = datetime.datetime(2026, 1, 1)
    with open(po.file("MBG", bag + ".MBG"), "r+b") as f:
        for i in range(n):
            f.write(record("OLD", b"Old", when, "%08X" % (0x60000000 + i), 100))
    with open(po.file("KEY", bag + ".KEY"), "r+b") as f:
        key = bytearray(f.read())
        for i in range(n):
            key[48 + i // 8] |= 1 << (i % 8)
        key[0:4] = n.to_bytes(2, "little") * 2
        f.seek(0)
        f.write(key)


def k138054_k146113_a_full_mailbag(lab):
    """BERT's mailbag has 4096 messages: he is reported with [017], ANNA has hers; when he deletes one, the next one takes its place, and the file
    does not grow."""
    net = Net(lab).start()
    fill(net.site, "BERT", 4096)
    about = net.to_site(["ANNA", "BERT"], "To both")
    net.wait_box(net.site, "ANNA", 1)
    bad = values(net.report(about), "not-delivered")
    expect(len(bad) == 1 and "BERT" in bad[0], "who is reported", bad)
    bag = net.site.users()["BERT"]
    with open(net.site.file("KEY", bag + ".KEY"), "r+b") as f:
        f.write(bytes([0xFF, 0x0F]) * 2)
        f.seek(48)
        f.write(b"\xfe")
    net.to_site(["BERT"], "There is room")
    wait_for(lambda: any(h.subject == b"There is room" and h.slot == 0 for h in net.site.bag(bag)), "it lies in the place that is free")
    same(os.path.getsize(net.site.file("MBG", bag + ".MBG")), 4096 * 116, "octets of the mailbag")
    net.stop()


def k127002_k260962_k212756_k104279_one_bad_mailbag(lab):
    """BERT's KEY is damaged, then held by another program, then KEY and MBG are reset: ANNA has her mail at once each time, BERT when it is mended,
    and nobody gets a notice."""
    net = Net(lab).start()
    bag = net.site.users()["BERT"]
    key, mbg = net.site.file("KEY", bag + ".KEY"), net.site.file("MBG", bag + ".MBG")
    shutil.copy(key, key + ".safe")
    with open(key, "r+b") as f:
        f.truncate(100)
    net.to_site(["ANNA", "BERT"], "One")
    net.wait_box(net.site, "ANNA", 1)
    net.london.event("mover.pending")
    shutil.copy(key + ".safe", key)
    os.unlink(key + ".safe")
    net.wait_box(net.site, "BERT", 1)
    with held(key):
        net.to_site(["ANNA", "BERT"], "Two")
        wait_for(lambda: len(net.site.mailbox("ANNA")) == 2, "ANNA's second")
    net.wait_box(net.site, "BERT", 2)
    with open(key, "r+b") as k, open(mbg, "r+b") as m:
        k.write(bytes(560))
        m.truncate(0)
    net.to_site(["ANNA", "BERT"], "Three")
    net.wait_box(net.site, "BERT", 1)
    net.wait_box(net.site, "ANNA", 3)
    same([e for e in net.tokyo.mail("taro") if e["kind"] == "report"], [], "reports")
    net.stop()


if __name__ == "__main__":
    main(k151669_k237182_a_message_that_nobody_can_convert, k151669_a_worker_that_hangs_holding_its_bag, k151791_k127919_k131116_k169117_who_is_not_there,
         k176425_k177869_k192052_k173344_addresses_of_x400, k153940_k141135_k156728_k149021_what_comes_back,
         k151249_k193762_k157420_k177979_k166598_files, k161952_k156844_k161936_k166587_k164855_k159180_k179739_k118595_what_a_message_says,
         k193035_many_recipients, k152724_k217193_wrapped_by_x400, k138054_k146113_a_full_mailbag, k127002_k260962_k212756_k104279_one_bad_mailbag)
