#!/usr/bin/env python3
"""Microsoft Mail through the whole program: users of a postoffice write to X.400 and are written to. A client program is played by
tests/lib/postoffice.py, which shares no line with Posthorn."""
import os
import random
import stat
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from msmail import OWN, SITE, Net  # noqa: E402
from posthorn import expect, is_sanitized, main, same, wait_for  # noqa: E402

MEGABYTES = 50


def closed(root):
    """What below a folder the group may not use, or others may."""
    found = []
    for at, _, names in os.walk(root):
        for path in [at] + [os.path.join(at, name) for name in names]:
            try:
                mode = os.lstat(path).st_mode
            except FileNotFoundError:   # a lock that was there for a round
                continue
            if mode & 0o077 != (0o070 if stat.S_ISDIR(mode) else 0o060):
                found.append("%s %o" % (path, mode & 0o777))
    return found


def there_and_back(lab):
    """From a mailbag through London to Tokyo; the answer comes back into the mailbag."""
    net = Net(lab).start()
    net.site.send("ANNA", [OWN + "/TARO"], "Fracht 17", b"Guten Tag,\rdie Kisten sind da.\r", own=SITE,
                  attachments=[("liste.txt", b"eins\r\nzwei\r\n"), ("leer.dat", b"")])
    entry = net.tokyo.wait_mail("taro", 1)[0]
    shown = net.tokyo.show("taro", entry["delivery"])
    expect("Fracht 17" in str(shown), "the subject at Tokyo", shown)
    expect("die Kisten sind da." in str(shown), "the text at Tokyo", shown)
    expect("liste.txt" in str(shown) and "leer.dat" in str(shown), "both attachments' names at Tokyo", shown)
    net.tokyo.send(net.taro, net.ms(SITE + "/ANNA"), "--subject", "Re: Fracht 17", "--text", "Danke, angekommen.")
    header, mail = net.wait_box(net.site, "ANNA", 1)[0]
    same(header.subject, b"Re: Fracht 17", "subject in the mailbag")
    expect(b"Danke, angekommen." in mail.text, "the text in the MAI", mail.text)
    same(mail.sender, OWN + "/TARO", "the sender as the address map says")
    for po in (net.site, net.shadow):
        wait_for(lambda po=po: len(po.leftovers()) <= (1 if po is net.site else 0), "no file left over: %s" % po.leftovers())
        same(closed(po.path), [], "the files of a postoffice are for the group of its server, whoever has written them")
    net.stop()


def answered_by_its_typed_address(lab):
    """Nobody's map line has Hanako: at the postoffice she is X400:/c=jp/..., and an answer to that reaches her by way of the connector."""
    net = Net(lab)
    hanako = net.tokyo.mailbox("hanako")
    net.command("gateway", "add", net.site.path, "X400", "--via", OWN)
    net.start()
    net.tokyo.send(hanako, net.ms(SITE + "/ANNA"), "--subject", "Frage", "--text", "Wann?")
    header, mail = net.wait_box(net.site, "ANNA", 1)[0]
    expect(mail.sender.lower().startswith("x400:/c=jp/") or mail.kinds.get(("from", 0)) == 16, "a typed address of the sender", mail.sender, mail.kinds)
    net.command("send", net.site.path, "--from", "ANNA", "--to", mail.sender if mail.sender.upper().startswith("X400:") else "X400:" + mail.sender,
                "--subject", "Antwort", "--text", "Bald.")
    entry = net.tokyo.wait_mail("hanako", 1)[0]
    expect("Bald." in str(net.tokyo.show("hanako", entry["delivery"])), "the answer at Tokyo")
    wait_for(lambda: not net.shadow.leftovers(), "no file left over at the connector")
    net.stop()


def message_file(text, end):
    return end.join(text).encode("latin-1")


def gateway_directories(lab):
    """A link with FFAPI directories: files of each line end are taken and go to Tokyo; what comes from there is written; a bad one is set aside."""
    london, tokyo = lab.mta("london"), lab.mta("tokyo", "JP")
    taro = tokyo.mailbox("taro")
    put, got = os.path.join(lab.root, "put"), os.path.join(lab.root, "got")
    os.makedirs(put)
    os.makedirs(got)
    london.settings["links"].append({"name": "gateway", "kind": "msmail", "open-interval": "300 ms", "transfer-interval": "300 ms", "msmail": {
        "ffapi-import": put, "ffapi-export": got, "ffapi-lines": "crlf", "network": "EXCH", "postoffice-name": "LONDON", "poll": "200 ms",
        "addresses": ["EXCH/LONDON/TARO = " + taro]}})
    london.settings["routes"].append({"match": london.domain + "; DDA:MS=*", "to": "gateway"})
    london.link(tokyo)
    tokyo.link(london)
    tokyo.start()
    london.start()
    for i, end in enumerate(("\r", "\n", "\r\n")):
        body = "Zeile eins" + end + "Zeile zwei" + end
        lines = ["VERSION:3.00", "TO:EXCH/LONDON/TARO", "from:FABRIK/BERLIN/ANNA", "SUBJECT:Nummer %d" % i, "PRIORITY:5", "DATE:1996-03-01", "TIME:10:30",
                 "ATTACHMENTS:a.bin 5", "TEXT:%d" % len(body)]
        octets = message_file(lines, end) + end.encode() + body.encode() + b"\0\1\2\3\4"
        with open(os.path.join(put, "M%d.TMP" % i), "wb") as f:
            f.write(octets)
        os.rename(os.path.join(put, "M%d.TMP" % i), os.path.join(put, "M%d.MSG" % i))
    with open(os.path.join(put, "BAD.MSG"), "wb") as f:
        f.write(b"VERSION:3.00\r\nTEXT:900\r\nshort")
    entries = tokyo.wait_mail("taro", 3)
    shown = [tokyo.show("taro", e["delivery"]) for e in entries]
    for one in shown:
        text = str(one)
        expect("Zeile eins\\nZeile zwei" in text and "a.bin" in text and "urgent" in text and "1996-03-01" in text, "text, file, priority and date", one)
    same(sorted(f["value"] for one in shown for f in one["fields"] if f["label"] == "subject"), ["Nummer 0", "Nummer 1", "Nummer 2"], "subjects")
    wait_for(lambda: os.path.isdir(os.path.join(put, "BAD")) and len(os.listdir(os.path.join(put, "BAD"))) >= 2, "the bad one set aside, and why")
    wait_for(lambda: os.listdir(put) == ["BAD"], "an empty import directory: %s" % os.listdir(put))
    tokyo.send(taro, "DDA:MS=FABRIK/BERLIN/ANNA; P=LONDON; A=POSTHORN; C=GB", "--subject", "Antwort", "--text", "Ja.")
    wait_for(lambda: [n for n in os.listdir(got) if not n.upper().endswith(".TMP")], "a message file")
    with open(os.path.join(got, [n for n in os.listdir(got)][0]), "rb") as f:
        tokens = f.read().split(b"\r\n")
    same([os.stat(os.path.join(got, n)).st_mode & 0o777 for n in os.listdir(got)], [0o660], "the gateway's program may read it, and nobody else")
    expect(b"TO:FABRIK/BERLIN/ANNA" in [t.upper() for t in tokens] and b"SUBJECT:Antwort" in tokens and b"Ja." in tokens, "tokens", tokens)
    london.stop()
    tokyo.stop()


def twenty_files_both_ways(lab):
    """20 attachments, empty ones and one of 50 MB among them, from the site to Tokyo and from Tokyo to the site. The converter holds what
    comes in and what goes out; nobody else holds a whole message."""
    net, octets = Net(lab).start(), random.Random(5)
    size = (MEGABYTES if not is_sanitized(lab.program) else 4) * 1000 * 1000
    files = [("A%02d.BIN" % i, octets.randbytes(size if i == 7 else [0, 1, 70000, 3, 999][i % 5])) for i in range(20)]
    net.site.send("ANNA", [OWN + "/TARO"], "files", b"text\r", own=SITE, attachments=files)
    wait_for(lambda: net.tokyo.mail("taro"), "the files at Tokyo", 120)
    parts = []
    for name, value in files:
        lab.file(name, value)
        parts += ["--file", os.path.join(lab.root, name)]
    net.to_site("ANNA", "back", "--text", "text", *parts)
    header = wait_for(lambda: net.site.mailbox("ANNA"), "the files at the site", 120)[0]
    mail = net.site.mail(header)
    same([a["name"] for a in mail.attachments], [name.encode() for name, _ in files], "names, in order")
    for (name, value), a in zip(files, mail.attachments):
        expect(net.site.attachment(a["id"]) == value, "octets of " + name)
    peak = {kind: max(peak_of(pid) for name, pid in net.london.pids().items() if name.startswith(kind + ".")) for kind in ("interchange", "converter", "mover", "switch")}
    if not is_sanitized(lab.program):
        expect(peak["converter"] < 3 * MEGABYTES and max(v for k, v in peak.items() if k != "converter") < MEGABYTES, "memory of each process, in MB", peak)
    net.stop()
    return "%s MB at most" % ", ".join("%s %d" % x for x in sorted(peak.items()))


def peak_of(pid):
    """The most that the process ever had in memory, in MB."""
    with open("/proc/%d/status" % pid, encoding="ascii", errors="replace") as f:
        return next(int(line.split()[1]) // 1000 for line in f if line.startswith("VmHWM"))


main(there_and_back, answered_by_its_typed_address, gateway_directories, twenty_files_both_ways)
