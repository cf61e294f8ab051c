"""posthorn_wire.py - what docs/connector.md says, as code: frames, the payloads a connector needs, and the packed message.

Each layout is written once, as a function of (io, o): with a Reader as io it fills the dict o, with a Writer it writes it."""
import struct

VERSION, KIND_CONNECTOR, FRAME_MAX = 1, 8, 16 * 1024 * 1024
PIECE, INLINE, CREDIT = 64 * 1024, 16 * 1024, 256 * 1024  # octets: of a content piece, of content in OFFER and TRANSFER, under way
NONE, TEMP, PERM, PEER, LOCAL = range(5)  # kinds of an error
OF_RECIPIENT, OF_MESSAGE, OF_PROCESS, OF_ASSOCIATION, OF_LINK = range(5)  # its culprit
MESSAGE, REPORT, PROBE = range(3)
OTHER_USER = 6  # type of MTS user of a delivery report
PRIORITIES = ("non-urgent", "normal", "urgent")


class Nonsense(Exception):
    """What came is not what the documentation says."""


class Reader:
    def __init__(self, octets):
        self.octets, self.at = octets, 0

    def take(self, n):
        if n > len(self.octets) - self.at:
            raise Nonsense("cut short")
        self.at += n
        return self.octets[self.at - n:self.at]

    def end(self):
        if self.at != len(self.octets):
            raise Nonsense("%d octets too many" % (len(self.octets) - self.at))

    def fixed(self, o, key, n, signed=False):
        o[key] = int.from_bytes(self.take(n), "big", signed=signed)
        return o[key]

    def string(self, o, key):
        o[key] = self.take(int.from_bytes(self.take(4), "big"))

    def uint(self, o, key):
        x = shift = 0
        while True:
            octet = self.take(1)[0]
            x |= (octet & 127) << shift
            shift += 7
            if octet < 128:
                break
        o[key] = x
        return x

    def sint(self, o, key):
        x = self.uint(o, key)
        o[key] = ~(x >> 1) if x & 1 else x >> 1

    def view(self, o, key):
        n = self.uint(o, key)
        o[key] = None if n == 0 else self.take(n - 1)

    def list(self, o, key, item):
        n = self.uint(o, key)
        if n > len(self.octets):
            raise Nonsense("a list of %d" % n)
        o[key] = [item(self, {}) for _ in range(n)]


class Writer:
    """Keys that are missing are written as 0, absent, or an empty list."""

    def __init__(self):
        self.octets = bytearray()

    def fixed(self, o, key, n, signed=False):
        self.octets += o.get(key, 0).to_bytes(n, "big", signed=signed)
        return o.get(key, 0)

    def string(self, o, key):
        value = o.get(key, b"")
        self.octets += struct.pack("!I", len(value)) + value

    def uint(self, o, key):
        x = rest = o.get(key, 0)
        while rest > 127:
            self.octets.append(rest & 127 | 128)
            rest >>= 7
        self.octets.append(rest)
        return x

    def sint(self, o, key):
        x = o.get(key, 0)
        self.uint({"x": ~(x << 1) if x < 0 else x << 1}, "x")

    def view(self, o, key):
        value = o.get(key)
        self.uint({"n": 0 if value is None else len(value) + 1}, "n")
        self.octets += value or b""

    def list(self, o, key, item):
        self.uint({"n": len(o.get(key, []))}, "n")
        for one in o.get(key, []):
            item(self, one)


# --- payloads of messages (the tables of docs/connector.md) ---

def error(io, o):
    io.fixed(o, "kind", 1)
    io.fixed(o, "culprit", 1)
    io.fixed(o, "reason", 4, True)
    io.fixed(o, "diagnostic", 4, True)
    io.string(o, "text")
    return o


NO_ERROR = {"reason": -1, "diagnostic": -1}


def layout(*fields):
    """(name, octets) for a number, (name, "s") for a string, (name, "e") for an error."""
    def both(io, o):
        for name, form in fields:
            if form == "s":
                io.string(o, name)
            elif form == "e":
                o[name] = error(io, dict(o.get(name, NO_ERROR)))
            else:
                io.fixed(o, name, form)
        return o
    return both


_offer = layout(("offer", 8), ("link", "s"), ("peer", "s"), ("packed", "s"), ("content", "s"), ("octets", 1), ("hash", 8), ("examined", 8),
                ("err", "e"))
_piece = layout(("id", 8), ("octets", "s"))
_count = layout(("id", 8), ("n", 8))
_answer = layout(("id", 8), ("accepted", 1), ("duplicate", 1), ("mts_id", "s"), ("err", "e"))
_assoc = layout(("assoc", 8), ("link", "s"), ("was_open", 1), ("err", "e"))

MESSAGES = {  # name: (type, bulk, layout)
    "HELLO": (0, None, layout(("version", 2), ("kind", 2), ("number", 4))),
    "OFFER": (10, False, _offer), "OFFER_BEGIN": (11, True, _offer), "OFFER_DATA": (12, True, _piece), "OFFER_END": (13, True, _count),
    "OFFER_CANCEL": (14, True, _count), "OFFER_CREDIT": (15, False, _count), "OFFER_ANSWER": (16, False, _answer),
    "BUSY": (19, False, layout(("busy", 1), ("err", "e"))),
    "ASSOC_OPEN": (20, False, _assoc), "ASSOC_CLOSE": (21, False, _count), "ASSOC_UP": (22, False, _assoc), "ASSOC_DOWN": (23, False, _assoc),
    "TRANSFER": (24, False, layout(("transfer", 8), ("assoc", 8), ("packed", "s"), ("content_size", 8), ("content", "s"), ("stored", 8))),
    "TRANSFER_PULL": (25, False, _count), "TRANSFER_DATA": (26, True, _piece),
    "TRANSFER_RESULT": (27, False, layout(("transfer", 8), ("delivered", 1), ("err", "e"))),
    "REGISTER": (60, None, layout(("link", "s"), ("bulk", 1), ("token", 8))), "REGISTERED": (61, None, _answer),
    "ALIVE": (62, False, _count),
}
NAMES = {number: name for name, (number, _, _) in MESSAGES.items()}


def frame(name, fields):
    number, _, fill = MESSAGES[name]
    w = Writer()
    fill(w, dict(fields))
    return struct.pack("!IH", len(w.octets) + 2, number) + bytes(w.octets)


def next_frame(buffer):
    """(name, fields) of the first frame in the bytearray, which is taken out of it; None when it is not whole yet."""
    if len(buffer) < 6:
        return None
    length, number = struct.unpack("!IH", buffer[:6])
    if length < 2 or length > FRAME_MAX or number not in NAMES:
        raise Nonsense("a frame of %d octets, type %d" % (length, number))
    if len(buffer) < 4 + length:
        return None
    r = Reader(bytes(buffer[6:4 + length]))
    del buffer[:4 + length]
    fields = MESSAGES[NAMES[number]][2](r, {})
    r.end()
    return NAMES[number], fields


# --- the packed message (docs/connector.md, "The packed message") ---

COUNTRY, ADMD, PRMD, SURNAME, DDA, EXTENSION_RAW, UNKNOWN_RAW = 1, 2, 3, 10, 34, 35, 36
PRINTABLE, NUMERIC = 0, 1
LABELS = {"C": 1, "A": 2, "P": 3, "O": 4, "OU1": 5, "OU2": 6, "OU3": 7, "OU4": 8, "CN": 9, "S": 10, "G": 11, "I": 12, "Q": 13}


def attribute(io, o):
    kind = io.uint(o, "key") >> 3  # type * 8 + form
    if kind in (EXTENSION_RAW, UNKNOWN_RAW):
        io.uint(o, "number")
    if kind == DDA:
        io.view(o, "type_name")
    io.view(o, "value")
    return o


def address(io, o):
    io.list(o, "attributes", attribute)
    io.view(o, "directory_name")
    return o


def nested(io, o, key, what):
    o[key] = what(io, o.get(key, {}))


def part(io, o):
    io.fixed(o, "form", 1)
    io.view(o, "value")
    return o


def domain(io, o):
    nested(io, o, "country", part)
    nested(io, o, "admd", part)
    if io.fixed(o, "has_prmd", 1):
        nested(io, o, "prmd", part)
    return o


def mts_id(io, o):
    nested(io, o, "domain", domain)
    io.view(o, "local")
    return o


def raw(io, o):
    io.view(o, "raw")
    return o


def trace_element(io, o):
    groups = io.fixed(o, "groups", 1)
    nested(io, o, "domain", domain)
    io.sint(o, "arrival")
    io.view(o, "arrival_raw")
    io.uint(o, "action")
    io.uint(o, "other_actions")
    if groups & 1:
        io.view(o, "mta")
    if groups & 2:
        nested(io, o, "attempted_domain", domain)
        io.view(o, "attempted_mta")
    if groups & 4:
        io.sint(o, "deferred")
        io.view(o, "deferred_raw")
    if groups & 8:
        io.view(o, "converted")
    if groups & 16:
        io.list(o, "extra", raw)
    return o


def extension(io, o):
    groups = io.fixed(o, "groups", 1)
    if groups & 1:
        io.view(o, "oid")
    else:
        io.uint(o, "number")
    io.uint(o, "criticality")
    io.view(o, "criticality_raw")
    io.view(o, "value")
    return o


def outcome(io, o):
    io.fixed(o, "outcome", 1)
    io.sint(o, "delivered_at")
    io.view(o, "delivered_raw")
    io.uint(o, "type_of_user")
    io.sint(o, "reason")
    io.sint(o, "diagnostic")
    io.view(o, "converted")
    io.view(o, "supplementary")
    io.list(o, "arrival", trace_element)
    io.list(o, "extra", raw)
    return o


def recipient(io, o):
    groups = io.fixed(o, "groups", 1)
    nested(io, o, "address", address)
    io.uint(o, "number")
    io.uint(o, "mta_report")
    io.uint(o, "originator_report")
    if groups & 8:
        io.view(o, "indicators_raw")
    if groups & 16:
        io.uint(o, "explicit_conversion")
    if groups & 2:
        io.list(o, "extensions", extension)
    if groups & 4:
        io.list(o, "extra", raw)
    if groups & 32:
        nested(io, o, "outcome", outcome)
    if groups & 64:
        nested(io, o, "intended", address)
    return o


def message(io, o):
    if io.fixed(o, "version", 1) != 1 or io.fixed(o, "record", 1) != ord("M"):
        raise Nonsense("a packed message of version %d" % o["version"])
    io.fixed(o, "kind", 1)
    groups = io.fixed(o, "groups", 1)
    io.fixed(o, "priority", 1)
    nested(io, o, "id", mts_id)
    nested(io, o, "originator", address)
    io.view(o, "original_eits")
    io.sint(o, "content_type")
    io.view(o, "content_type_oid")
    io.view(o, "content_id")
    io.uint(o, "indicators")
    if groups & 8:
        io.sint(o, "deferred")
        io.view(o, "deferred_raw")
    io.list(o, "trace", trace_element)
    io.list(o, "internal_trace", trace_element)
    io.uint(o, "internal_trace_criticality")
    if groups & 16:
        io.sint(o, "latest")
        io.view(o, "latest_raw")
        io.uint(o, "latest_criticality")
    io.list(o, "extensions", extension)
    if groups & 32:
        io.sint(o, "content_length")
        io.list(o, "bilateral", raw)
        io.list(o, "extra", raw)
    if groups & 4:
        nested(io, o, "subject_id", mts_id)
        io.list(o, "subject_trace", trace_element)
        io.list(o, "content_extensions", extension)
        io.view(o, "returned_content")
        io.view(o, "content_extra_raw")
        io.list(o, "content_extra", raw)
    io.list(o, "recipients", recipient)
    return o


def unpack(octets):
    r = Reader(octets)
    o = message(r, {})
    r.end()
    return o


def pack(o):
    w = Writer()
    message(w, {"version": 1, "record": ord("M"), **o})
    return bytes(w.octets)


# --- text and back, enough for plain addresses ---

def address_of(text):
    """`G=Ada; S=User; P=FOLDER; A=POSTHORN; C=IT`, sorted as packed addresses are."""
    attributes = []
    for one in text.split(";"):
        label, equals, value = one.strip().partition("=")
        if not equals or label.upper() not in LABELS:
            raise ValueError("%r is no attribute of an address" % one)
        kind = LABELS[label.upper()]
        form = NUMERIC if kind <= PRMD and value.isdigit() else PRINTABLE
        attributes.append({"key": kind * 8 + form, "value": value.encode("ascii")})
    return {"attributes": sorted(attributes, key=lambda a: a["key"])}


def address_text(o):
    labels = {number: label for label, number in LABELS.items()}
    return "; ".join("%s=%s" % (labels.get(a["key"] >> 3, a["key"] >> 3), (a["value"] or b"").decode("latin-1"))
                     for a in reversed(o["attributes"]))


def domain_of(text):
    values = {a["key"] >> 3: {"form": a["key"] & 7, "value": a["value"]} for a in address_of(text)["attributes"]}
    return {"country": values[COUNTRY], "admd": values[ADMD], "has_prmd": int(PRMD in values), "prmd": values.get(PRMD)}


def id_text(o):
    parts = [o["domain"][k]["value"] or b"" for k in ("country", "admd", "prmd") if k in o["domain"]] + [o["local"] or b""]
    return "/".join(p.decode("latin-1") for p in parts)


# --- a content: interpersonal message with one text (X.420, BER) ---

def tlv(tag, *parts):
    body = b"".join(parts)
    n = len(body)
    length = bytes([n]) if n < 128 else bytes([0x80 | (n.bit_length() + 7) // 8]) + n.to_bytes((n.bit_length() + 7) // 8, "big")
    return bytes([tag]) + length + body


def ipm(name, subject, text):
    heading = tlv(0x31, tlv(0x6B, tlv(0x13, name.encode("ascii"))), tlv(0xA8, tlv(0x14, subject.encode("ascii", "replace"))))
    return tlv(0xA0, heading, tlv(0x30, tlv(0xA0, tlv(0x31), tlv(0x16, text.encode("ascii", "replace")))))
