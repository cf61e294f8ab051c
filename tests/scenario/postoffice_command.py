#!/usr/bin/env python3
"""`posthorn postoffice`: what it makes, writes and mends, read back octet by octet with no line of Posthorn's (facts A2 - A6, B1)."""
import fcntl
import json
import os
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from postoffice import Postoffice  # noqa: E402
from posthorn import expect, main, same  # noqa: E402

WRONG, USAGE, DATA, NONE, CREATE, BUSY = 1, 64, 65, 66, 73, 75
TOP = "ATT CAL FOLDERS GLB GRP HLP INF INI KEY LOG MAI MBG MEM MMF NME P1 TPL USR XTN".split()
FRESH = {  # Q135868; the last line: files of fixed size (Q77926)
    "KEY/00000000.KEY": 560, "KEY/INQUEUE.KEY": 560, "KEY/INQUEUE3.KEY": 560, "KEY/SYSTEM.KEY": 560,
    "MBG/00000000.MBG": 0, "MBG/INQUEUE.MBG": 0, "MBG/INQUEUE3.MBG": 0, "MBG/SYSTEM.MBG": 0, "GLB/NETWORK.GLB": 122,
    "GLB/ACCESS.GLB": 586, "GLB/ACCESS2.GLB": 69, "GLB/ACCESS3.GLB": 512, "GLB/GROUP.GLB": 4, "GLB/NETPO.GLB": 4, "GLB/GRPMEM.GLB": 4,
    "GLB/TID.GLB": 4, "NME/ADMIN.NME": 45, "NME/ADMINSHD.NME": 45, "GRP/ADMIN.GRP": 8, "GRP/ADMINSHD.GRP": 8, "GRP/00000000.GRP": 8,
    "XTN/00000001.XTN": 0, "GLB/REQTRANS.GLB": 0, "GLB/SRVTRANS.GLB": 0, "GLB/USRTRANS.GLB": 0, "GLB/GWTRANS.GLB": 0, "GLB/NMETRANS.GLB": 0,
    "GLB/PROCESS.GLB": 512, "GLB/REQCONF.GLB": 512, "NME/00000000.NME": 0, "NME/VIEW.NME": 0, "FOLDERS/SERIALNO.IDX": 4,
    "FOLDERS/LOC/00000000/00000000.IDX": 100, "FOLDERS/PUB/FOLDROOT.IDX": 100,
    "GLB/CONTROL.GLB": 8, "GLB/FLAG.GLB": 2, "GLB/GLOBAL.GLB": 512, "GLB/MASTER.GLB": 176, "GLB/MODEM.GLB": 64,
}


def tool(lab, *args, status=0):
    return lab.command("postoffice", *args, status=status)


def rows(lab, *args, status=0):
    return [json.loads(line) for line in tool(lab, *args, "--json", status=status).splitlines()]


def make(lab, name="HQ/LONDON", users=("ann", "bob")):
    """A postoffice with users and neighbours; its path."""
    path = os.path.join(lab.root, name.replace("/", "-"))
    tool(lab, "create", path, "--name", name)
    for user in users:
        tool(lab, "user", "add", path, user, "--friendly", user.capitalize() + " User")
    tool(lab, "external", "add", path, "HQ/PARIS")
    tool(lab, "external", "add", path, "FAR/TOKYO", "--via", "HQ/PARIS")
    tool(lab, "gateway", "add", path, "SMTP")
    return path


def octets(*parts):
    with open(os.path.join(*parts), "rb") as f:
        return f.read()


def write(octets_, *parts):
    with open(os.path.join(*parts), "wb") as f:
        f.write(octets_)


def text(field):
    return field.split(b"\0")[0].decode()


def fresh(lab):
    path = os.path.join(lab.root, "fresh")
    said = tool(lab, "create", path, "--name", "HQ/LONDON", "--serial", "11-12345")
    expect("HQ/LONDON" in said and "11-12345" in said, "what is said", said)
    files, folders = {}, set()
    for folder, inside, names in os.walk(path):
        rel = os.path.relpath(folder, path)
        folders |= {os.path.normpath(os.path.join(rel, d)) for d in inside}
        files.update({os.path.normpath(os.path.join(rel, n)): os.path.getsize(os.path.join(folder, n)) for n in names})
    want = set(TOP) | {"ATT/AT%X" % i for i in range(16)} | {"MAI/MA%X" % i for i in range(16)}
    same(len(want), 51, "directories of the integrity checker")
    same(folders, want | {"FOLDERS/LOC", "FOLDERS/LOC/00000000", "FOLDERS/PUB"}, "directories")
    same(files, dict(FRESH, **{d + "/POPULATE.MSM": 1 for d in want}), "files and sizes")
    for name in FRESH:
        same(name, name.upper(), "case")
    same(tool(lab, "check", path), "0 findings, 0 mended; 0 messages, 0 files that nobody names\n", "check")
    tool(lab, "create", path, "--name", "HQ/LONDON", status=CREATE)
    serials = set()
    for i in range(4):
        tool(lab, "create", os.path.join(lab.root, "s%d" % i), "--name", "A/B")
        serials.add(rows(lab, "list", os.path.join(lab.root, "s%d" % i), "postoffices")[0]["serial"])
    same(len(serials - {"22-28798"}), 4, "serial numbers")
    return "54 directories, %d files" % len(files)


def tables(lab):
    """A2, A4: records at their published places."""
    path = make(lab)
    tool(lab, "group", "add", path, "team", "ann", "bob")
    networks = octets(path, "GLB", "NETWORK.GLB")
    same(len(networks), 122 * 3, "NETWORK.GLB")
    found = []
    for at in range(0, len(networks), 122):
        found.append((networks[at], text(networks[at + 2:at + 13]), text(networks[at + 0x0D:at + 0x16]), text(networks[at + 0x21:at + 0x2A])))
        same(networks[at + 0x2A:at + 122], bytes(80), "octets that are not known")
    same(found, [(1, "HQ", "00000001", ""), (1, "FAR", "00000005", ""), (1, "SMTP", "", "00000006")], "networks")
    same(networks[122 * 2 + 1], 0x64, "type of an FFAPI gateway")
    hq, far = octets(path, "XTN", "00000001.XTN"), octets(path, "XTN", "00000005.XTN")
    same((len(hq), len(far)), (698, 698), "XTN files")
    same((hq[0], text(hq[1:12]), text(hq[0x0C:0x15]), struct.unpack_from("<H", hq, 0x289)[0]), (1, "PARIS", "00000004", 1), "HQ/PARIS")
    same((far[0], text(far[1:12]), text(far[0x0C:0x15]), struct.unpack_from("<H", far, 0x289)[0]), (1, "TOKYO", "", 0), "FAR/TOKYO")
    for name, unit in (("ACCESS", 586), ("ACCESS2", 69), ("ACCESS3", 512)):
        same(len(octets(path, "GLB", name + ".GLB")), 3 * unit, name)
    po = Postoffice(path)
    same(po.users(), {"Admin": "00000000", "ann": "00000002", "bob": "00000003"}, "users")
    for bag in ("00000002", "00000003", "00000004", "00000006"):
        same((octets(path, "KEY", bag + ".KEY"), octets(path, "MBG", bag + ".MBG")), (bytes(560), b""), "mailbag " + bag)
    same(octets(path, "NME", "ADMIN.NME"), octets(path, "NME", "ADMINSHD.NME"), "the shadow of the address list")
    same(len(octets(path, "NME", "ADMIN.NME")), 45 * 4, "ADMIN.NME")
    same(struct.unpack("<2I", octets(path, "GLB", "CONTROL.GLB")), (8, 1), "CONTROL.GLB")
    same(struct.unpack("<2I", octets(path, "MEM", "00000007.MEM")), (2, 3), "members")
    chain = struct.unpack("<4I", octets(path, "GRP", "00000007.GRP"))
    same((chain[1], chain[3]), (8, 0), "offsets of the chain")
    kinds = [(r["kind"], r.get("postoffice") or r.get("network") or r.get("mailbox") or r.get("group")) for r in rows(lab, "list", path) if r["kind"] != "bag"]
    same(kinds, [("own", "LONDON"), ("postoffice", "PARIS"), ("postoffice", "TOKYO"), ("gateway", "SMTP"), ("user", "Admin"), ("user", "ann"),
                 ("user", "bob"), ("group", "team")], "list")
    same(rows(lab, "list", path, "groups")[0]["members"], ["ann", "bob"], "members")
    tool(lab, "gateway", "add", path, "X400", "--via", "HQ/PARIS")
    same([(r["mailbag"], r["owner"]) for r in rows(lab, "list", path, "bags")][-2:], [("00000004", "HQ/PARIS"), ("00000006", "SMTP")], "each mailbag once")
    tool(lab, "check", path)


def mail(lab):
    """A5, A6: a message in the mailbags of its recipients, one MAI for all."""
    path = make(lab)
    big = os.urandom(200001)
    lab.file("Big File.bin", big)
    lab.file("empty", b"")
    lab.file("text", "Grüße\nzweite Zeile\n".encode())
    args = ["--text-file", os.path.join(lab.root, "text"), "--attach", os.path.join(lab.root, "Big File.bin"), "--attach", os.path.join(lab.root, "empty")]
    sent = rows(lab, "send", path, "--from", "ann", "--to", "bob", "--to", "HQ/PARIS/claude", "--cc", "FAR/TOKYO/hanako", "--cc", "SMTP:joe@example.com",
                "--subject", "Über alles: " + "x" * 40, "--priority", "5", "--receipt", *args)[0]
    same(sent["mailbags"], 3, "bob, HQ/PARIS (twice the way), SMTP")
    po, ident = Postoffice(path), sent["mai"]
    for bag in ("00000003", "00000004", "00000006"):
        mbg, key = octets(path, "MBG", bag + ".MBG"), octets(path, "KEY", bag + ".KEY")
        same((len(mbg), len(key)), (116, 560), "sizes of " + bag)
        same((text(mbg[2:13]), mbg[13:53], mbg[53]), ("ann", ("Über alles: " + "x" * 40).encode("cp850")[:40], 0), "sender and subject")
        same((mbg[67:75].decode(), mbg[75]), (ident, 0), "its MAI")
        minute, hour, day, month, year = struct.unpack_from("<5H", mbg, 56)
        expect(minute < 60 and hour < 24 and 1 <= day <= 31 and 1 <= month <= 12 and year > 2000, "date", minute, hour, day, month, year)
        same(struct.unpack_from("<H", mbg, 88)[0], 0x18, "the word at 88")
        expect(struct.unpack_from("<I", mbg, 78)[0] > len(big), "size")
        same(len(po.bag(bag)), 1, "live records")
    file = octets(path, "MAI", "MA" + ident[-1], ident + ".MAI")
    same(file[0x06:0x0B] + file[0x0D:0x12], b"\x7F\x05\x31\x20\x02\x7F\x05\x32\x20\x02", "vendor elements 1 and 2 where the dump has them (Q104423)")
    same(struct.unpack_from("<H", file, 0x0B)[0], 3, "the counter at 0x0B")
    m = po.mail(po.bag("00000003")[0])
    same((m.sender, m.to, m.cc, m.priority), ("HQ/LONDON/ann", ["HQ/LONDON/bob", "HQ/PARIS/claude"], ["FAR/TOKYO/hanako", "SMTP:joe@example.com"], "5"), "heading")
    same((m.text, m.code_page), ("Grüße\nzweite Zeile\n".encode("cp850"), 850), "text")
    same([(a["name"], po.attachment(a["id"])) for a in m.attachments], [(b"Big File.bin", big), (b"empty", b"")], "attachments")
    out = os.path.join(lab.root, "out")
    shown = tool(lab, "read", path, "bob", "0", "--save", out)
    expect("Subject:    Über alles" in shown and "zweite Zeile" in shown and "Receipt:    asked for" in shown, "what is shown", shown)
    same((octets(out, "Big File.bin"), octets(out, "empty")), (big, b""), "what is saved")
    tool(lab, "read", path, "bob", "0", "--save", out)
    same(octets(out, "Big File.bin.1"), big, "nothing is written over")
    one = json.loads(tool(lab, "show", path, "HQ/PARIS", "0", "--json"))
    same((one["mai"], one["message"]["mailbags"], one["message"]["text"]), (ident, 3, "Grüße\nzweite Zeile\n"), "as JSON")
    tool(lab, "read", path, "bob", "0", "--delete")
    same(struct.unpack_from("<H", octets(path, "MAI", "MA" + ident[-1], ident + ".MAI"), 0x0B)[0], 2, "the counter")
    same((len(octets(path, "MBG", "00000003.MBG")), po.bag("00000003")), (116, []), "the record's place stays (Q146113)")
    expect("0 findings" in tool(lab, "check", path), "whole")
    return ident


def k138054_a_mailbag_is_full(lab):
    """4096 records: that mailbag gets no more, the others do, and the counter says so."""
    path = make(lab)
    po = Postoffice(path)
    ident = po.send("ann", ["HQ/LONDON/bob"], "first", b"x", own="HQ/LONDON")
    one = octets(path, "MBG", "00000003.MBG")
    write(one * 4096, path, "MBG", "00000003.MBG")
    write(struct.pack("<2H", 1, 1) + bytes(44) + b"\xFF" * 512, path, "KEY", "00000003.KEY")
    tool(lab, "send", path, "--from", "ann", "--to", "bob", "--text", "x", status=WRONG)
    expect("[017]" in lab.last_error, "nobody else: nothing is left", lab.last_error)
    same([n for n in po.leftovers() if ident not in n], [], "files")
    tool(lab, "send", path, "--from", "ann", "--to", "bob", "--to", "ann", "--text", "x", status=WRONG)
    expect("is in 1 of its 2 mailbags" in lab.last_error, "who has it", lab.last_error)
    same(po.mail(po.mailbox("ann")[0]).bags, 1, "the counter")


def others_mail(lab):
    """What another program has written is read; names of attachments lead nowhere."""
    path = make(lab)
    po = Postoffice(path)
    bad = [("..\\..\\evil.txt", b"1"), ("/etc/passwd", b"2"), (".hidden", b"3"), ("", b"4"), ("fine.txt", b"5")]
    po.send("ann", ["HQ/LONDON/bob", "HQ/PARIS/x"], "S\x1b[31m", b"one\rtwo\r\nthree\n\x1b[2J", attachments=bad, own="HQ/LONDON", priority="1", code_page=1252)
    shown = tool(lab, "read", path, "bob", "0", "--save", os.path.join(lab.root, "out"))
    expect("one\ntwo\nthree\n" in shown and "\x1b" not in shown, "text without control characters", shown)
    same(sorted(os.listdir(os.path.join(lab.root, "out"))), ["attachment3", "attachment4", "evil.txt", "fine.txt", "passwd"], "saved names")
    same(rows(lab, "read", path, "bob")[0]["from"], "ann", "sender")
    expect("none, as a client writes it" in tool(lab, "show", path, "HQ/PARIS", "0"), "no envelope")
    same(rows(lab, "check", path)[-1], {"found": 0, "mended": 0, "messages": 1, "orphans": 0}, "check")
    tool(lab, "read", path, "bob", "0", "--delete")
    write(b"", path, "MAI", "MA9", "00000099.MAI")
    write(b"", path, "ATT", "AT9", "000000A9.ATT")
    same(rows(lab, "check", path, status=WRONG)[-1]["orphans"], 2, "files that nobody names")


def names_and_outputs(lab):
    """A friendly name is in the code page (facts A6, A11); what could not be shown or saved is not deleted."""
    path = make(lab)
    tool(lab, "user", "add", path, "zoe", "--friendly", "Zoë Grün")
    tool(lab, "user", "add", path, "win", "--friendly", "Zoë", "--code-page", "1252")
    access = octets(path, "GLB", "ACCESS.GLB")
    same([text(access[586 * i + 1:586 * i + 32]) if i < 3 else access[586 * i + 1:586 * i + 11].rstrip(b"\0") for i in (1, 3, 4)],
         ["Ann User", "Zoë Grün".encode("cp850"), "Zoë".encode("cp1252")], "names in ACCESS.GLB")
    expect("Zoë Grün" in tool(lab, "list", path, "users"), "as it is listed")
    tool(lab, "send", path, "--from", "zoe", "--to", "bob", "--text", "text")
    expect("From:       Zoë Grün <HQ/LONDON/zoe>" in tool(lab, "read", path, "bob", "0"), "as it is shown")
    with open("/dev/full", "wb") as full:
        done = subprocess.run([lab.program, "postoffice", "read", path, "bob", "0", "--delete"], stdout=full, stderr=subprocess.PIPE, check=False)
    same((done.returncode, b"the message stays" in done.stderr), (74, True), "where nothing can be written: %s" % done.stderr)
    same(len(Postoffice(path).mailbox("bob")), 1, "messages")
    tool(lab, "read", path, "bob", "0", "--delete")
    same(Postoffice(path).mailbox("bob"), [], "messages")


def bad_requests(lab):
    path = make(lab)
    os.mkdir(os.path.join(lab.root, "bare"))
    lab.file("file", b"x")
    for status, wanted, *args in (
            (USAGE, "want --name", "create", os.path.join(lab.root, "new")),
            (USAGE, "want letters and digits", "create", os.path.join(lab.root, "new"), "--name", "A-B/C"),
            (USAGE, "a gateway's name", "create", os.path.join(lab.root, "new"), "--name", "X400/C"),
            (USAGE, "want nn-nnnnn", "create", os.path.join(lab.root, "new"), "--name", "A/C", "--serial", "1-2"),
            (USAGE, "three parts", "create", os.path.join(lab.root, "new"), "--name", "A/B/C"),
            (NONE, "no directory", "list", os.path.join(lab.root, "none")),
            (NONE, "missing", "list", lab.root),
            (USAGE, "cannot be listed", "list", path, "everything"),
            (USAGE, "found 1 arguments", "user", "add", path),
            (USAGE, "--subject is no option", "user", "add", path, "x", "--subject", "y"),
            (USAGE, "is no option", "user", "add", path, "x", "--sbject"),
            (WRONG, "already", "user", "add", path, "ANN"),
            (WRONG, "has 11 characters, want 1 to 10", "user", "add", path, "elevenchars"),
            (WRONG, "want letters and digits", "user", "add", path, "a b"),
            (WRONG, "want 1 to 30", "user", "add", path, "x", "--friendly", "y" * 31),
            (WRONG, "a gateway's name", "external", "add", path, "MHS/PO"),
            (WRONG, "this postoffice itself", "external", "add", path, "hq/london"),
            (WRONG, "already", "external", "add", path, "hq/paris"),
            (WRONG, "not known here", "external", "add", path, "A/B", "--via", "C/D"),
            (WRONG, "by way of another", "external", "add", path, "A/B", "--via", "FAR/TOKYO"),
            (USAGE, "three parts", "external", "add", path, "A/B/C"),
            (WRONG, "already", "gateway", "add", path, "smtp"),
            (USAGE, "want 0x01..0xFF", "gateway", "add", path, "FAX", "--type", "256"),
            (WRONG, "no mailbox \"zoe\"", "group", "add", path, "g", "zoe"),
            (USAGE, "want --from", "send", path, "--to", "bob"),
            (WRONG, "no mailbox \"zoe\"", "send", path, "--from", "zoe", "--to", "bob", "--text", "x"),
            (WRONG, "2 recipients cannot be served", "send", path, "--from", "ann", "--to", "bob", "--to", "zoe", "--to", "NO/WHERE/x", "--text", "x"),
            (WRONG, "is a postoffice", "send", path, "--from", "ann", "--to", "HQ/PARIS", "--text", "x"),
            (USAGE, "want 1..5", "send", path, "--from", "ann", "--to", "bob", "--priority", "9"),
            (USAGE, "iconv", "send", path, "--from", "ann", "--to", "bob", "--code-page", "9"),
            (74, "cannot read", "send", path, "--from", "ann", "--to", "bob", "--attach", os.path.join(lab.root, "gone")),
            (74, "cannot open", "send", path, "--from", "ann", "--to", "bob", "--text-file", os.path.join(lab.root, "gone")),
            (74, "cannot read", "send", path, "--from", "ann", "--to", "bob", "--text-file", lab.root),
            (WRONG, "code page 850 has not", "user", "add", path, "x", "--friendly", "\u65e5\u672c"),
            (WRONG, "by guess", "repair", os.path.join(lab.root, "bare")),
            (WRONG, "has no mailbag here", "show", path, "zoe"),
            (WRONG, "is free", "show", path, "ann", "3"),
            (WRONG, "is no slot", "read", path, "ann", "4096"),
            (USAGE, "want a SLOT", "read", path, "ann", "--delete"),
            (NONE, "cannot read the directory", "import", path, os.path.join(lab.root, "none")),
            (USAGE, "no verb", "frobnicate", path)):
        tool(lab, *args, status=status)
        expect(wanted in lab.last_error, "posthorn postoffice %s: %s" % (" ".join(args), wanted), lab.last_error)
    same(rows(lab, "read", path, "bob"), [], "nothing has come of it")
    same(Postoffice(path).leftovers(), [], "nor any file")
    expect("0 findings, 0 mended" in tool(lab, "check", path), "whole")
    for verb in ("create", "check", "repair", "list", "user add", "group add", "external add", "gateway add", "show", "send", "read", "import", "export"):
        said = tool(lab, *verb.split(), "--help")
        expect("usage: posthorn postoffice %s PATH" % verb in said and "Exit status" in said, "help of " + verb, said)
    expect("external add PATH" in tool(lab, "--help"), "help")


def ffapi(lab):
    """B1: import, export, all line ends; what cannot be read or served is left and named."""
    path, folder = make(lab), os.path.join(lab.root, "in")
    os.mkdir(folder)
    good = b"VERSION:3.00|from:[SMTP:joe@example.com]|TO:HQ/LONDON/bob|to:CSI:HQ/PARIS/claude|Date:1995-02-28|TIME:13:45|SUBJECT:From outside|" \
           b"PRIORITY:5|ATTACHMENTS:NOTE.TXT 5|XATTACH:beside.bin Real Name.bin|TEXT:11|hello|worldabcde"
    for name, end in (("CR.TXT", b"\r"), ("LF.TXT", b"\n"), ("CRLF.TXT", b"\r\n")):
        one = good.replace(b"|hello|world", b"|hello world").replace(b"|", end)
        write(one, folder, name)
    write(b"\0\1\2" * 100, folder, "BESIDE.BIN")
    write(b"no message at all", folder, "WRONG.TXT")
    write(good.replace(b"HQ/LONDON/bob", b"HQ/LONDON/zoe").replace(b"|hello|world", b"|hello world").replace(b"|", b"\r"), folder, "NOBODY.TXT")
    said = tool(lab, "import", path, folder, status=DATA)
    same(said.count("is in 2 mailbags"), 3, "posted")
    expect("WRONG.TXT" in lab.last_error and "zoe: there is no such mailbox" in lab.last_error and "BESIDE" not in lab.last_error, "what is said", lab.last_error)
    po = Postoffice(path)
    for header in po.mailbox("bob"):
        m = po.mail(header)
        same((m.subject, m.text, m.date[:13], m.priority), (b"From outside", b"hello world", "19950228-1345", "5"), "message")
        same([(a["name"], po.attachment(a["id"])) for a in m.attachments], [(b"NOTE.TXT", b"abcde"), (b"Real Name.bin", b"\0\1\2" * 100)], "attachments")
    same(len(po.bag("00000004")), 3, "for Paris")
    for end, octet in (("cr", b"\r"), ("lf", b"\n"), ("crlf", b"\r\n")):
        out = os.path.join(lab.root, "out-" + end)
        expect("3 messages" in tool(lab, "export", path, "bob", out, "--line-end", end), "exported")
        one = octets(out, sorted(os.listdir(out))[0])
        lines = one.split(octet)
        same(lines[0].upper(), b"VERSION:3.00", "first line")
        expect(b"SUBJECT:From outside" in [x[:7].upper() + x[7:] for x in lines], "subject", lines)
        expect(one.endswith(b"hello worldabcde" + b"\0\1\2" * 100) or one.rstrip().endswith(b"abcde" + b"\0\1\2" * 100), "attachments follow", one[-400:])
    again = make(lab, "HQ/BERLIN")
    tool(lab, "user", "add", again, "carl")
    tool(lab, "external", "add", again, "HQ/LONDON")
    tool(lab, "import", again, os.path.join(lab.root, "out-cr"), "--delete")
    same(os.listdir(os.path.join(lab.root, "out-cr")), [], "posted files are removed")
    same(len(Postoffice(again).bag(Postoffice(again).externals()["HQ/LONDON"])), 3, "for London")
    expect("3 messages" in tool(lab, "export", path, "bob", os.path.join(lab.root, "last"), "--delete"), "exported")
    same(po.mailbox("bob"), [], "taken out")
    expect("0 findings" in tool(lab, "check", path), "whole")


def ffapi_odd_files(lab):
    """What cannot be read of a date, what no token is known for and a message that names itself harm nothing; addresses in brackets are those
    in them (Q94410); an export never writes over another postoffice's message of the same number."""
    path, folder, out = make(lab), os.path.join(lab.root, "in"), os.path.join(lab.root, "out")
    os.mkdir(folder)
    head = b"VERSION:3.00\rFROM:HQ/LONDON/ann\rTO:%s\rSUBJECT:%s\r%sTEXT:5\rhello"
    more = {b"dates": b"Date:1993-13-45\rTIME:99:99\r", b"time": b"TIME:10:11\r", b"unknown": b"FOO:" + b"x" * 70000 + b"\rN\x00: x\r", b"self": b"XATTACH:self.TXT\r"}
    for name, lines in more.items():
        write(head % (b"[MS:HQ/LONDON/bob]", name, lines), folder, name.decode() + ".TXT")
    write(head % (b"Joe Doe [SMTP:joe@example.com]", b"smtp", b""), folder, "smtp.TXT")
    tool(lab, "import", path, folder, "--delete")
    same(os.listdir(folder), [], "all are posted")
    po = Postoffice(path)
    same(sorted((h.subject, po.mail(h).text) for h in po.mailbox("bob")), [(name, b"hello") for name in sorted(more)], "messages")
    same([(po.mail(h).to, po.mail(h).friendly["to", 0]) for h in po.bag("00000006")], [(["SMTP:joe@example.com"], b"Joe Doe")], "for the gateway")
    tool(lab, "export", path, "00000006", out)
    other = make(lab, "HQ/BERLIN")
    for text_ in ("one", "two", "three", "four", "five", "six"):
        tool(lab, "send", other, "--from", "ann", "--to", "bob", "--text", text_)
    same(len(os.listdir(out)), 1, "files")
    name = os.listdir(out)[0]
    kept = octets(out, name)
    tool(lab, "export", path, "00000006", out)
    same(os.listdir(out), [name], "the same message again is the same file")
    tool(lab, "export", other, "bob", out, "--delete")
    same((octets(out, name), len(os.listdir(out)), os.path.exists(os.path.join(out, name.replace(".", "-1.")))), (kept, 7, True), "nothing is written over: %s" % os.listdir(out))


def ffapi_bare_names(lab):
    """A name without a postoffice is a mailbox of this one, as for send; one that cannot be is refused, with what is wanted."""
    path, folder = make(lab), os.path.join(lab.root, "in")
    os.mkdir(folder)
    head = b"VERSION:3.00\rFROM:%s\rTO:%s\rSUBJECT:%s\rTEXT:5\rhello"
    write(head % (b"ann", b"bob", b"bare"), folder, "a.TXT")
    write(head % (b"HQ/LONDON/ann", b"CSI:BOB", b"typed"), folder, "b.TXT")
    write(head % (b"ann", b"zoe", b"nobody"), folder, "c.TXT")
    write(head % (b"ann", b"HQ/PARIS", b"postoffice"), folder, "d.TXT")
    write(head % (b"ann", b"bobby-the-long", b"long"), folder, "e.TXT")
    tool(lab, "import", path, folder, "--delete", status=DATA)
    same(sorted(os.listdir(folder)), ["c.TXT", "d.TXT", "e.TXT"], "what stays")
    for word in ("HQ/LONDON/zoe: there is no such mailbox", "HQ/PARIS: it is a postoffice", "e.TXT: \"bobby-the-long\" is no address: want a mailbox"):
        expect(word in lab.last_error, "%s is said" % word, lab.last_error)
    po = Postoffice(path)
    same(sorted((h.subject, po.mail(h).sender, po.mail(h).to) for h in po.mailbox("bob")),
         [(b"bare", "HQ/LONDON/ann", ["HQ/LONDON/bob"]), (b"typed", "HQ/LONDON/ann", ["HQ/LONDON/BOB"])], "messages")


def ffapi_in_a_circle(lab):
    """Message files that name each other, and what only those name, are neither posted nor passed over in silence. A message that a posted one
    names goes along with it, and what that one names is a message again."""
    path, folder = make(lab), os.path.join(lab.root, "in")
    os.mkdir(folder)

    def message(name, *others):
        lines = b"".join(b"XATTACH:%s.TXT\r" % x for x in others)
        write(b"VERSION:3.00\rFROM:ann\rTO:bob\rSUBJECT:%s\r%sTEXT:5\rhello" % (name, lines), folder, name.decode() + ".TXT")
    for name, others in ((b"one", [b"two"]), (b"two", [b"THREE", b"hanging"]), (b"three", [b"one"]), (b"hanging", []),      # a circle of three
                         (b"outer", [b"inner"]), (b"inner", [b"again", b"note"]), (b"again", [b"inner"]),                  # another, but it goes along
                         (b"fine", [b"note"])):
        message(name, *others)
    write(b"a note", folder, "NOTE.TXT")
    left = ["hanging.TXT", "one.TXT", "three.TXT", "two.TXT"]
    said = tool(lab, "import", path, folder, "--delete", status=DATA)
    same(sorted(x.split(":")[0] for x in said.splitlines() if "mailbags" in x), ["again.TXT", "fine.TXT", "outer.TXT"], "posted")
    for name in left:
        expect("%s: " % name in lab.last_error, "%s is told of" % name, lab.last_error)
    same(lab.last_error.count("in a circle"), 4, "told why: %s" % lab.last_error)
    same(sorted(os.listdir(folder)), left, "what stays")
    message(b"three")
    tool(lab, "import", path, folder, "--delete")
    same(os.listdir(folder), [], "all are posted when the circle is broken")


def k124042_damaged_and_mended(lab):
    path = make(lab)
    tool(lab, "send", path, "--from", "ann", "--to", "bob", "--subject", "kept", "--text", "x")
    good = octets(path, "GLB", "CONTROL.GLB")
    write(good[:3], path, "GLB", "CONTROL.GLB")
    write(octets(path, "KEY", "00000003.KEY")[:100], path, "KEY", "00000003.KEY")
    os.unlink(os.path.join(path, "CAL", "POPULATE.MSM"))
    os.rmdir(os.path.join(path, "CAL"))
    tool(lab, "list", path, status=NONE)
    expect("CONTROL.GLB" in lab.last_error and "want 8" in lab.last_error, "who attaches is told which file", lab.last_error)
    before = rows(lab, "check", path, status=WRONG)
    same([r["file"] for r in before[:-1]], ["CAL", "GLB/CONTROL.GLB", "KEY/00000003.KEY", "KEY/00000003.KEY"], "findings")
    same(octets(path, "GLB", "CONTROL.GLB"), good[:3], "a look changes nothing")
    after = rows(lab, "repair", path)
    expect(all(r["mended"] for r in after), "mended", after)
    same(octets(path, "GLB", "CONTROL.GLB"), good, "the counters")
    same((octets(path, "GLB", "CONTROL.BAK"), len(octets(path, "KEY", "00000003.BAK"))), (good[:3], 100), "copies of what was")
    same(tool(lab, "check", path)[:10], "0 findings", "whole")
    same([r["subject"] for r in rows(lab, "read", path, "bob")], ["kept"], "no mail is lost with the KEY")
    with open(os.path.join(path, "P1", "INQUEUE3.0LK"), "w+b") as f:
        f.write(b"elsewhere 42 today\r\n")
        f.flush()
        fcntl.lockf(f, fcntl.LOCK_EX)
        tool(lab, "check", path, "--repair", status=BUSY)
        expect("elsewhere 42" in lab.last_error, "who holds it is named (Q168857)", lab.last_error)
        tool(lab, "check", path)
    write(b"\0" * 176, path, "GLB", "MASTER.GLB")    # another program's, or nobody's
    expect("no mark of ours" in tool(lab, "check", path, status=WRONG), "it is looked at")
    tool(lab, "repair", path, status=WRONG)
    tool(lab, "user", "add", path, "zoe", status=NONE)
    expect("no mark of ours" in lab.last_error, "and never changed", lab.last_error)
    expect("another program" in tool(lab, "list", path, "postoffices"), "who it is")
    same(octets(path, "GLB", "MASTER.GLB"), b"\0" * 176, "MASTER.GLB")


def what_a_check_shows(lab):
    """A finding bears a subject that somebody else has written: in the code page, and no terminal is to obey it."""
    path = make(lab)
    mai = tool(lab, "send", path, "--from", "ann", "--to", "bob", "--subject", "subject", "--text", "x").split()[0]
    mbg = octets(path, "MBG", "00000003.MBG")
    write(mbg[:13] + b"\x1b[2JZo\x89".ljust(41, b"\0") + mbg[54:], path, "MBG", "00000003.MBG")
    os.unlink(os.path.join(path, "MAI", "MA" + mai[-1], mai + ".MAI"))
    shown = tool(lab, "check", path, status=WRONG)
    expect("(from ann, ?[2JZo\u00eb)" in shown, "850 is read, ESC is not shown", shown)
    found = rows(lab, "check", path, status=WRONG)[0]["found"]
    expect(found.endswith("[2JZo\u00eb)"), "the same as JSON", found)


def several_at_once(lab):
    """Counters and tables are changed under locks: nothing is given twice, nothing is lost."""
    path = make(lab)
    run = lambda *args: subprocess.Popen([lab.program, "postoffice", *args], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    busy = [run("user", "add", path, "u%d" % i) for i in range(6)] + [run("external", "add", path, "NET%d/PO" % i) for i in range(3)] + \
           [run("send", path, "--from", "ann", "--to", "bob", "--to", "HQ/PARIS/c", "--subject", str(i), "--text", "x") for i in range(8)]
    later = []
    for p in busy:
        _, err = p.communicate(timeout=100)
        if p.returncode == BUSY:      # a slow disk: the others had it for too long; what has been refused is done again
            later.append(p.args[2:])
        else:
            same((p.returncode, err), (0, b""), "status")
    for args in later:
        tool(lab, *args)
    po = Postoffice(path)
    same(sorted(h.subject for h in po.mailbox("bob")), [b"%d" % i for i in range(8)], "mail")
    same(len({h.mai for h in po.mailbox("bob")}), 8, "ids")
    bags = list(po.users().values()) + list(po.externals().values())
    same((len(po.users()), len(set(bags))), (9, len(bags)), "mailbags")
    expect("0 findings" in tool(lab, "check", path), "whole")
    return "17 at once, %d of them again" % len(later)


main(fresh, tables, mail, k138054_a_mailbag_is_full, others_mail, names_and_outputs, bad_requests, ffapi, ffapi_odd_files, ffapi_bare_names, ffapi_in_a_circle, k124042_damaged_and_mended,
     what_a_check_shows, several_at_once)
