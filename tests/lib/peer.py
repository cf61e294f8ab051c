"""peer.py - the other side of an association, written octet by octet from X.224, X.225, X.226, X.227, X.228 and X.411, so that
what it says does not depend on the code under test. It can say wrong things on purpose."""
import socket
import struct

from posthorn import PATIENCE_S, Failed, expect

# session SPDUs (X.225, 8.3)
CN, AC, RF, FN, DN, AB = 13, 14, 12, 9, 10, 25
GT, DT, AS, AE, AEA, MIP, MIA, AI, AD, ED = 1, 1, 45, 41, 42, 49, 50, 25, 57, 48


# --- BER ---

def tlv(tag, *parts):
    body = b"".join(parts)
    head = bytes([tag]) if isinstance(tag, int) else tag
    if len(body) < 128:
        return head + bytes([len(body)]) + body
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return head + bytes([0x80 | len(length)]) + length + body


def integer(n, tag=0x02):
    return tlv(tag, n.to_bytes(n.bit_length() // 8 + 1, "big"))


def oid(*arcs):
    out = bytes([arcs[0] * 40 + arcs[1]])
    for arc in arcs[2:]:
        piece = [arc & 127]
        while arc > 127:
            arc >>= 7
            piece.append(arc & 127 | 128)
        out += bytes(reversed(piece))
    return tlv(0x06, out)


BER = oid(2, 1, 1)
CONTEXTS = ((1, oid(2, 2, 1, 0, 1)), (3, oid(2, 6, 0, 2, 12)), (5, oid(2, 6, 0, 2, 7)))


# --- session parameters ---

def param(code, octets):
    n = len(octets)
    return bytes([code]) + (bytes([n]) if n < 255 else b"\xff" + struct.pack("!H", n)) + octets


def spdu(si, *params):
    return param(si, b"".join(params))


# --- presentation, ACSE, RTSE, bind ---

def external(context, value):
    """In ACSE user-information: BER, the context, the value."""
    return tlv(0x28, BER, integer(context), tlv(0xA0, value))


def credentials(name, password, form=0x16):
    if name is None:
        return tlv(0x05)
    return tlv(0xA1, tlv(0x80, name.encode()), tlv(0xA1, tlv(form, password.encode())))


def rtorq(argument, checkpoint=0, window=3):
    """[16] of RTSE; in it, open [0], the MTA bind in ROSE's [16] (X.228, X.411)."""
    return tlv(0xB0, tlv(0x80, checkpoint.to_bytes(2, "big").lstrip(b"\0") or b"\0"), tlv(0x81, bytes([window])),
               tlv(0xA3, tlv(0xA0, tlv(0xB0, argument))))


def cp_ppdu(rtse, context_name=(2, 6, 0, 1, 6)):
    aarq = tlv(0x60, tlv(0xA1, oid(*context_name)), tlv(0xBE, external(3, rtse)))
    contexts = tlv(0xA4, *[tlv(0x30, integer(i), name, tlv(0x30, BER)) for i, name in CONTEXTS])
    data = tlv(0x61, tlv(0x30, integer(1), tlv(0xA0, aarq)))
    return tlv(0x31, tlv(0xA0, tlv(0x80, b"\1")), tlv(0xA2, contexts, data))


def cpa_ppdu(rtse):
    aare = tlv(0x61, tlv(0xA1, oid(2, 6, 0, 1, 6)), tlv(0xA2, integer(0)), tlv(0xA3, tlv(0xA1, integer(0))),
               tlv(0xBE, external(3, rtse)))
    accepted = tlv(0x30, tlv(0x80, b"\0"), tlv(0x81, b"\x51\x01"))
    data = tlv(0x61, tlv(0x30, integer(1), tlv(0xA0, aare)))
    return tlv(0x31, tlv(0xA0, tlv(0x80, b"\1")), tlv(0xA2, tlv(0xA5, accepted, accepted, accepted), data))


def connect_spdu(user_data):
    return spdu(CN, param(1, param(10, tlv(0x04, b"test")) + param(11, tlv(0x17, b"260101000000Z"))),
                param(5, param(19, b"\0") + param(22, b"\2") + param(26, b"\0")), param(20, b"\x02\x49"),
                param(194 if len(user_data) > 512 else 193, user_data))


def accept_spdu(user_data):
    return spdu(AC, param(5, param(19, b"\0") + param(22, b"\2") + param(26, b"\0")), param(20, b"\x02\x49"),
                param(193, user_data))


GIVE = b"\x01\x00"
PLEASE = b"\x02\x00"


def activity_start(n=1):
    return GIVE + spdu(AS, param(41, integer(n)))


def activity_end(serial=1):
    return GIVE + spdu(AE, param(42, b"%d" % serial))


def data_tsdu(rttr):
    return GIVE + b"\x01\x00" + tlv(0x61, tlv(0x30, integer(3), tlv(0xA0, tlv(0x04, rttr))))


def finish_tsdu():
    rlrq = tlv(0x62, tlv(0x80, b"\0"))
    return spdu(FN, param(17, b"\1"), param(193, tlv(0x61, tlv(0x30, integer(1), tlv(0xA0, rlrq)))))


# --- P1 (X.411) ---

def country(c):
    return tlv(0x61, tlv(0x13, c.encode()))


def admd(a):
    return tlv(0x62, tlv(0x13, a.encode()))


def orname(c, a, p, given, surname, organization="Office", tag=0x60):
    standard = country(c) + admd(a) + tlv(0xA2, tlv(0x13, p.encode())) + tlv(0x83, organization.encode()) + tlv(
        0xA5, tlv(0x80, surname.encode()), tlv(0x81, given.encode()))
    return tlv(tag, tlv(0x30, standard))


def gdi(c, a, p):
    return tlv(0x63, country(c), admd(a), tlv(0x13, p.encode()))


def recipient(name, number):
    return tlv(0x31, name, integer(number, 0x80), tlv(0x81, b"\0\xa8"))


def ipm(subject, text):
    """A P2 content: heading with this-IPM and subject, one IA5 text."""
    heading = tlv(0x31, tlv(0x6B, tlv(0x13, b"raw.1")), tlv(0xA8, tlv(0x14, subject.encode())))
    return tlv(0xA0, heading, tlv(0x30, tlv(0xA0, tlv(0x31), tlv(0x16, text.encode()))))


def mts_apdu(local_id, origin, to, content, priority=None):
    """origin: (country, ADMD, PRMD) of the sender's domain; to: ORNames."""
    envelope = tlv(0x31, tlv(0x64, gdi(*origin), tlv(0x16, local_id.encode())), orname(*origin, "Raw", "Peer"),
                   integer(2, 0x46), integer(priority, 0x47) if priority else b"",
                   tlv(0x69, tlv(0x30, gdi(*origin), tlv(0x31, tlv(0x80, b"260101000000Z"), tlv(0x82, b"\0")))),
                   tlv(0xA2, *[recipient(n, i + 1) for i, n in enumerate(to)]))
    return tlv(0xA0, envelope, tlv(0x04, content))


def rt_value(apdu):
    """What the octets of a transfer are: an EXTERNAL of context 5."""
    return tlv(0x28, integer(5), tlv(0xA0, apdu))


# --- the wire ---

class Ended(Exception):
    """The other side has closed the connection."""


class Peer:
    def __init__(self, sock):
        self.sock, self.buffer, self.heard = sock, b"", b""
        sock.settimeout(PATIENCE_S)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    @classmethod
    def dial(cls, port):
        return cls(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S))

    def close(self):
        self.sock.close()

    def raw(self, octets):
        self.sock.sendall(octets)

    def tpkt(self, tpdu):
        self.raw(b"\3\0" + struct.pack("!H", len(tpdu) + 4) + tpdu)

    def tsdu(self, octets, piece=60000):
        """As DT TPDUs, the last one with the end mark."""
        out = b""
        for at in range(0, max(len(octets), 1), piece):
            last = at + piece >= len(octets)
            tpdu = b"\x02\xf0" + (b"\x80" if last else b"\x00") + octets[at:at + piece]
            out += b"\3\0" + struct.pack("!H", len(tpdu) + 4) + tpdu
        self.raw(out)

    def _more(self):
        try:
            octets = self.sock.recv(65536)
        except ConnectionError:
            octets = b""
        except socket.timeout:
            raise Failed("no answer in %d s" % PATIENCE_S) from None
        if not octets:
            raise Ended()
        self.buffer += octets
        self.heard += octets

    def next_tpdu(self):
        while len(self.buffer) < 4 or len(self.buffer) < struct.unpack("!H", self.buffer[2:4])[0]:
            self._more()
        n = struct.unpack("!H", self.buffer[2:4])[0]
        tpdu, self.buffer = self.buffer[4:n], self.buffer[n:]
        return tpdu

    def next_tsdu(self):
        octets = b""
        while True:
            tpdu = self.next_tpdu()
            if tpdu[1] >> 4 != 0xF:
                return tpdu[1:]  # DR, ER: with its code first
            octets += tpdu[3:]
            if tpdu[2] & 0x80:
                return octets

    def wait_closed(self):
        """Reads until the other side closes; gives what came."""
        try:
            while True:
                self._more()
        except Ended:
            return self.heard

    # --- initiator ---

    def transport(self, called=b"", calling=b""):
        tsels = (b"\xc1" + bytes([len(calling)]) + calling if calling else b"") + (
            b"\xc2" + bytes([len(called)]) + called if called else b"")
        self.tpkt(bytes([6 + len(tsels)]) + b"\xe0\0\0\0\1\0" + tsels)
        return self.next_tpdu()

    def bind(self, name, password, called=b"", **more):
        """CR, CN; gives the TSDU that answers."""
        answer = self.transport(called)
        if answer[1] >> 4 != 0xD:
            return answer[1:]
        self.tsdu(connect_spdu(cp_ppdu(rtorq(credentials(name, password), **more))))
        return self.next_tsdu()

    def bound(self, name, password):
        answer = self.bind(name, password)
        expect(answer[0] == AC, "the bind is accepted", answer[:80].hex())
        return self

    def transfer(self, apdu, number=1):
        """One message; gives the TSDU that answers the end of its activity."""
        self.tsdu(activity_start(number))
        self.tsdu(data_tsdu(rt_value(apdu)))
        self.tsdu(activity_end())
        return self.next_tsdu()

    def release(self):
        self.tsdu(finish_tsdu())
        answer = self.next_tsdu()
        expect(answer[0] == DN, "the release is answered", answer[:40].hex())
        self.close()


def is_accepted(answer):
    """PLEASE TOKENS, ACTIVITY END ACKNOWLEDGEMENT."""
    return answer[:2] == PLEASE and answer[2] == AEA


def cut_tpkts(octets):
    """The TPKTs of one direction of a capture."""
    while octets:
        n = struct.unpack("!H", octets[2:4])[0]
        yield octets[:n]
        octets = octets[n:]
