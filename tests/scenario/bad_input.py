#!/usr/bin/env python3
"""What a peer can get wrong, against a running MTA: each ends the smallest thing, with one clear event that names what was found
and what was wanted, while another association goes on transferring; and a good message is taken right after. What is transferred and
cannot be read is confirmed, or its sender would send it for ever: octets lie in quarantine, a message is reported."""
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import peer as p  # noqa: E402
from peer import Ended, Peer, is_accepted, tlv  # noqa: E402
from posthorn import Failed, expect, main, same, wait_for  # noqa: E402

ORIGIN = ("FR", "POSTHORN", "PARIS")


class Site:
    """An MTA with one known caller, `paris`, and an association of that caller that stays open beside the bad one."""

    def __init__(self, lab, tsel="", **limits):
        self.m = m = lab.mta("london")
        m.mailbox("alice", "Archer")
        m.settings["links"].append({"name": "paris", "remote-mta-name": "paris", "remote-password": "secret-paris",
                                    "local-password": "secret-london"})
        m.settings["routes"].append({"match": "C=FR; A=*", "to": "paris"})  # reports wait: paris has no address
        if tsel:
            m.settings["links"][0]["calling-tsel"] = tsel
        if limits:
            m.settings["limits"] = limits
        m.start()
        self.tsel = tsel.encode()
        self.sent = self.bad = 0
        self.beside = Peer.dial(m.port)
        answer = self.beside.bind("paris", "secret-paris", self.tsel)
        expect(answer[0] == p.AC, "a good bind is accepted", answer.hex())
        self.pids = m.pids()

    def good_apdu(self):
        self.sent += 1
        return self._apdu("good.%d" % self.sent, "Good %d" % self.sent)

    def bad_apdu(self):
        """One that the test will break: (the APDU, where the content's OCTET STRING begins in it, its MTS-identifier)."""
        self.bad += 1
        name = "bad.%d" % self.bad
        apdu = self._apdu(name, name)
        return apdu, apdu.index(tlv(0x04, p.ipm(name, "hello"))), "C=FR;A=POSTHORN;P=PARIS;L=" + name

    @staticmethod
    def _apdu(name, subject):
        to = p.orname("GB", "POSTHORN", "LONDON", "Alice", "Archer")
        return p.mts_apdu(name, ORIGIN, [to], p.ipm(subject, "hello"))

    def beside_transfers(self):
        """The association beside takes a message now."""
        answer = self.beside.transfer(self.good_apdu(), self.sent + 1)
        expect(is_accepted(answer), "the association beside goes on transferring", answer.hex())

    def dial(self):
        return Peer.dial(self.m.port)

    def bound(self):
        other = self.dial()
        answer = other.bind("paris", "secret-paris", self.tsel)
        expect(answer[0] == p.AC, "a good bind is accepted", answer.hex())
        return other

    def still_good(self):
        """Nothing died; the association beside and a new one transfer; all that was sent lies in the mailbox, once."""
        same(self.m.pids(), self.pids, "processes: the same as before")
        self.beside_transfers()
        new = self.bound()
        expect(is_accepted(new.transfer(self.good_apdu())), "a new association transfers")
        new.release()
        self.m.wait_mail("alice", self.sent)

    def trouble(self, mark=0):
        """Events of warning and above."""
        return [e for e in self.m.events[mark:] if e["severity"] in ("warning", "error", "alarm")]


def one_event(site, mark, name, *words):
    """Waits for it; nothing else of its weight may come, and it says these words."""
    event = site.m.event(name, mark)
    text = str(event.get("fields"))
    for word in words:
        expect(word in text, "event %s says `%s`" % (name, word), text)
    return event


def closed_by(site, octets, name, *words, bound=False):
    """Octets after which the MTA must close the connection, with an event."""
    other = site.bound() if bound else site.dial()
    site.beside_transfers()
    mark = site.m.mark()
    try:
        other.raw(octets)
    except OSError:
        pass  # it closed before the last octet
    other.wait_closed()
    other.close()
    event = one_event(site, mark, name, *words)
    site.still_good()
    same([e["event"] for e in site.trouble(mark)], [name], "events of warning and above")
    return event["fields"].get("why", "")


def dt(tsdu):
    return b"\3\0" + (len(tsdu) + 7).to_bytes(2, "big") + b"\x02\xf0\x80" + tsdu


def tpkt_version_2(lab):
    return closed_by(Site(lab), bytes.fromhex("0200001611e00000000100c00109c10101c20101"), "link.inbound-refused", "version 2", "want 3")


def tpkt_length_below_7(lab):
    return closed_by(Site(lab), b"\3\0\0\6\1\xe0", "link.inbound-refused", "length 6", "7")


def tpkt_length_4(lab):
    return closed_by(Site(lab), b"\3\0\0\4", "link.association-ended", "length 4", "7", bound=True)


def spdu_longer_than_its_tsdu(lab):
    return closed_by(Site(lab), dt(b"\x01\x00\x2d\x60\x29\x03\x02\x01\x01"), "link.association-ended", "96", bound=True)


def connect_longer_than_its_tsdu(lab):
    site = Site(lab)
    other = site.dial()
    other.transport()
    mark = site.m.mark()
    other.raw(dt(b"\x0d\xff\x01\x10\x05\x03"))
    other.wait_closed()
    event = one_event(site, mark, "link.inbound-refused", "272")
    site.still_good()
    return event["fields"]["why"]


def child_longer_than_its_parent(lab):
    """In the presentation data of an association that is open."""
    return closed_by(Site(lab), dt(b"\x01\x00\x2d\x05\x29\x03\x02\x01\x01") + dt(b"\x01\x00\x01\x00\x61\x06\x30\x04\x02\x01\x03\xa0\x20"),
                     "link.association-ended", bound=True)


class Transfer:
    """The octets of a transfer that are no message: confirmed all the same, with events, and the association goes on."""

    def __init__(self, site, value):
        self.site, self.value = site, value
        other = site.bound()
        site.beside_transfers()
        self.mark = site.m.mark()
        answer = self.give(other, value)
        expect(is_accepted(answer), "it is confirmed, so that it does not come again", answer.hex())
        self.why = one_event(site, self.mark, "message.undecodable")["fields"]["why"]
        expect(is_accepted(self.give(other, p.rt_value(site.good_apdu()))), "the next message flows on the same association")
        other.release()

    @staticmethod
    def give(other, value):
        other.tsdu(p.activity_start())
        other.tsdu(p.data_tsdu(value))
        other.tsdu(p.activity_end())
        return other.next_tsdu()

    def octets(self, *words):
        """They lie in quarantine as they came, once, with an alarm and the cause."""
        event = one_event(self.site, self.mark, "message.octets-quarantined", *words)
        same(event["severity"], "alarm", "its severity")
        kept = self.site.m.quarantined()[-1]
        same(kept[0], 0, "it is kept for the operator, nobody tries it again")
        expect(kept[2] == self.value, "the octets are as they came", "%d octets, sent were %d" % (len(kept[2]), len(self.value)))
        same(self.site.m.find("message.not-delivered", self.mark), None, "reports")
        return self.why

    def reported(self, mts_id, *words):
        """Its envelope could be read: a report waits for its originator."""
        one_event(self.site, self.mark, "message.not-delivered", *words)
        same(self.site.m.find("message.octets-quarantined", self.mark), None, "octets in quarantine")
        expect("report-made" in self.site.m.wait_step(mts_id, "report-made"), "a report in its trace")
        return self.why


def op_10_no_ber_at_all(lab):
    """OP-10: raw octets saved, session answer sent, MTA alive, next message flows. Short and long, and none."""
    site, dice = Site(lab), random.Random(10)
    for n in (0, 1, 30, 511, 512, 513, 20000, 300000):
        why = Transfer(site, dice.randbytes(n)).octets()
        same(len(site.m.quarantined()), 1 + (0, 1, 30, 511, 512, 513, 20000, 300000).index(n), "quarantined so far")
    site.still_good()
    return why


def op_10_child_longer_in_the_envelope(lab):
    site = Site(lab)
    good = p.rt_value(site.bad_apdu()[0])
    at = good.index(b"bad.1") - 1
    why = Transfer(site, good[:at] + b"\x7f" + good[at + 1:]).octets()
    site.still_good()
    return why


def op_10_truncated_apdu(lab):
    """A transfer that ends inside its message: inside the envelope octets, after it a report (0 transfer-failure, 14
    protocol-violation)."""
    site = Site(lab)
    for cut in (1, 2, 9, 40, 120):
        Transfer(site, p.rt_value(site.bad_apdu()[0])[:cut]).octets("ended inside the envelope")
    for less in (1, 10, 34):
        apdu, _, mts_id = site.bad_apdu()
        why = Transfer(site, p.rt_value(apdu)[:-less]).reported(mts_id, "ended inside")
    same(len(site.m.quarantined()), 5, "octets in quarantine")
    wait_for(lambda: len(site.m.rows("queue")) == 3, "reports that wait for the originator's link")
    site.still_good()
    return why


def indefinite(apdu, at, rest):
    """The APDU's envelope (up to `at`), in wrappers of indefinite length, and the rest."""
    head = 2 + (apdu[1] & 0x7F if apdu[1] & 0x80 else 0)
    return b"\x28\x80\x02\x01\x05\xa0\x80\xa0\x80" + apdu[head:at] + rest


def costs_nothing(site, bombs):
    """Each is taken in its turn; what the link holds resident afterwards is what it held before, about."""
    Transfer(site, b"\0" * 2000000).octets()  # its buffers, once
    before = site.m.usage("link.0")
    why = [bomb() for bomb in bombs]
    wait_for(lambda: site.m.usage("link.0")[0] <= before[0] + 1, "the descriptors of before")  # one may have been about to close
    after = site.m.usage("link.0")
    expect(after[1] < before[1] + 64 * 2**20, "memory of the link process", before, after)
    site.still_good()
    return why[-1]


def op_11_nested_strings(lab):
    """OP-11: a million constructed OCTET STRINGs, one in another: as a content reported, in an envelope quarantined."""
    site = Site(lab)

    def in_the_content():
        apdu, at, mts_id = site.bad_apdu()
        return Transfer(site, indefinite(apdu, at, b"\x24\x80" * 1000000)).reported(mts_id, "deep")

    def in_the_envelope():
        return Transfer(site, b"\xa0\x80\x31\x80" + b"\x24\x80" * 1000000).octets("deep")
    return costs_nothing(site, (in_the_content, in_the_envelope))


def op_11_length_of_2_31(lab):
    """OP-11: 2^31 octets are announced, of the content, of the envelope, of the whole; few come."""
    site, lie = Site(lab), b"\x84\x80\0\0\0"

    def in_the_content():
        apdu, at, mts_id = site.bad_apdu()
        return Transfer(site, indefinite(apdu, at, b"\x04" + lie + b"few")).reported(mts_id)

    def in_the_envelope():
        return Transfer(site, b"\xa0\x80\x31" + lie + b"few").octets()

    def in_the_wrapper():
        return Transfer(site, b"\x28" + lie + b"few").octets()
    return costs_nothing(site, (in_the_content, in_the_envelope, in_the_wrapper))


def longer_than_the_limit(lab):
    """limits.message: a content over it is reported, octets over it are kept up to there; both are confirmed."""
    site = Site(lab, message="100 K")
    site.bad += 1
    to = p.orname("GB", "POSTHORN", "LONDON", "Alice", "Archer")
    apdu = p.mts_apdu("bad.1", ORIGIN, [to], b"x" * 200000)
    answer = site.bound().transfer(apdu)
    expect(is_accepted(answer), "it is confirmed", answer.hex())
    site.m.event("message.not-delivered", message="bad.1", why="longer than the limit")
    answer = Transfer.give(site.bound(), b"\xff" * 200000)
    expect(is_accepted(answer), "it is confirmed", answer.hex())
    event = site.m.event("message.octets-quarantined", why="limits.message")
    same([len(octets) for _, _, octets in site.m.quarantined()], [100 * 1024], "octets kept")
    site.still_good()
    return event["fields"]["why"]


def armed(lab, plan, **limits):
    """A site whose processes die, in every life, of the octets that the plan names."""
    os.environ["POSTHORN_FAULT_ALWAYS"] = plan
    try:
        return Site(lab, **limits)
    finally:
        del os.environ["POSTHORN_FAULT_ALWAYS"]


def kills_the_link(site):
    """Sends a letter that the link process dies of, then, as any peer does, sends it again."""
    apdu, _, _ = site.bad_apdu()
    mark = site.m.mark()
    other = site.bound()
    try:
        Transfer.give(other, p.rt_value(apdu))
        raise Failed("the link process has not died of it")
    except (Ended, OSError):
        pass
    site.m.event("process.fault", mark, name="link.0")

    def again():
        try:
            return Transfer.give(site.bound(), p.rt_value(apdu))
        except (Ended, OSError, Failed):
            return None  # it is not back yet
    answer = wait_for(again, "it is sent again")
    expect(is_accepted(answer), "the second time it is taken without a look", answer.hex())
    same(len([e for e in site.m.events[mark:] if e["event"] == "process.fault" and e["fields"]["name"] == "link.0"]), 1,
         "deaths of the link process")
    return apdu


def input_that_kills_the_link_once(lab):
    """One crash; then it is examined in the process for suspects, does no harm there, and is delivered."""
    site = armed(lab, "link:LINK_DECODE:@bad.:abort")
    kills_the_link(site)
    site.m.wait_mail("alice", 1)
    wait_for(lambda: not site.m.quarantined(), "nothing is left in quarantine")
    new = site.bound()
    expect(is_accepted(new.transfer(site.good_apdu())), "a new association transfers")
    site.m.wait_mail("alice", 2)
    return "one crash, delivered"


def input_that_kills_whoever_decodes_it(lab):
    """One crash of the link, and the process for suspects dies to the limit: quarantine with its last words. Others are served."""
    site = armed(lab, "LINK_DECODE:@bad.:abort")
    mark = site.m.mark()
    apdu = kills_the_link(site)
    site.m.event("message.octets-quarantined", mark)
    wait_for(lambda: [(state, octets == p.rt_value(apdu)) for state, _, octets in site.m.quarantined()] == [(0, True)],
             "kept for the operator, as they came")
    deaths = [e["fields"]["name"] for e in site.m.events[mark:] if e["event"] == "process.fault"]
    same(deaths, ["link.0", "alone.0", "alone.0"], "three strikes")
    new = site.bound()
    expect(is_accepted(new.transfer(site.good_apdu())), "a new association transfers")
    answer = Transfer.give(new, p.rt_value(apdu))
    expect(is_accepted(answer), "it may come again, and kills nobody", answer.hex())
    site.m.event("message.duplicate", mark)
    same(len(site.m.quarantined()), 1, "it is known: kept")
    same(len([e for e in site.m.events[mark:] if e["event"] == "process.fault"]), 3, "deaths")
    return "three deaths, then quarantine"


def million_nested_in_the_bind(lab):
    site = Site(lab)
    other = site.dial()
    other.transport()
    mark = site.m.mark()
    try:
        other.tsdu(p.connect_spdu(b"\x31\x80\xa0\x03\x80\x01\x01\xa2\x80" + b"\xbf\x63\x80" + b"\x24\x80" * 20000)[:60000])
    except OSError:
        pass
    other.wait_closed()
    event = one_event(site, mark, "link.inbound-refused", "deep")
    site.still_good()
    return event["fields"]["why"]


def refused_bind(site, answer, mark, event, *words):
    expect(answer[0] == p.RF, "the bind is refused, not cut off", answer.hex())
    found = one_event(site, mark, event, *words)
    same([e["event"] for e in site.trouble(mark)], [event], "events of warning and above")
    site.still_good()
    return str(found["fields"])


def wrong_password(lab):
    """RT-21: result rejected-permanent, MTABindError 2."""
    site = Site(lab)
    mark = site.m.mark()
    answer = site.dial().bind("paris", "secret-berlin")
    expect(b"\xa2\x03\x02\x01\x01" in answer and b"\x02\x01\x02" in answer, "rejected-permanent, authentication-error", answer.hex())
    text = refused_bind(site, answer, mark, "link.bad-credentials", "paris")
    expect("secret" not in text, "no password in an event", text)
    return text


def unknown_mta(lab):
    """RT-23."""
    site = Site(lab)
    mark = site.m.mark()
    answer = site.dial().bind("berlin", "secret-paris")
    expect(b"\x02\x01\x02" in answer, "authentication-error", answer.hex())
    return refused_bind(site, answer, mark, "link.unknown-peer", "berlin")


def unknown_tsel(lab):
    """TP-10: DR (address unknown) or the connection is closed, and the log has the selector."""
    site = Site(lab, tsel="X400-88")
    other = site.dial()
    mark = site.m.mark()
    try:
        answer = other.bind("paris", "secret-paris", b"X400-99")
        expect(answer[0] in (0x80, p.RF), "DR, or a refused bind", answer.hex())
    except Ended:
        pass
    event = one_event(site, mark, "link.inbound-refused", "X400-99")
    site.still_good()
    return str(event["fields"])


def no_credentials(lab):
    site = Site(lab)
    mark = site.m.mark()
    answer = site.dial().bind(None, "")
    return refused_bind(site, answer, mark, "link.unknown-peer")


def busy_at_the_limit(lab):
    """RT-26: over the limit of associations the bind is refused busy (0), in the protocol."""
    site = Site(lab, associations=3)
    others = [site.bound() for _ in range(2)]
    mark = site.m.mark()
    answer = site.dial().bind("paris", "secret-paris")
    expect(answer[0] == p.RF and b"\x02\x01\x00" in answer, "bind error busy", answer.hex())
    site.m.event("link.association-limit", mark, link="paris")
    others[0].release()
    site.still_good()
    return "bind error 0, and accepted again when one has left"


def two_passwords(lab):
    """RT-25: each peer has its own password, each direction another."""
    site_a, site_b = lab.pair()
    site_a.link(site_b, local_password="from-london", remote_password="from-paris")
    site_b.link(site_a, local_password="from-paris", remote_password="from-london")
    site_a.start()
    site_b.start()
    site_a.send("alice", site_b.claude, "hello")
    site_b.send("claude", site_a.alice, "hello")
    site_b.wait_mail("claude", 1)
    site_a.wait_mail("alice", 1)
    mark = site_b.mark()
    answer = Peer.dial(site_b.port).bind("london", "from-paris")
    expect(answer[0] == p.RF, "the other direction's password is refused", answer.hex())
    site_b.event("link.bad-credentials", mark)
    return "each direction its own"


def responder_without_credentials(lab):
    """RT-24: the peer answers the bind without credentials while we want a password: no mail goes there."""
    import socket
    import threading
    london = lab.mta("london")
    london.mailbox("alice", "Archer")
    listener = socket.create_server(("127.0.0.1", 0))
    lab.closers.append(listener.close)
    paris = lab.mta("paris", "FR")
    london.link(paris, listener.getsockname()[1], open_interval="1 h")
    got = []

    def answer():
        other = Peer(listener.accept()[0])
        other.next_tpdu()
        other.tpkt(b"\x06\xd0\0\1\0\1\0")
        other.next_tsdu()
        rtoac = tlv(0xB1, tlv(0xA2, tlv(0xA0, tlv(0xB1, tlv(0x05)))))  # MTABindResult NULL
        other.tsdu(p.accept_spdu(p.cpa_ppdu(rtoac)))
        before = len(other.heard)
        got.append(other.wait_closed()[before:])
    threading.Thread(target=answer, daemon=True).start()
    london.start()
    mts_id = london.send("alice", paris.address("Claude", "Colin"), "--subject", "SECRETMAIL", "hello")
    event = london.event("link.bad-credentials", link="paris")
    wait_for(lambda: got, "the association is ended")
    expect(b"SECRETMAIL" not in got[0], "no mail was sent")
    same([r["id"] for r in london.rows("queue")], [mts_id], "the message waits")
    return str(event["fields"])


def random_octets(lab):
    """Noise before, inside and after the transport connection, and in place of each later layer."""
    site, dice = Site(lab), random.Random(400)
    for i in range(60):
        other = site.bound() if i % 6 == 5 else site.dial()
        noise = dice.randbytes(dice.choice((1, 5, 50, 500, 5000)))
        try:
            if i % 6 in (1, 2, 3, 4):
                other.transport()
            if i % 6 == 2:
                noise = b"".join(dt(noise[at:at + 900]) for at in range(0, len(noise), 900))
            elif i % 6 == 3:
                noise = dt(p.connect_spdu(noise[:5000]))
            elif i % 6 == 4:
                whole = p.connect_spdu(p.cp_ppdu(p.rtorq(p.credentials("paris", "secret-paris"))))
                at = dice.randrange(len(whole))
                noise = dt(whole[:at] + bytes([dice.randrange(256)]) + whole[at + 1:])
            elif i % 6 == 5:
                noise = dt(b"\x01\x00" + noise)
            other.raw(noise)
            other.sock.shutdown(1)
        except (OSError, Ended):
            pass
        try:
            other.wait_closed()
        except Failed:
            raise Failed("noise %d of kind %d is answered by closing" % (i, i % 6)) from None
        other.close()
        if i % 10 == 0:
            site.beside_transfers()
    site.still_good()
    return "60 kinds of noise"


def dribbled_to_the_end(lab):
    """TP-05: a TPKT that announces 65535 octets and gives one at a time keeps nobody waiting."""
    site = Site(lab)
    other = site.dial()
    other.transport()
    other.raw(b"\3\0\xff\xff\x02\xf0\x80")
    for _ in range(50):
        other.raw(b"\x0d")
        if _ % 25 == 0:
            site.beside_transfers()
    other.close()
    site.still_good()
    return "the others go on"


if __name__ == "__main__":
    main(tpkt_version_2, tpkt_length_below_7, tpkt_length_4, spdu_longer_than_its_tsdu, connect_longer_than_its_tsdu,
         child_longer_than_its_parent, op_10_no_ber_at_all, op_10_child_longer_in_the_envelope, op_10_truncated_apdu, op_11_nested_strings,
         op_11_length_of_2_31, longer_than_the_limit, input_that_kills_the_link_once, input_that_kills_whoever_decodes_it,
         million_nested_in_the_bind, wrong_password, unknown_mta, unknown_tsel, no_credentials,
         busy_at_the_limit, two_passwords, responder_without_credentials, random_octets, dribbled_to_the_end)
