"""postoffice.py - a Microsoft Mail postoffice as a client program sees it: mailbags read and written octet by octet, with no line of
Posthorn's. What the published articles give (facts A2 - A7) is done as they say; what is Posthorn's choice as docs/postoffice-format.md says.

    with-less use: po = Postoffice("maildata"); po.send("ANNA", ["NET/PO/BERT"], "Hello", b"text", attachments=[("a.txt", b"...")])"""
import datetime
import fcntl
import os
import struct

RECORD, KEY, KEY_HEADER, NETWORK, XTN, ACCESS2 = 116, 560, 48, 122, 698, 69
MESSAGE, FIELD, VENDOR, STRING, INTEGER, DATE, SEQUENCE = 0x4D, 0x4C, 0x7F, 0x02, 0x20, 0x28, 0x0A
FROM, POSTED, TEXT, TO, CC, SUBJECT, MESSAGE_CLASS, MESSAGE_ID, PRECEDENCE = 1, 2, 4, 5, 6, 7, 0x15, 0x16, 0x18
CODE_PAGE, ADDRESS, FLAGS, ATTACHMENTS = 0x5001, 0x5002, 0x5003, 0x5004    # vendor elements of Posthorn's
BAGS, WORD_2, HOPS, WORD_7 = 0x31, 0x32, 0x33, 0x37                        # of Microsoft's (Q104423)
UNREADY, READY, PLACING = 0, 1, 2
LISTS = ("from", "to", "cc")


# --- FIPS PUB 98 (RFC 841): identifier, length, [qualifier], contents ---

def length(n):
    if n < 128:
        return bytes([n])
    octets = n.to_bytes((n.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(octets)]) + octets


def element(code, contents, qualifier=None):
    head = b""
    if qualifier is not None:
        octets = bytes([qualifier]) if qualifier < 128 else b"\x83\x00" + struct.pack(">H", qualifier)   # long form, first octet 0: a vendor's
        contents = octets + contents
    return bytes([code]) + head + length(len(contents)) + contents


def take_length(b, at):
    first = b[at]
    if first < 0x80:
        return first, at + 1
    n = first & 0x7F
    return int.from_bytes(b[at + 1:at + 1 + n], "big"), at + 1 + n


def elements(b):
    """(code, qualifier or None, contents) of each."""
    at = 0
    while at < len(b):
        code = b[at]
        n, at = take_length(b, at + 1)
        end, inner, qualifier = at + n, at, None
        assert end <= len(b), "an element ends beyond its outer one"
        if code & 0x40:
            q, inner = take_length(b, at)
            if b[at] & 0x80:
                octets = b[at + 1:inner]
                qualifier = int.from_bytes(octets, "big")
            else:
                qualifier = q
        yield code, qualifier, b[inner:end]
        at = end


def number(x):
    n = 2 if x < 1 << 16 else 4 if x < 1 << 32 else 8
    return element(INTEGER, x.to_bytes(n, "little"))


def first(b, code):
    for c, _, contents in elements(b):
        if c == code:
            return contents
    return None


def numbers(b):
    return [int.from_bytes(c, "little") for code, _, c in elements(b) if code == INTEGER]


def strings(b):
    return [c for code, _, c in elements(b) if code == STRING]


# --- MAI ---

def mai(sender, to, subject, text, cc=(), when=None, priority=None, receipt=False, attachments=(), code_page=None, bags=1, friendly=()):
    """attachments: (name, id, size, position). friendly: (list, index, type, name)."""
    when = when or datetime.datetime(2026, 11, 22, 12, 0, 0)
    address = lambda a: element(STRING, a.encode("latin-1") + b"\0")
    out = b"".join(element(VENDOR, number(x), q) for q, x in ((BAGS, bags), (WORD_2, 2), (HOPS, 10), (WORD_7, 10)))
    out += element(FIELD, address(sender), FROM)
    if to:
        out += element(FIELD, b"".join(map(address, to)), TO)
    if cc:
        out += element(FIELD, b"".join(map(address, cc)), CC)
    out += element(FIELD, element(DATE, element(STRING, when.strftime("%Y%m%d-%H%M%S").encode())), POSTED)
    if priority:
        out += element(FIELD, element(STRING, priority.encode()), PRECEDENCE)
    if subject:
        out += element(FIELD, element(STRING, subject), SUBJECT)
    if attachments:
        out += element(VENDOR, b"".join(
            element(SEQUENCE, element(STRING, name) + element(STRING, ident.encode()) + number(size) + number(position) + number(0))
            for name, ident, size, position in attachments), ATTACHMENTS)
    out += element(FIELD, element(STRING, text), TEXT) if text else b""
    if code_page:
        out += element(VENDOR, number(code_page), CODE_PAGE)
    if receipt:
        out += element(VENDOR, number(1), FLAGS)
    for which, index, kind, name in friendly:
        out += element(VENDOR, number(which) + number(index) + number(kind) + element(STRING, name), ADDRESS)
    # Four octets of length and qualifier after 4D, so that the counter stands at 0x0B (Q104423).
    inner = b"\x01" + out
    assert len(inner) < 1 << 24
    return b"\x4D\x83" + len(inner).to_bytes(3, "big") + inner


class Mai:
    def __init__(self, octets):
        whole = list(elements(octets))
        assert len(whole) == 1 and whole[0][0] == MESSAGE, "a MAI is one Message"
        self.octets = octets
        self.sender, self.to, self.cc, self.subject, self.text, self.priority, self.date = "", [], [], b"", b"", "", None
        self.bags, self.code_page, self.flags, self.attachments, self.message_id, self.message_class = None, None, 0, [], "", b""
        self.kinds, self.friendly = {}, {}
        plain = lambda s: s.split(b"\0")[0].decode("latin-1")
        for code, q, c in elements(whole[0][2]):
            if (code, q) == (VENDOR, BAGS):
                self.bags = numbers(c)[0]
            elif (code, q) == (VENDOR, CODE_PAGE):
                self.code_page = numbers(c)[0]
            elif (code, q) == (VENDOR, FLAGS):
                self.flags = numbers(c)[0]
            elif (code, q) == (VENDOR, ADDRESS):
                which, index, kind = numbers(c)
                self.kinds[LISTS[which], index], self.friendly[LISTS[which], index] = kind, strings(c)[0]
            elif (code, q) == (VENDOR, ATTACHMENTS):
                for _, _, one in elements(c):
                    n, s = numbers(one), strings(one)
                    self.attachments.append({"name": s[0], "id": s[1].decode(), "size": n[0], "position": n[1], "kind": n[2]})
            elif code == FIELD and q == FROM:
                self.sender = plain(strings(c)[0])
            elif code == FIELD and q in (TO, CC):
                (self.to if q == TO else self.cc).extend(map(plain, strings(c)))
            elif code == FIELD and q == SUBJECT:
                self.subject = b"".join(strings(c))
            elif code == FIELD and q == TEXT:
                self.text = b"".join(strings(c))
            elif code == FIELD and q == PRECEDENCE:
                self.priority = strings(c)[0].decode()
            elif code == FIELD and q == MESSAGE_ID:
                self.message_id = strings(c)[0].decode()
            elif code == FIELD and q == MESSAGE_CLASS:
                self.message_class = strings(c)[0]
            elif code == FIELD and q == POSTED:
                self.date = strings(first(c, DATE))[0].decode()


# --- a mailbag record (facts A5) ---

def record(sender, subject, when, ident, size):
    r = bytearray(RECORD)
    r[2:2 + len(sender[:10])] = sender[:10].encode()
    r[13:13 + len(subject[:40])] = subject[:40]
    struct.pack_into("<5H", r, 56, when.minute, when.hour, when.day, when.month, when.year)
    r[67:75] = ident.encode()
    struct.pack_into("<I", r, 78, size)
    struct.pack_into("<H", r, 88, 0x18)
    return bytes(r)


class Header:
    def __init__(self, slot, r):
        text = lambda at, n: r[at:at + n].split(b"\0")[0]
        self.slot, self.sender, self.subject, self.mai = slot, text(2, 11).decode("latin-1"), text(13, 41), text(67, 9).decode()
        self.minute, self.hour, self.day, self.month, self.year = struct.unpack_from("<5H", r, 56)
        self.size = struct.unpack_from("<I", r, 78)[0]


class Postoffice:
    def __init__(self, path):
        self.path = path
        master = self.read("GLB", "MASTER.GLB")
        assert len(master) == 176, "MASTER.GLB has 176 octets"

    def file(self, *names):
        """The path of what may be written in any case."""
        path = self.path
        for name in names:
            here = os.path.join(path, name)
            if not os.path.exists(here):
                for other in os.listdir(path):
                    if other.upper() == name.upper():
                        here = os.path.join(path, other)
            path = here
        return path

    def read(self, *names):
        with open(self.file(*names), "rb") as f:
            return f.read()

    def mai_path(self, ident):
        return self.file("MAI", "MA" + ident[-1], ident + ".MAI")

    def att_path(self, ident):
        return self.file("ATT", "AT" + ident[-1], ident + ".ATT")

    def new_id(self):
        """The counter nletter, as A3 says."""
        with open(self.file("GLB", "CONTROL.GLB"), "r+b") as f:
            fcntl.lockf(f, fcntl.LOCK_EX)
            bags, letters = struct.unpack("<2I", f.read(8))
            f.seek(0)
            f.write(struct.pack("<2I", bags, letters + 1))
            f.flush()
        return "%08X" % letters

    # --- who lives where ---

    def users(self):
        """mailbox name -> mailbag; the places in ACCESS2 are Posthorn's choice."""
        b, found = self.read("GLB", "ACCESS2.GLB"), {}
        for at in range(0, len(b), ACCESS2):
            r = b[at:at + ACCESS2]
            name, bag = r[1:12].split(b"\0")[0].decode(), r[12:21].split(b"\0")[0].decode()
            if r[0] == 1 and bag:
                found[name.strip()] = bag
        return found

    def networks(self):
        b = self.read("GLB", "NETWORK.GLB")
        assert len(b) % NETWORK == 0
        for at in range(0, len(b), NETWORK):
            r = b[at:at + NETWORK]
            if r[0] == 1:
                yield {"type": r[1], "name": r[2:13].split(b"\0")[0].decode().strip(), "xtn": r[0x0D:0x16].split(b"\0")[0].decode().strip(),
                       "mailbag": r[0x21:0x2A].split(b"\0")[0].decode().strip()}

    def externals(self):
        """NETWORK/POSTOFFICE -> outbound mailbag here."""
        found = {}
        for n in self.networks():
            if not n["xtn"]:
                found[n["name"]] = n["mailbag"]
                continue
            b = self.read("XTN", n["xtn"] + ".XTN")
            for at in range(0, len(b), XTN):
                r = b[at:at + XTN]
                if r[0] == 1:
                    found[n["name"] + "/" + r[1:12].split(b"\0")[0].decode().strip()] = r[0x0C:0x15].split(b"\0")[0].decode().strip()
        return found

    # --- mailbags ---

    def bag(self, name):
        """Live records, by the bitmap of the KEY."""
        key, mbg = self.read("KEY", name + ".KEY"), self.read("MBG", name + ".MBG")
        assert len(key) == KEY and len(mbg) % RECORD == 0, "sizes of %s" % name
        return [Header(i, mbg[i * RECORD:(i + 1) * RECORD]) for i in range(len(mbg) // RECORD) if key[KEY_HEADER + i // 8] >> (i % 8) & 1]

    def mailbox(self, user):
        return self.bag(self.users()[user])

    def mail(self, header):
        with open(self.mai_path(header.mai), "rb") as f:
            return Mai(f.read())

    def attachment(self, ident):
        with open(self.att_path(ident), "rb") as f:
            return f.read()

    def put_record(self, bag, octets):
        """Under the KEY's byte-range lock, into the first slot that is free."""
        with open(self.file("KEY", bag + ".KEY"), "r+b") as k:
            fcntl.lockf(k, fcntl.LOCK_EX)
            key = bytearray(k.read())
            path = self.file("MBG", bag + ".MBG")
            n = os.path.getsize(path) // RECORD
            slot = next((i for i in range(n) if not key[KEY_HEADER + i // 8] >> (i % 8) & 1), n)
            with open(path, "r+b") as m:
                m.seek(slot * RECORD)
                m.write(octets)
            key[KEY_HEADER + slot // 8] |= 1 << (slot % 8)
            for at in (0, 2):
                struct.pack_into("<H", key, at, struct.unpack_from("<H", key, at)[0] + 1)
            k.seek(0)
            k.write(key)

    def delete(self, bag, header):
        """As a client does: the bit goes, the counter goes down, at zero the files go."""
        with open(self.file("KEY", bag + ".KEY"), "r+b") as k:
            fcntl.lockf(k, fcntl.LOCK_EX)
            key = bytearray(k.read())
            key[KEY_HEADER + header.slot // 8] &= ~(1 << (header.slot % 8)) & 0xFF
            for at in (0, 2):
                struct.pack_into("<H", key, at, max(0, struct.unpack_from("<H", key, at)[0] - 1))
            k.seek(0)
            k.write(key)
        message, path = self.mail(header), self.mai_path(header.mai)
        if message.bags > 1:
            with open(path, "r+b") as f:
                f.seek(0x0B)
                f.write(struct.pack("<H", message.bags - 1))
            return
        for a in message.attachments:
            os.unlink(self.att_path(a["id"]))
        os.unlink(path)

    def send(self, sender, to, subject, text, cc=(), attachments=(), own=None, **more):
        """Step 1 of A9. to: NET/PO/MBX; own: NET/PO of this postoffice. Returns the MAI's id."""
        when = more.pop("when", None) or datetime.datetime(2026, 11, 22, 12, 0, 0)
        users, externals, bags = self.users(), self.externals(), []
        for address in list(to) + list(cc):
            net, po, box = (address.split("/") + ["", ""])[:3]
            if own and (net + "/" + po).upper() == own.upper():
                bag = users.get(box)
            else:
                bag = externals.get(net + "/" + po) or externals.get(net)
            assert bag, "no mailbag for %s: %s %s" % (address, users, externals)
            if bag not in bags:
                bags.append(bag)
        named = []
        for name, octets in attachments:
            ident = self.new_id()
            with open(os.path.join(self.file("ATT", "AT" + ident[-1]), ident + ".ATT"), "xb") as f:
                f.write(octets)
            named.append((name.encode("latin-1"), ident, len(octets), 0xFFFFFFFF))
        ident = self.new_id()
        octets = mai((own or "NET/PO") + "/" + sender, to, subject.encode("latin-1"), text, cc=cc, when=when, attachments=named, bags=len(bags), **more)
        with open(os.path.join(self.file("MAI", "MA" + ident[-1]), ident + ".MAI"), "xb") as f:
            f.write(octets)
        for bag in bags:
            self.put_record(bag, record(sender, subject.encode("latin-1"), when, ident, len(octets)))
        return ident

    def leftovers(self):
        """Names of MAI, ATT and P1 files that lie here; a mover's journal that is empty is none."""
        found = []
        for top in ("MAI", "ATT", "P1"):
            for folder, _, names in os.walk(self.file(top)):
                for name in names:
                    kept = name.upper().startswith("POPULATE") or (name.upper().endswith(".0JN") and os.path.getsize(os.path.join(folder, name)) == 0)
                    found += [] if kept else [os.path.join(os.path.basename(folder), name)]
        return sorted(found)
