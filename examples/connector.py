#!/usr/bin/env python3
"""connector.py - a connector for Posthorn in a few pages: it serves one link as a folder (docs/connector.md says how, examples/README.md what for).

    outbox/   what the MTA hands over: NAME.json, and its content as it is in NAME.content
    inbox/    what is put here as NAME.json goes to the MTA: {"originator": ADDRESS, "recipients": [ADDRESS], "subject": .., "text": ..}
    done/     what the MTA has taken
    failed/   what it refused for good, with NAME.why

It may be killed at any moment. A transfer that is handed over twice is written once, since its file is named after it; a file that is
offered twice is taken once, since its identifier and trace are the same each time."""
import argparse
import hashlib
import json
import os
import re
import secrets
import selectors
import socket
import sys
import time

import posthorn_wire as wire

LOOK_S = 0.3           # how often inbox/ is looked at
AGAIN_S = 5            # after a temporary refusal
WAIT_S = (0.2, 30)     # shortest and longest wait before connecting again


def say(text, *args):
    print("connector: " + text % args, file=sys.stderr, flush=True)


class Ended(Exception):
    """The channel is over; come again later."""


class Stream:
    """One of the two streams: what came and is not whole, what is not sent yet."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.socket.setblocking(False)
        self.received, self.unsent = bytearray(), bytearray()

    def read(self):
        try:
            octets = self.socket.recv(256 * 1024)
        except BlockingIOError:
            return
        if not octets:
            raise Ended("the switch has closed the channel")
        self.received += octets

    def write(self):
        try:
            del self.unsent[:self.socket.send(self.unsent)]
        except BlockingIOError:
            pass


def store_file(path, octets):
    """On disk, whole, under its name, before we say so."""
    with open(path + ".part", "wb") as f:
        f.write(octets)
        f.flush()
        os.fsync(f.fileno())
    os.rename(path + ".part", path)
    sync_folder(os.path.dirname(path))


def sync_folder(path):
    folder = os.open(path, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


class Handover:
    """A transfer that the switch has given us."""

    def __init__(self, fields, folder):
        self.number, self.assoc = fields["transfer"], fields["assoc"]
        self.size = self.left = self.to_ask = fields["content_size"]  # left: to come; to_ask: of that, not asked for yet
        self.message = wire.unpack(fields["packed"])
        mine = [str(r["number"]) for r in self.message["recipients"] if r["groups"] & 1]
        trace = ["%s %d" % (t["domain"], t["arrival"]) for t in self.message["trace"]]
        text = wire.id_text(self.message["id"])
        digest = hashlib.sha256("\n".join([text, *mine, *trace]).encode()).hexdigest()[:16]
        self.path = os.path.join(folder, "outbox", re.sub(r"[^A-Za-z0-9.-]", "_", text)[:80] + "." + digest)
        self.known = os.path.exists(self.path + ".json")
        self.file = None

    def close(self):
        if self.file is not None:
            self.file.close()

    def take(self, octets):
        if self.file is None:
            self.file = open(self.path + ".content.part", "wb")
        self.file.write(octets)
        self.left -= len(octets)

    def forget(self):
        """Of a probe nothing is kept."""
        self.close()
        os.unlink(self.path + ".content.part")

    def keep(self):
        """Durable; the .json, written last, is what says that it is whole."""
        if self.known:
            return
        self.file.flush()
        os.fsync(self.file.fileno())
        self.file.close()
        os.rename(self.path + ".content.part", self.path + ".content")
        m = self.message
        store_file(self.path + ".json", json.dumps({
            "id": wire.id_text(m["id"]), "kind": ("message", "report", "probe")[m["kind"]], "priority": wire.PRIORITIES[m["priority"]],
            "originator": wire.address_text(m["originator"]), "size": self.size, "content-type": m["content_type"],
            "about": wire.id_text(m["subject_id"]) if "subject_id" in m else None,
            "recipients": [{"address": wire.address_text(r["address"]), "for-us": bool(r["groups"] & 1),
                            "delivered": r["outcome"]["outcome"] == 0 if "outcome" in r else None} for r in m["recipients"]],
        }, indent=1).encode())


class Session:
    """From one registration to the end of the channel."""

    def __init__(self, options):
        self.options = options
        self.streams = [Stream(options.socket), Stream(options.socket)]  # control, bulk
        self.registered, self.busy = 0, False
        self.handovers, self.closing = {}, set()
        self.offers, self.next_offer, self.not_before = {}, 0, {}
        token = secrets.randbits(64)
        for bulk, stream in enumerate(self.streams):
            self.send("HELLO", stream, version=wire.VERSION, kind=wire.KIND_CONNECTOR)
            self.send("REGISTER", stream, link=options.link.encode(), bulk=bulk, token=token)

    def send(self, name, stream=None, **fields):
        bulk = wire.MESSAGES[name][1]
        (stream or self.streams[int(bool(bulk))]).unsent.extend(wire.frame(name, fields))

    def close(self):
        for h in self.handovers.values():
            h.close()
        for stream in self.streams:
            stream.socket.close()

    def run(self):
        while True:
            with selectors.DefaultSelector() as selector:
                for stream in self.streams:
                    selector.register(stream.socket, selectors.EVENT_READ | (selectors.EVENT_WRITE if stream.unsent else 0), stream)
                ready = selector.select(LOOK_S)
            for key, events in ready:
                if events & selectors.EVENT_WRITE:
                    key.data.write()
                if events & selectors.EVENT_READ:
                    key.data.read()
            for stream in self.streams:
                while (frame := wire.next_frame(stream.received)) is not None:
                    self.handle(*frame)
            if self.registered == 2 and not self.busy:
                self.look()

    def handle(self, name, fields):
        handler = getattr(self, "on_" + name.lower(), None)
        if handler is None:
            raise wire.Nonsense("%s is not for a connector" % name)
        handler(fields)

    # --- what the switch says ---

    def on_hello(self, fields):
        if fields["version"] != wire.VERSION:
            raise Ended("the switch speaks version %d, we %d" % (fields["version"], wire.VERSION))

    def on_registered(self, fields):
        if not fields["accepted"]:
            raise Ended("refused: " + fields["err"]["text"].decode("utf-8", "replace"))
        self.registered += 1
        if self.registered == 2:
            say("serves link %s", self.options.link)

    def on_alive(self, fields):
        self.send("ALIVE", id=fields["id"])

    def on_busy(self, fields):
        self.busy = bool(fields["busy"])

    def on_assoc_open(self, fields):
        """A folder is always reachable. One that is not: ASSOC_DOWN with an error, and the switch tries again later."""
        self.send("ASSOC_UP", assoc=fields["assoc"], link=fields["link"])

    def on_assoc_close(self, fields):
        self.closing.add(fields["id"])
        self.close_assocs()

    def close_assocs(self):
        for assoc in self.closing - {h.assoc for h in self.handovers.values()}:
            self.closing.remove(assoc)
            self.send("ASSOC_DOWN", assoc=assoc, link=self.options.link.encode(), was_open=1)

    def on_transfer(self, fields):
        h = self.handovers[fields["transfer"]] = Handover(fields, self.options.folder)
        if h.known or h.size == len(fields["content"]):
            self.content(h, fields["content"])
        else:
            self.pull(h)

    def pull(self, h):
        """At most wire.CREDIT octets are asked for and not here."""
        under_way = h.left - h.to_ask
        if h.to_ask > 0 and under_way <= wire.CREDIT // 2:
            n = min(wire.CREDIT - under_way, h.to_ask)
            h.to_ask -= n
            self.send("TRANSFER_PULL", id=h.number, n=n)

    def on_transfer_data(self, fields):
        h = self.handovers.get(fields["id"])
        if h is None:
            return
        if not fields["octets"]:
            self.result(h, wire.LOCAL, wire.OF_MESSAGE, "the switch cannot read the content")
            return
        self.content(h, fields["octets"])
        self.pull(h)

    def content(self, h, octets):
        try:
            if not h.known:
                h.take(octets)
            if h.known or h.left == 0:
                self.deliver(h)
        except OSError as e:
            self.result(h, wire.TEMP, wire.OF_LINK, str(e))

    def deliver(self, h):
        """All is here. A connector can refuse a transfer as a whole; one recipient of several it reports."""
        refused = [r for r in h.message["recipients"] if r["groups"] & 1 and self.is_refused(r)]
        others = [r for r in h.message["recipients"] if r["groups"] & 1 and not self.is_refused(r)]
        kind = h.message["kind"]
        if refused and not others and kind == wire.MESSAGE:
            self.result(h, wire.PERM, wire.OF_RECIPIENT, "no such folder", reason=1, diagnostic=0)
            return
        if kind == wire.PROBE:
            h.forget()
        else:
            h.keep()
        if kind != wire.REPORT:
            self.report(h, refused, [r for r in others if r["originator_report"] >= 2 or r["mta_report"] >= 2])
        self.result(h)

    def is_refused(self, r):
        return any(a["key"] >> 3 == wire.SURNAME and a["value"] == self.options.refuse.encode() for a in r["address"]["attributes"])

    def result(self, h, kind=wire.NONE, culprit=0, text="", reason=-1, diagnostic=-1):
        h.close()
        del self.handovers[h.number]
        self.send("TRANSFER_RESULT", transfer=h.number, delivered=int(kind == wire.NONE), err={
            "kind": kind, "culprit": culprit, "reason": reason, "diagnostic": diagnostic, "text": text.encode()[:199]})
        self.close_assocs()

    # --- what we bring ---

    def trace(self, at_ms):
        return [{"domain": wire.domain_of(self.options.domain), "arrival": at_ms}]

    def envelope(self, local, at_ms):
        return {"id": {"domain": wire.domain_of(self.options.domain), "local": local.encode()}, "trace": self.trace(at_ms),
                "priority": 1}

    def report(self, h, refused, arrived):
        """A report (X.411 8.3.1.2.1) about those whom we refuse, and those that are in the folder and whose sender wants to know; of a
        probe, those that could be. The switch makes none for what it has handed over. Kept as a file first: it is offered until it is taken."""
        m = h.message
        name = "report." + os.path.basename(h.path)[-16:]
        if not refused and not arrived or any(os.path.exists(os.path.join(self.options.folder, where, name + ".packed")) for where in ("inbox", "done")):
            return
        now = int(time.time()) * 1000
        arrival = {"arrival": [{"domain": wire.domain_of(self.options.domain), "arrival": now}]}
        answered = b"probe answered by gateway" if m["kind"] == wire.PROBE else b"delivered by gateway"
        rows = [{**r, "groups": r["groups"] & ~6 | 32, "outcome": {
            "outcome": 1, "type_of_user": 0xFFFFFFFF, "reason": 1, "diagnostic": 0, "supplementary": b"no such folder", **arrival}} for r in refused]
        rows += [{**r, "groups": r["groups"] & ~6 | 32, "outcome": {
            "outcome": 0, "delivered_at": now, "type_of_user": wire.OTHER_USER, "reason": -1, "diagnostic": -1, "supplementary": answered, **arrival}} for r in arrived]
        packed = wire.pack({**self.envelope(name, now), "kind": wire.REPORT, "groups": 4, "originator": m["originator"],
                            "content_type": m["content_type"], "content_type_oid": m["content_type_oid"], "content_id": m["content_id"],
                            "subject_id": m["id"], "recipients": rows})
        store_file(os.path.join(self.options.folder, "inbox", name + ".packed"), packed)

    def look(self):
        folder = os.path.join(self.options.folder, "inbox")
        under_way = {o["name"] for o in self.offers.values()}
        for name in sorted(os.listdir(folder)):
            if len(under_way) >= 8 or not name.endswith((".json", ".packed")):
                continue
            if name in under_way or self.not_before.get(name, 0) > time.monotonic():
                continue
            under_way.add(name)
            try:
                packed, content = self.compose(os.path.join(folder, name))
            except OSError as e:  # this one cannot be read now; the others can
                say("%s: %s", name, e)
                self.not_before[name] = time.monotonic() + AGAIN_S
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as e:
                self.put_away(name, "failed", "%s: %s" % (type(e).__name__, e))
            else:
                self.offer(name, packed, content)

    def compose(self, path):
        with open(path, "rb") as f:
            octets = f.read()
        if path.endswith(".packed"):
            return octets, b""
        given = json.loads(octets)
        local = hashlib.sha256(os.path.basename(path).encode() + octets).hexdigest()[:24]
        to = given["recipients"]
        rows = [{"groups": 1, "address": wire.address_of(r), "number": i + 1, "mta_report": 1, "originator_report": 1} for i, r in enumerate(to)]
        m = {**self.envelope(local, int(os.stat(path).st_mtime) * 1000), "kind": wire.MESSAGE, "content_type": 22, "recipients": rows,
             "originator": wire.address_of(given["originator"])}
        return wire.pack(m), wire.ipm(local, given.get("subject", ""), given.get("text", ""))

    def offer(self, name, packed, content):
        self.next_offer += 1
        fields = {"offer": self.next_offer, "link": self.options.link.encode(), "peer": b"folder", "packed": packed}
        o = self.offers[self.next_offer] = {"name": name, "left": memoryview(content), "total": len(content), "credit": wire.CREDIT}
        if len(content) <= wire.INLINE:
            self.send("OFFER", content=content, **fields)
            return
        self.send("OFFER_BEGIN", **fields)
        self.pump(self.next_offer, o)

    def pump(self, number, o):
        while o["left"] and o["credit"] > 0:
            piece = bytes(o["left"][:min(wire.PIECE, o["credit"])])
            self.send("OFFER_DATA", id=number, octets=piece)
            o["left"] = o["left"][len(piece):]
            o["credit"] -= len(piece)
            if not o["left"]:
                self.send("OFFER_END", id=number, n=o["total"])

    def on_offer_credit(self, fields):
        o = self.offers.get(fields["id"])
        if o is not None:
            o["credit"] += fields["n"]
            self.pump(fields["id"], o)

    def on_offer_answer(self, fields):
        o = self.offers.pop(fields["id"], None)
        if o is None:
            return
        if fields["accepted"]:
            self.put_away(o["name"], "done")
        elif fields["err"]["kind"] == wire.TEMP:
            self.not_before[o["name"]] = time.monotonic() + AGAIN_S
        else:
            self.put_away(o["name"], "failed", fields["err"]["text"].decode("utf-8", "replace"))

    def put_away(self, name, where, why=None):
        if why is not None:
            say("%s: %s", name, why)
            store_file(os.path.join(self.options.folder, where, name + ".why"), why.encode() + b"\n")
        os.rename(os.path.join(self.options.folder, "inbox", name), os.path.join(self.options.folder, where, name))


def parse(argv):
    p = argparse.ArgumentParser(description="Serves a link of kind connector as a folder.")
    p.add_argument("--socket", required=True, help="`connect` in the store's directory")
    p.add_argument("--link", required=True, help="name of the link in the settings")
    p.add_argument("--folder", required=True)
    p.add_argument("--domain", required=True, help="global domain of what lies in the folder, \"C=IT; A=POSTHORN; P=FOLDER\"")
    p.add_argument("--refuse", default="", help="surname of recipients that are refused")
    return p.parse_args(argv)


def main(argv, session=Session):
    options = parse(argv)
    for name in ("outbox", "inbox", "done", "failed"):
        os.makedirs(os.path.join(options.folder, name), exist_ok=True)
    wait = WAIT_S[0]
    while True:
        s = None
        try:
            s = session(options)
            s.run()
        except (OSError, Ended, wire.Nonsense) as e:
            say("%s", e)
        finally:
            if s is not None:
                wait = WAIT_S[0] if s.registered == 2 else min(2 * wait, WAIT_S[1])
                s.close()
        time.sleep(wait)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(0)
