#!/usr/bin/env python3
"""Captures of our own associations, taken by a proxy of this test, decode in tshark down to P1 and P22: nothing malformed, no
expert warning or error above TCP, and every field equal to what was sent."""
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from posthorn import PATIENCE_S, Skip, expect, free_port, main, same  # noqa: E402
from tap import Tap, Writer  # noqa: E402

WARNING = 0x600000  # tshark's expert severities: warning, error above
LOWER = ("geninfo", "frame", "eth", "ip", "tcp")
MIP, MIA, RESUME = 49, 50, 29
# tshark 4.0 has it for each DT of X.410 mode, whoever sent it: it does not look into what is transferred there.
ITS_OWN = "can't get spdu type from session dissector"


class Packet:
    def __init__(self, element):
        self.protos = element.findall("proto")
        self.number = [f for f in element.iter("field") if f.get("name") == "num"][0].get("show")

    def trouble(self):
        for proto in self.protos:
            if proto.get("name") in LOWER:
                continue
            if "malformed" in proto.get("name"):
                yield proto.get("name")
            if any(ITS_OWN in (f.get("show") or "") + (f.get("showname") or "") for f in proto.iter("field")):
                continue
            for field in proto.iter("field"):
                name = field.get("name", "")
                if name == "_ws.expert.severity" and int(field.get("show")) >= WARNING:
                    yield proto.get("name") + ": expert " + field.get("showname")
                elif "malformed" in name or name == "_ws.short":
                    yield proto.get("name") + ": " + name

    def protocols(self):
        return [p.get("name") for p in self.protos]

    def fields(self, name, inside=None, what="show"):
        """Values of a field, of those inside another one if named, in order."""
        found = []
        for proto in self.protos:
            roots = [proto] if inside is None else [f for f in proto.iter("field") if f.get("name") == inside]
            found += [f.get(what) for root in roots for f in root.iter("field") if f.get("name") == name]
        return found

    def texts(self, name):
        return [bytes.fromhex(v) for v in self.fields(name, what="value")]


def decode(path, ports, tails=0):
    """tails: so many transfers go on in another connection, where tshark takes the rest of an APDU for a whole one."""
    if shutil.which("tshark") is None:
        raise Skip("tshark is not installed")
    args = ["tshark", "-r", path, "-T", "pdml", "-o", "gui.max_tree_depth:400"]
    for port in ports:
        args += ["-d", "tcp.port==%d,tpkt" % port]
    done = subprocess.run(args, capture_output=True, timeout=PATIENCE_S * 2, check=False)
    if done.returncode != 0:  # an older one knows no such preference
        args[5:7] = []
        done = subprocess.run(args, capture_output=True, timeout=PATIENCE_S * 2, check=False)
    expect(done.returncode == 0, "tshark reads the capture", done.stderr.decode()[-500:])
    packets = [Packet(e) for e in ET.fromstring(done.stdout).iter("packet")]
    for packet in packets:
        trouble = list(packet.trouble())
        if trouble and tails > 0 and all(t.startswith(("rtse", "_ws.malformed")) for t in trouble):
            tails -= 1
            continue
        expect(not trouble, "packet %s decodes without a warning" % packet.number, *trouble[:5])
    return packets


def capture(lab, **settings):
    """London and Paris with a tap in each direction, up."""
    if shutil.which("tshark") is None:
        raise Skip("tshark is not installed")
    london, paris = lab.pair()
    forth, back = Tap(lab, paris.port, free_port()), Tap(lab, london.port, free_port())
    for mta, peer, tap in ((london, paris, forth), (paris, london, back)):
        mta.link(peer, tap.port, association_lifetime="200 ms", max_associations=2, **settings)
        mta.start(wait=False)
    london.event("supervisor.up")
    paris.event("supervisor.up")
    return london, paris, (forth, back)


def packets_of(lab, taps, tails=0):
    for tap in taps:
        expect(tap.wait_ended(1, PATIENCE_S), "idle associations are released")
    path = os.path.join(lab.root, "own.pcap")
    writer = Writer(path)
    for tap in taps:
        for crossing in tap.crossings:
            writer.connection(crossing, tap.port)
    writer.close()
    return decode(path, [tap.port for tap in taps], tails)


def apdus(packets, kind):
    return [p for p in packets if kind in p.fields("p1.MTS_APDU")]


def check_associations(packets, taps):
    n = sum(len(t.crossings) for t in taps)
    frames = lambda name: [p for p in packets if p.fields(name)]
    same(len(frames("acse.aarq_element")), n, "association requests")
    same(len(frames("acse.rlrq_element")), n, "releases")
    same(len(frames("acse.rlre_element")), n, "answers to releases")
    for p in frames("acse.aarq_element"):
        expect("p1" in p.protocols(), "the bind decodes as P1 in packet " + p.number, p.protocols())
    same({v for p in packets for v in p.fields("p1.authenticated.responder-name")} <= {"london", "paris"}, True, "responders")
    same(sum(len(p.fields("p1.authenticated.responder-name")) for p in packets), n, "bind results with a name")
    same(len({v for p in packets for v in p.fields("p1.ia5_string")}), 2, "passwords, one a direction")


def check_trace(packet, domain, mta):
    external = packet.fields("p1.printable", "p1.trace_information")
    same(external, ["POSTHORN", domain], "the domain of the one trace element in packet " + packet.number)
    same(packet.fields("p1.mta_name", "p1.InternalTraceInformation"), [mta], "internal trace")
    same(packet.fields("p1.routing_action"), ["0", "0"], "routing actions: relayed")
    same(len(packet.fields("p1.arrival_time", "p1.trace_information")), 1, "arrival time in the trace")


def check_ids(packet, element, mts_id):
    """MTS-identifier as `C=GB;A=POSTHORN;P=LONDON;L=london.6b0266b5.1`."""
    local = mts_id.split(";L=")[1]
    expect(local in packet.fields("p1.local_identifier", element), "%s in packet %s is %s" % (element, packet.number, local),
           packet.fields("p1.local_identifier", element))


def check_name(packet, element, given, surname, prmd):
    same(packet.fields("p1.given_name", element), [given], element + ", given name")
    same(packet.fields("p1.surname", element), [surname], element + ", surname")
    same(packet.fields("p1.organization_name", element), ["Office"], element + ", organization")
    same(packet.fields("p1.printable", element), ["POSTHORN", prmd], element + ", domains")


def message_probe_reports(lab):
    """A message of three body parts, a probe, delivery reports and a non-delivery report."""
    london, paris, taps = capture(lab, checkpoint_size=1, window_size=2)
    octets = bytes(range(256)) * 5
    path = lab.file("numbers.bin", octets)
    good = london.send("alice", paris.claude, "--subject", "Several parts", "--text", "Plain words.\nTwo lines.", "--text",
                       "Caf\u00e9 cr\u00e8me", "--file", path, "--report", "delivery", "--priority", "urgent")
    probe = london.send("alice", paris.claude, "--probe", "--report", "delivery")
    bad = london.send("alice", paris.address("No", "Body"), "--subject", "To nobody", "lost")
    paris.wait_mail("claude", 1)
    london.wait_mail("alice", 3)
    packets = packets_of(lab, taps)
    check_associations(packets, taps)

    messages = apdus(packets, "0")
    same(len(messages), 2, "messages that tshark finds")
    for m in messages:
        check_name(m, "p1.originator_name_element", "Alice", "Archer", "LONDON")
        check_trace(m, "LONDON", "london")
        check_name(m, "p22.originator_element", "Alice", "Archer", "LONDON")
    m = [p for p in messages if p.fields("p22.subject") == ["Several parts"]][0]
    other = [p for p in messages if p is not m][0]
    check_ids(m, "p1.message_identifier_element", good)
    check_ids(other, "p1.message_identifier_element", bad)
    check_name(m, "p1.recipient_name_element", "Claude", "Colin", "PARIS")
    check_name(m, "p22.PrimaryRecipientsSubfield_element", "Claude", "Colin", "PARIS")
    check_name(other, "p1.recipient_name_element", "No", "Body", "PARIS")
    same(m.fields("p1.built_in"), ["22"], "content type of a message with general text: P22")
    same(m.fields("p1.priority"), ["2"], "priority urgent")
    same(other.fields("p1.priority"), [], "priority normal is left out (X.411, DEFAULT)")
    same(m.fields("p1.PerRecipientIndicators.responsibility"), ["1"], "responsibility")
    same(m.fields("p1.PerRecipientIndicators.originator.report"), ["1"], "report wanted")
    same(other.fields("p22.subject"), ["To nobody"], "subject of the other")
    same(m.texts("p22.ia5text.data"), [b"Plain words.\r\nTwo lines."], "IA5 text")
    same(m.fields("p22.CharacterSetRegistration"), ["1", "6", "100"], "sets of the general text: Latin-1")
    general = m.texts("p22.GeneralTextData")
    expect(len(general) == 1 and general[0].endswith("Caf\u00e9 cr\u00e8me".encode("latin-1")), "general text in Latin-1", general)
    expect(b"numbers.bin" in m.texts("p22.incomplete_pathname")[0], "file name", m.texts("p22.incomplete_pathname"))
    expect(octets in m.texts("p22.FileTransferData")[0], "the file's octets")
    same(int(m.fields("p22.object_size", what="value")[0], 16), len(octets), "announced size of the file")

    probes = apdus(packets, "2")
    same(len(probes), 1, "probes that tshark finds")
    check_ids(probes[0], "p1.probe_identifier_element", probe)
    check_name(probes[0], "p1.originator_name_element", "Alice", "Archer", "LONDON")
    check_name(probes[0], "p1.recipient_name_element", "Claude", "Colin", "PARIS")
    check_trace(probes[0], "LONDON", "london")

    reports = apdus(packets, "1")
    same(len(reports), 3, "reports that tshark finds")
    for r in reports:
        check_name(r, "p1.report_destination_name_element", "Alice", "Archer", "LONDON")
        check_trace(r, "PARIS", "paris")
    subjects = {r.fields("p1.local_identifier", "p1.subject_identifier_element")[0]: r for r in reports}
    same(sorted(subjects), sorted(x.split(";L=")[1] for x in (good, probe, bad)), "what the reports are about")
    for mts_id, surname in ((good, "Colin"), (probe, "Colin"), (bad, "Body")):
        r = subjects[mts_id.split(";L=")[1]]
        same(r.fields("p1.surname", "p1.actual_recipient_name_element"), [surname], "recipient of the report")
        same(r.fields("p1.report_type"), ["1" if mts_id == bad else "0"], "report type")
    r = subjects[bad.split(";L=")[1]]
    same(r.fields("p1.non_delivery_reason_code"), ["1"], "reason: unable to transfer")
    same(r.fields("p1.non_delivery_diagnostic_code"), ["0"], "diagnostic: unrecognised O/R name")
    same(len(subjects[good.split(";L=")[1]].fields("p1.message_delivery_time")), 1, "delivery time")
    return "%d packets, 2 messages, 1 probe, 3 reports, %d associations" % (len(packets), sum(len(t.crossings) for t in taps))


def big(lab, checkpoint_size):
    """100 KB of text crosses and decodes; what tshark puts together is what was sent."""
    london, paris, taps = capture(lab, checkpoint_size=checkpoint_size, window_size=2)
    text = b"".join(b"Line %05d of a long message, all of it in IA5.\r\n" % i for i in range(2100))
    path = lab.file("long.txt", text)
    mts_id = london.send("alice", paris.claude, "--subject", "Long", "--text-file", path)
    paris.wait_mail("claude", 1)
    packets = packets_of(lab, taps[:1])
    check_associations(packets, taps[:1])
    messages = apdus(packets, "0")
    same(len(messages), 1, "messages that tshark finds")
    check_ids(messages[0], "p1.message_identifier_element", mts_id)
    same(messages[0].fields("p22.subject"), ["Long"], "subject")
    expect(messages[0].texts("p22.ia5text.data") == [text], "the text of %d octets is whole" % len(text))
    return packets, text


def spdu_types(packets):
    return [int(v) for p in packets for v in p.fields("ses.type")]


def long_message_with_checkpoints(lab):
    packets, text = big(lab, 1)
    types = spdu_types(packets)
    expect(types.count(MIP) >= len(text) // 1024, "a checkpoint every 1024 octets", types.count(MIP))
    expect(0 <= types.count(MIP) - types.count(MIA) <= 2, "confirmations; that of the activity's end may stand for the last of them", types.count(MIA), types.count(MIP))
    unconfirmed = most = 0
    for t in types:
        unconfirmed += (t == MIP) - (t == MIA)
        most = max(most, unconfirmed)
    expect(1 <= most <= 2, "never more checkpoints unconfirmed than the window of 2", most)
    return "%d octets, %d checkpoints, at most %d unconfirmed" % (len(text), types.count(MIP), most)


def long_message_without_checkpoints(lab):
    packets, text = big(lab, 0)
    same(spdu_types(packets).count(MIP), 0, "checkpoints")
    return "%d octets in one TSDU" % len(text)


def cut_and_resumed(lab):
    """RT-18: the line breaks in a long message; the association is recovered, the transfer goes on from a checkpoint, and no
    octet is sent again that was confirmed."""
    london, paris, taps = capture(lab, checkpoint_size=8, window_size=2, open_interval="500 ms")
    taps[0].cut_after = 600000
    octets = bytes(i * 31 + (i >> 8) & 255 for i in range(1500000))
    london.send("alice", paris.claude, "--subject", "Broken off", "--file", lab.file("long.bin", octets))
    paris.wait_mail("claude", 1)
    packets = packets_of(lab, taps[:1], tails=1)
    same(len(taps[0].crossings), 2, "connections: one that was cut, one that recovers it")
    types = spdu_types(packets)
    same(types.count(RESUME), 1, "transfers that went on")
    recovers = [p for p in packets if p.fields("rtse.recover_element")]
    same(len(recovers), 2, "recovery: asked for and answered")
    same(len({v for p in recovers for v in p.fields("rtse.octetString", what="value")}), 1, "names of the association")
    linking = [p for p in packets if RESUME in [int(v) for v in p.fields("ses.type")]][0]
    named = recovers[0].fields("rtse.octetString", what="value")[0]
    expect(named in "".join(linking.fields("ses.calling_ss_user_reference", what="value")), "the transfer names it too")
    sent = sum(len(o) for c in taps[0].crossings for _, forth, o in c.flow if forth)
    expect(sent < len(octets) * 1.2, "what was confirmed is not sent again", sent)
    london.event("link.transfer-resumed")
    paris.event("link.transfer-resumed")
    return "%d octets sent for %d" % (sent, len(octets))


def contents_for_1984(lab):
    """P22 sent as P2, read by tshark as such: texts, a file, the heading; the reader sees the text it was."""
    london, paris, taps = capture(lab, downgrade_content="1984")
    octets = bytes(range(256))
    path = lab.file("numbers.bin", octets)
    london.send("alice", paris.claude, "--subject", "For 1984 \u0416", "--text", "Plain words.", "--text", "Caf\u00e9 cr\u00e8me", "--file", path)
    entry = paris.wait_mail("claude", 1)[0]
    packets = packets_of(lab, taps[:1])
    messages = apdus(packets, "0")
    same(len(messages), 1, "messages that tshark finds")
    m = messages[0]
    same(m.fields("p1.built_in"), ["2"], "content type: P2")
    same(m.fields("p22.IPMSExtension_element"), [], "heading extensions")
    same(m.fields("p22.subject"), ["For 1984 ?"], "subject")
    mime = (b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=ISO-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
            b"Caf=E9 cr=E8me")
    same(m.texts("p22.ia5text.data"), [b"Plain words.", mime], "texts")
    same(m.texts("p22.bilaterally_defined"), [octets], "the file's octets")
    same(len(m.fields("p1.converted_encoded_information_types_element")) > 0, True, "converted types in the trace")
    shown = paris.show("claude", entry["delivery"])
    same([x.get("text") for x in shown["parts"]][:2], ["Plain words.", "Caf\u00e9 cr\u00e8me"], "what Paris reads")
    return "a P2 of %d body parts" % len(shown["parts"])


def x410(lab, conformance, protocol, checkpoint_size):
    """In X.410 mode: no ACSE, binds in RTSE's APDUs in session, octets of a transfer as they are."""
    london, paris, taps = capture(lab, conformance=conformance, only_conformance="true", checkpoint_size=checkpoint_size, window_size=2)
    # No letter A: an SSDU that happens to begin with one is [APPLICATION 1] for tshark, presentation's user data.
    text = b"".join(b"Line %05d: some more words.\r\n" % i for i in range(300))
    good = london.send("alice", paris.claude, "--subject", "Old ways", "--text-file", lab.file("old.txt", text), "--report", "delivery")
    paris.wait_mail("claude", 1)
    london.wait_mail("alice", 1)
    packets = packets_of(lab, taps)
    n = sum(len(t.crossings) for t in taps)
    same([p.number for p in packets if "acse" in p.protocols()], [], "packets with ACSE")
    modes = [int(v) for p in packets for v in p.fields("pres.mode_value")]
    same(modes, [0] * len(modes), "modes of presentation: X.410-1984")
    expect(len(modes) == 2 * n, "a mode in each CONNECT and ACCEPT", len(modes), n)
    same([int(v) for p in packets for v in p.fields("rtse.applicationProtocol")], [protocol] * n, "application protocols")
    same({v for p in packets for v in p.fields("p1.authenticated.initiator-name")}, {"london", "paris"}, "initiators, their binds bare")
    same({v for p in packets for v in p.fields("p1.authenticated.responder-name")}, {"london", "paris"}, "responders")
    types = spdu_types(packets)
    expect((types.count(MIP) > 0) == (checkpoint_size > 0), "checkpoints", types.count(MIP))
    # The SSDUs as tshark cuts them out, put together: the bare MTS-APDUs, one after the other, the message first.
    octets = b"".join(bytes.fromhex(f.get("value")) for p in packets for q in p.protos for f in q.iter("field")
                      if ITS_OWN in (f.get("show") or "") and f.get("name") == "")
    tags = []
    while octets:
        size, at = octets[1], 2
        if size > 0x80:
            at += size & 0x7f
            size = int.from_bytes(octets[2:at], "big")
        expect(len(octets) >= at + size, "an APDU is whole", len(octets), at + size)
        tags.append(octets[0])
        if len(tags) == 1:
            expect(octets[:at + size].endswith(text), "the message ends with its text")
            expect(good.split(";L=")[1].encode() in octets[:at + size], "its identifier is in it")
        octets = octets[at + size:]
    same(tags, [0xa0, 0xa1], "APDUs: a message [0], a report [1], neither in an EXTERNAL")
    return len(packets), n


def x410_mode_of_1988(lab):
    return "%d packets, %d associations" % x410(lab, "1988-x410", 12, 1)


def x410_mode_of_1984(lab):
    return "%d packets, %d associations" % x410(lab, "1984", 1, 0)


main(cut_and_resumed, contents_for_1984, message_probe_reports, long_message_with_checkpoints, long_message_without_checkpoints, x410_mode_of_1988,
     x410_mode_of_1984)
