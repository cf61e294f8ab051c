#!/usr/bin/env python3
"""Rows of the failure catalogue about movers and the files of postoffices, through the whole program: two and three postoffices, the shadow
postoffice and X.400 behind it. The names bear the numbers of the articles."""
import datetime
import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from msmail import OWN, SITE, Net, held  # noqa: E402
from posthorn import Skip, expect, main, same, wait_for  # noqa: E402
from postoffice import mai, record  # noqa: E402

TARO = OWN + "/TARO"
SECOND = "FABRIK/KOELN"


def with_second(lab, **more):
    """A second site beside the first one, with a user CARL and a mover of its own. more: settings of the first one's mover."""
    net = Net(lab)
    net.second = net.create("koeln", SECOND)
    for po, other in ((net.site, SECOND), (net.second, SITE)):
        net.command("external", "add", po.path, other)
    net.command("user", "add", net.second.path, "CARL")
    net.koeln = {"name": "koeln", "postoffice": net.second.path, "peers": [net.site.path], "interval": "300 ms"}
    net.london.settings["movers"].append(net.koeln)
    net.mover["peers"].append(net.second.path)
    net.mover.update({k.replace("_", "-"): v for k, v in more.items()})
    return net


def peer_state(net, peer, state, after=0):
    return net.london.event("mover.peer", after=after, peer=peer.path, state=state)


# --- peers ---

def k118619_k277831_k113119_k119884_a_peer_that_goes_and_comes_back(lab):
    """The second postoffice goes: its mail waits, the other peers flow; it comes back, and has it all without a restart. It goes for longer than
    its mover's retries and give-up: [005] with the text for the sender, once each; other movers have retries of their own."""
    net = with_second(lab).start()
    peer_state(net, net.second, "OK")
    away = net.second.path + ".away"
    mark = net.london.mark()
    os.rename(net.second.path, away)
    net.from_site(SECOND + "/CARL", "Waits")
    net.from_site(TARO, "Flows")
    net.at_tokyo("Flows")
    peer_state(net, net.second, "ERROR", mark)
    os.rename(away, net.second.path)
    net.at_site("Waits", "CARL", net.second)
    net.mover.update({"retries": 3, "give-up": "3 s"}) # not before: what waits has all the time that a slow machine needs
    net.london.write()
    net.london.command("reload", "-c", net.london.path)
    mark = net.london.mark()
    os.rename(net.second.path, away)
    net.from_site(SECOND + "/CARL", "In vain", b"the text of it", attachments=[("a.txt", b"abc")])
    text = net.notice("In vain")
    expect("[005]" in text and "CARL" in text and "the text of it" in text, "the notice", text)
    net.london.event("mover.gave-up", after=mark)
    os.rename(away, net.second.path)
    net.from_site(SECOND + "/CARL", "Behind it")
    net.at_site("Behind it", "CARL", net.second)
    same((len(net.notices()), len(net.second.mailbox("CARL")), net.died()), (1, 2, []), "notices, messages, deaths")
    wait_for(lambda: not net.site.leftovers()[1:] or len(net.site.leftovers()) <= 1, "no file is left over: %s" % net.site.leftovers())
    net.stop()


def k93080_k196537_a_peer_that_is_full(lab):
    """A peer has less room than min-free (1000 GB, over 32 bits): its mail waits without being counted, all other mail flows; when there is
    room it goes on."""
    net = with_second(lab)
    net.koeln.update({"min-free": "1000 G", "retries": 1, "give-up": "100 ms"})
    net.start()
    for i in range(3):
        net.second.send("CARL", [SITE + "/BERT"], "Waits %d" % i, b"text", own=SECOND)
        net.from_site([TARO, SECOND + "/CARL"], "Flows %d" % i)
    net.london.event("mover.no-room")
    peer_state(net, net.site, "FULL")
    net.tokyo.wait_mail("taro", 3)
    net.wait_box(net.second, "CARL", 3)
    same((net.site.mailbox("BERT"), net.notices("CARL", net.second)), ([], []), "what has come to the full peer, and notices")
    net.london.stop()
    net.koeln["min-free"] = "100 K"
    net.london.start()
    net.wait_box(net.site, "BERT", 3)
    net.stop()


def k151228_twins(lab):
    """Two postoffices with one serial number: an alarm names it, nothing is moved between them, the other peers flow."""
    net = Net(lab)
    with open(net.site.file("GLB", "MASTER.GLB"), "rb") as f:
        serial = f.read()[0x1A:0x23]
    net.second = net.create("koeln", SECOND)
    with open(net.second.file("GLB", "MASTER.GLB"), "r+b") as f:
        f.seek(0x1A)
        f.write(serial)
    net.command("external", "add", net.site.path, SECOND)
    net.mover["peers"].append(net.second.path)
    net.start()
    net.london.event("mover.duplicate-serial")
    net.from_site(SECOND + "/ADMIN", "Waits")
    net.from_site(TARO, "Flows")
    net.at_tokyo("Flows")
    same((net.second.bag("INQUEUE3"), net.notices()), ([], []), "what came to the twin, notices")
    net.stop()


def k128627_k147471_names_of_ten_characters(lab):
    """Two postoffices whose names differ in the tenth character only: mail passes both on its way to X.400 and back, no [004]. With hop-limit 1
    at the second one: [003] with the route, whatever the client wrote into its message."""
    net = Net(lab)
    one, two = "NETZWERK01/KNOTENXXX1", "NETZWERK01/KNOTENXXX2"
    a, b = net.create("eins", one), net.create("zwei", two)
    net.command("external", "add", a.path, two)
    net.command("external", "add", b.path, one)
    net.command("external", "add", b.path, OWN)
    net.command("external", "add", a.path, OWN, "--via", two)
    net.command("external", "add", net.shadow.path, two)
    net.command("external", "add", net.shadow.path, one, "--via", two)
    net.command("user", "add", a.path, "ANNA")
    for name, po, peers in (("eins", a, [b]), ("zwei", b, [a, net.shadow])):
        net.london.settings["movers"].append({"name": name, "postoffice": po.path, "peers": [p.path for p in peers], "interval": "300 ms"})
    net.back["peers"].append(b.path)

    def send(subject):
        """The bag on the way is that of the next hop."""
        net.command("send", a.path, "--from", "ANNA", "--to", TARO, "--subject", subject, "--text", "text")
    net.start()
    send("By two")
    net.at_tokyo("By two")
    net.tokyo.send(net.taro, net.ms(one + "/ANNA"), "--subject", "And back", "--text", "t")
    net.at_site("And back", "ANNA", a)
    same(net.notices("ANNA", a), [], "notices")
    net.london.stop()
    net.london.settings["movers"][-1]["hop-limit"] = 1
    net.london.start()
    send("Too far")
    text = net.notice("Too far", "ANNA", a)
    expect("[003]" in text and one in text, "the notice with the route", text)
    net.stop()


# --- messages ---

def k194600_k169671_poison_for_a_mover(lab):
    """A message that kills the mover whenever it is looked at: set aside after three strikes, its sender told with [012]; the others pass."""
    net = Net(lab).start(always="mover:MOVER_TAKE:@SPECIAL:abort")
    net.from_site(TARO, "Good 0")
    net.from_site(TARO, "*SPECIAL*")
    net.from_site(TARO, "Good 1")
    net.tokyo.wait_mail("taro", 2)
    text = wait_for(net.notices, "a notice")[0]
    expect("[012]" in text and "TARO" in text, "the notice", text)
    net.london.event("mover.set-aside")
    net.from_site(TARO, "Good 2")
    net.tokyo.wait_mail("taro", 3)
    same(net.died().count("mover"), 3, "deaths")
    net.stop()


def k194603_k103960_k104485_records_for_nobody(lab):
    """Records without recipients, without a file, and of messages that another mover has finished: each is dropped, no [021] or [016] about
    what was delivered, the mail behind flows."""
    net = Net(lab)
    out = net.site.externals()[OWN]
    when = datetime.datetime(2026, 1, 2)
    ident = net.site.new_id()
    with open(os.path.join(net.site.file("MAI", "MA" + ident[-1]), ident + ".MAI"), "xb") as f:
        f.write(mai(SITE + "/ANNA", [], b"Nobody", b"t"))
    net.site.put_record(out, record("ANNA", b"Nobody", when, ident, 100))
    net.site.put_record("INQUEUE3", record("ANNA", b"Finished", when, "0000FFF1", 100))
    net.start()
    net.london.event("mover.envelope-empty")
    net.from_site(TARO, "Good")
    net.at_tokyo("Good")
    wait_for(lambda: not net.site.bag(out) and not net.site.bag("INQUEUE3"), "the records are gone")
    same((net.notices(), net.died()), ([], []), "notices, deaths")
    net.stop()


def k117895_k117804_groups(lab):
    """A group at the site: its local members have the mail; when its MEM file is deleted it is an empty group, and the other recipients are
    served; a message to members and group has one copy for each."""
    net = Net(lab)
    net.command("group", "add", net.site.path, "TEAM", "ANNA", "BERT")
    before = set(os.listdir(net.site.file("MEM")))
    net.start()
    net.to_site(["TEAM", "ANNA"], "To the team")
    for user in ("ANNA", "BERT"):
        net.wait_box(net.site, user, 1)
    for name in before:
        if name.upper().endswith(".MEM"):
            os.unlink(os.path.join(net.site.file("MEM"), name))
    net.to_site(["TEAM", "BERT"], "To nobody and BERT")
    net.wait_box(net.site, "BERT", 2)
    net.to_site("ANNA", "Behind it")
    net.wait_box(net.site, "ANNA", 2)
    same(net.died(), [], "deaths")
    net.stop()


def k118675_k101934_an_attachment_that_is_lost(lab):
    """An attachment's file is gone before the mover takes the message: [018] with the text, which needs no attachment; the next one flows."""
    net = Net(lab)
    net.site.send("ANNA", [TARO], "Lost file", b"the text of it", own=SITE, attachments=[("a.txt", b"abc")])
    for folder, _, names in os.walk(net.site.file("ATT")):
        for name in names:
            if name.endswith(".ATT"):
                os.unlink(os.path.join(folder, name))
    net.start()
    text = net.notice("Lost file")
    expect("[018]" in text and "the text of it" in text, "the notice", text)
    net.from_site(TARO, "Good", attachments=[("b.txt", b"abc")])
    net.at_tokyo("Good")
    same(len(net.notices()), 1, "notices")
    net.stop()


def k116436_the_address_list_in_another_order(lab):
    """The address list is made anew in another order while mail is under way: who was meant has it."""
    net = Net(lab).start()
    net.to_site(["ANNA"], "Before")
    for name in ("ADMIN.NME", "ADMINSHD.NME"):
        path = net.site.file("NME", name)
        with open(path, "r+b") as f:
            b = f.read()
            f.seek(0)
            f.write(b"".join(b[i:i + 45] for i in reversed(range(0, len(b), 45))))
    net.to_site(["BERT"], "Behind")
    for user, subject in (("ANNA", b"Before"), ("BERT", b"Behind")):
        same(net.wait_box(net.site, user, 1)[0][0].subject, subject, "what %s has" % user)
    net.stop()


def k159300_k111558_a_word_instead_of_a_round(lab):
    """Rounds and polls of ten minutes: mail is there at once all the same, for the file system says that there is some; it does so while others
    are at work. Where it cannot say so, that is an event."""
    net = Net(lab, poll="10 min")
    for mover in (net.mover, net.back):
        mover["interval"] = "10 min"
    net.start()
    for mover in ("berlin", "shadow"):
        net.london.event("mover.attached", mover=mover)
    net.tokyo.send(net.taro, net.alice, "--text", "t")
    net.london.wait_mail("alice", 1)
    if net.london.find("mover.unwatched"):
        raise Skip("the system has no watches of folders left")
    net.from_site(TARO, "There", priority="5")
    net.at_tokyo("There")
    net.to_site("ANNA", "Back")
    net.at_site("Back")
    net.stop()


# --- files ---

def lower(path):
    for folder, folders, names in os.walk(path, topdown=False):
        for name in names + folders:
            os.rename(os.path.join(folder, name), os.path.join(folder, name.lower()))


def k152903_k129456_names_in_lower_case(lab):
    """A file server that stores all names in lower case: mail in both directions, own locks are known as own, bags are emptied, no second file of
    one name."""
    net = Net(lab)
    lower(net.site.path)
    lower(net.shadow.path)
    with open(os.path.join(net.site.path, "p1", "inqueue3.0lk"), "wb") as f:
        f.write(b"left over\r\n")
    net.start()
    net.from_site(TARO, "There", attachments=[("a.txt", b"abc")])
    net.at_tokyo("There")
    net.to_site(["ANNA", "BERT"], "Back")
    for user in ("ANNA", "BERT"):
        net.wait_box(net.site, user, 1)
    wait_for(lambda: not net.shadow.leftovers(), "the shadow postoffice is empty: %s" % net.shadow.leftovers())
    for po in (net.site, net.shadow):
        for folder, folders, names in os.walk(po.path):
            found = [n.upper() for n in folders + names]
            same(len(found), len(set(found)), "names in %s" % folder)
    net.stop()


def k266442_k124042_directories_that_are_missing(lab):
    """P1 of the site and a MAI directory are missing: made again, said by name, mail flows; CONTROL.GLB is short: said, mended by the check, and
    mail goes on by itself."""
    net = Net(lab)
    shutil.rmtree(net.site.file("P1"))
    shutil.rmtree(net.site.file("MAI", "MA7"))
    net.start()
    net.london.event("mover.directories-made")
    net.from_site(TARO, "There")
    net.at_tokyo("There")
    with open(net.site.file("GLB", "CONTROL.GLB"), "r+b") as f:
        f.truncate(3)
    net.to_site("ANNA", "Back")
    net.tokyo.send(net.taro, net.alice, "--text", "meanwhile")
    net.london.wait_mail("alice", 1)
    wait_for(lambda: "CONTROL" in net.command("check", net.site.path, status=None), "the check names it")
    wait_for(lambda: net.command("check", net.site.path, "--repair", status=None) is not None and net.lab.last_status != 75, "repaired")
    net.at_site("Back")
    same((net.notices(), [e for e in net.tokyo.mail("taro") if e["kind"] == "report"]), ([], []), "notices, reports")
    net.stop()


def k166147_k201120_k103383_a_damaged_network(lab):
    """NETWORK.GLB has a damaged record and one of a network whose XTN file is missing: other networks work, the check names both, mends them, and
    the network can be made anew."""
    net = Net(lab)
    net.command("external", "add", net.site.path, "OTHER/ONE")
    net.command("external", "add", net.site.path, "THIRD/ONE")
    rows = {n["name"]: n["xtn"] for n in net.site.networks()}
    path = net.site.file("GLB", "NETWORK.GLB")
    with open(path, "r+b") as f:
        b = bytearray(f.read())
        at = [i for i in range(0, len(b), 122) if b[i + 2:i + 7] == b"OTHER"][0]
        b[at + 2:at + 60] = b"\xff" * 58
        f.seek(0)
        f.write(b)
    os.unlink(net.site.file("XTN", rows["THIRD"] + ".XTN"))
    net.start()
    net.to_site("ANNA", "Back")
    net.at_site("Back")
    said = net.command("check", net.site.path, status=None)
    expect("NETWORK" in said and "XTN" in said, "the check names both", said)
    wait_for(lambda: net.command("check", net.site.path, "--repair", status=None) is not None and net.lab.last_status != 75, "repaired")
    net.command("external", "add", net.site.path, "OTHER/TWO")
    net.command("external", "add", net.site.path, "THIRD/ONE")
    same(net.command("check", net.site.path).count("NETWORK.GLB"), 0, "what the check says of it now")
    net.from_site(TARO, "There")
    net.at_tokyo("There")
    net.stop()


def k121732_k237695_two_movers_and_a_client(lab):
    """Movers of two MTAs for one postoffice, and a client that holds a recipient's mailbag for a while: each message once, no [008], no [016]."""
    net = Net(lab)
    other = lab.mta("paris", "FR")
    other.settings["movers"] = [dict(net.mover, name="berlin2"), dict(net.back, name="shadow2")]
    net.start()
    other.start()
    key = net.site.file("KEY", net.site.users()["BERT"] + ".KEY")
    for i in range(8):
        net.from_site(TARO, "No %d" % i)
    with held(key):
        net.to_site(["ANNA", "BERT"], "To both")
        net.wait_box(net.site, "ANNA", 1)
    for i in range(8):
        net.to_site(["ANNA", "BERT"], "Nr %d" % i)
    net.tokyo.wait_mail("taro", 8)
    for user in ("ANNA", "BERT"):
        net.wait_box(net.site, user, 9)
    same((net.notices(), net.died()), ([], []), "notices, deaths")
    other.stop()
    net.stop()


def k259219_k123397_k111558_logs_and_times(lab):
    """SENT.LOG and RECV.LOG: one line for each transfer, the year in two digits that are digits, in four when that is wanted; the record in the
    mailbag has the time of its arrival, the message that of its composition."""
    net = Net(lab)
    for mover in (net.mover, net.back):
        mover.update({"log-sent": True, "log-received": True})
    net.back["four-digit-year"] = True
    when = datetime.datetime(1999, 12, 31, 23, 59)
    net.start()
    net.from_site(TARO, "There", when=when)
    net.at_tokyo("There")
    net.to_site("ANNA", "Back")
    header, _ = net.wait_box(net.site, "ANNA", 1)[0]
    expect(header.year >= 2026, "the record's year is of its arrival", header.year)

    def lines(po, name):
        path = po.file("LOG", name)
        if not os.path.exists(path):
            return []
        with open(path, encoding="latin-1") as f:
            return [line for line in f.read().replace("\r", "").split("\n") if line]
    sent = wait_for(lambda: lines(net.site, "SENT.LOG"), "SENT.LOG of the site")
    received = wait_for(lambda: lines(net.site, "RECV.LOG"), "RECV.LOG of the site")
    four = wait_for(lambda: lines(net.shadow, "SENT.LOG"), "SENT.LOG of the shadow postoffice")
    same((len(sent), len(received), len(four)), (1, 1, 1), "lines")
    expect(sent[0][:2].isdigit() and sent[0][2] == "-", "a year of two digits", sent)
    expect(four[0][:4].isdigit() and four[0][4] == "-", "a year of four digits", four)
    net.stop()


def k260554_k232604_nothing_is_kept(lab):
    """Sixty messages through interchange, converter and movers: their memory and descriptors stay what they were after the first twenty."""
    net = Net(lab).start()
    names = ("interchange.0", "converter.0", "mover.0", "mover.1", "mover.2")

    def some(first):
        for i in range(first, first + 10):
            net.from_site(TARO, "No %d" % i, b"x" * 20000, attachments=[("a.bin", b"y" * 50000)])
            net.to_site("ANNA", "Nr %d" % i)
        net.tokyo.wait_mail("taro", first + 10)
        wait_for(lambda: len(net.site.mailbox("ANNA")) == first + 10, "%d for ANNA" % (first + 10))
    some(0)
    some(10)
    before = {name: net.london.usage(name) for name in names}
    some(20)
    for name in names:
        # A round that is under way has a few files open: what is kept stays.
        wait_for(lambda name=name: net.london.usage(name)[0] <= before[name][0] + 2, "descriptors of %s: %d" % (name, before[name][0]))
        _, memory = net.london.usage(name)
        expect(memory <= before[name][1] + (1 << 20), "memory of %s" % name, before[name][1], memory)
    net.stop()


if __name__ == "__main__":
    main(k118619_k277831_k113119_k119884_a_peer_that_goes_and_comes_back, k93080_k196537_a_peer_that_is_full, k151228_twins,
         k128627_k147471_names_of_ten_characters, k194600_k169671_poison_for_a_mover, k194603_k103960_k104485_records_for_nobody, k117895_k117804_groups,
         k118675_k101934_an_attachment_that_is_lost, k116436_the_address_list_in_another_order, k159300_k111558_a_word_instead_of_a_round,
         k152903_k129456_names_in_lower_case, k266442_k124042_directories_that_are_missing,
         k166147_k201120_k103383_a_damaged_network, k121732_k237695_two_movers_and_a_client, k259219_k123397_k111558_logs_and_times,
         k260554_k232604_nothing_is_kept)
