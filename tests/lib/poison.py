"""poison.py - good messages with poisonous ones among them, sent over X.400 to a relay that converts each for the next site.

Poison is what a fault plan kills by: the plan looks at the octets for a mark. Four kinds, in turn: the decoder of the link dies of
it, the content process hangs at it, eats all memory at it, fails at it the same way each time."""
import os, queue, sqlite3, threading, time

import peer
from posthorn import Failed, Lab, expect, wait_for

KINDS = ["DECODE", "HANG", "EAT", "FAIL"]
PLAN = "LINK_DECODE:@POISON-DECODE:abort,CONTENT_CONVERT:@POISON-HANG:hang,CONTENT_CONVERT:@POISON-EAT:eat,CONTENT_CONVERT:@POISON-FAIL:fail"
ORIGIN = ("GB", "POSTHORN", "LOAD")
LINE = "Every line of this text is longer than the columns that the next site wants, so that it is wrapped on its way there. " * 2 + "\n"
PATIENCE_S = 120


def apdus(good, poison, lines):
    """The messages in the order in which they are sent, poison spread evenly; each with its kind, empty for a good one."""
    text = LINE * lines
    to = [peer.orname("JP", "POSTHORN", "TOKYO", "Taro", "Tanaka")]
    out, every = [], good // poison if poison else good + 1
    for i in range(good):
        out.append(("", peer.mts_apdu("good-%05d" % i, ORIGIN, to, peer.ipm("good", text))))
        if poison and i % every == every // 2 and i // every < poison:
            n = i // every
            mark = "POISON-" + KINDS[n % len(KINDS)]
            out.append((mark, peer.mts_apdu("%s-%d" % (mark, n), ORIGIN, to, peer.ipm("poison", text + mark + "\n" + text))))
    return out


class Sender(threading.Thread):
    """One association: the next message when the last is confirmed; what was not confirmed is sent again."""

    def __init__(self, port, todo):
        super().__init__(daemon=True)
        self.port, self.todo, self.broken, self.stop = port, todo, 0, False

    def run(self):
        p, n = None, 0
        while not self.stop:
            try:
                apdu = self.todo.get_nowait()
            except queue.Empty:
                break
            while not self.stop:
                try:
                    if p is None:
                        p, n = peer.Peer.dial(self.port).bound("load", "secret-load"), 0
                    n += 1
                    if peer.is_accepted(p.transfer(apdu, n)):
                        break
                    raise Failed("refused")
                except (OSError, peer.Ended, Failed, IndexError):
                    self.broken += 1
                    if p is not None:
                        p.close()
                    p = None
                    time.sleep(0.01)
        if p is not None:
            p.close()


class Relay:
    """The site that converts, and the one that it hands to."""

    def __init__(self, lab, plan):
        self.far = lab.mta("tokyo", "JP")
        self.near = lab.mta("paris", "FR")
        self.far.settings["mailboxes"].append({"name": "taro", "addresses": ["G=Taro; S=Tanaka; O=Office; P=TOKYO; A=POSTHORN; C=JP"]})
        self.far.link(self.near)
        self.near.link(self.far, wrap=72, threshold=1)
        self.near.settings["links"].append({"name": "load", "remote-mta-name": "load", "remote-password": "secret-load"})
        self.near.settings["routes"].append({"match": "C=GB; A=POSTHORN; P=LOAD", "to": "local"})
        self.near.settings["mailboxes"].append({"name": "load", "addresses": ["G=Raw; S=Peer; O=Office; P=LOAD; A=POSTHORN; C=GB"]})
        self.near.settings["processes"] = {"links": 2, "contents": 8, "restart-min": "10 ms", "content-time": "300 ms", "content-memory": "96 M"}
        self.plan = plan
        self.far.start()
        self.start()

    def start(self):
        before = self.near.mark()
        os.environ["POSTHORN_FAULT_ALWAYS"] = self.plan
        try:
            self.near.start(wait=False)
        finally:
            del os.environ["POSTHORN_FAULT_ALWAYS"]
        self.near.event("supervisor.up", after=before)

    def kill_and_start(self):
        """All its processes at once, as a power cut would."""
        self.near.process.kill()  # its children die with it
        self.near.process.wait()
        self.near.process = None
        for _ in range(100):  # the address and the directory are theirs until they are gone
            try:
                self.start()
                return
            except Failed:
                expect(self.near.process.wait() in (69, 75), "it ends because the address or the directory is in use")
                time.sleep(0.05)
        raise Failed("paris does not start again")

    @staticmethod
    def ask(mta, question):
        with sqlite3.connect("file:%s/store.db?mode=ro" % mta.directory, uri=True, timeout=30) as db:
            return db.execute(question).fetchall()

    def delivered(self):
        return [r[0] for r in self.ask(self.far, "select m.mts_id from delivery d join message m on m.id = d.message where d.mailbox = 'taro'")]

    def quarantined(self):
        return [r for r in self.ask(self.near, "select q.octets, m.mts_id, q.cause from quarantine q join message m on m.id = q.message where q.state = 0")]

    def reports(self):
        return self.ask(self.near, "select count(*) from delivery where mailbox = 'load'")[0][0]

    def waiting(self):
        return self.ask(self.near, "select count(*) from transfer")[0][0]


def run(program, good, poison, restart=False, senders=8, lines=8):
    """Sends all of it; gives what came of it. Fails when a good message is lost or comes twice, or a poisonous one gets through."""
    lab, failed = Lab(program), True
    try:
        relay, todo = Relay(lab, PLAN), queue.Queue()
        messages = apdus(good, poison, lines)
        for _, apdu in messages:
            todo.put(apdu)
        began = time.monotonic()
        threads = [Sender(relay.near.port, todo) for _ in range(senders)]
        for t in threads:
            t.start()
        if restart:
            wait_for(lambda: len(relay.delivered()) >= good // 2, "half of the good messages", PATIENCE_S, 0.05)
            relay.kill_and_start()
        wait_for(lambda: len(relay.delivered()) >= good, "all good messages", PATIENCE_S, 0.02)
        seconds = time.monotonic() - began
        wait_for(lambda: len(relay.quarantined()) >= poison, "all poison in quarantine", PATIENCE_S, 0.1)
        wait_for(lambda: relay.waiting() == 0, "an empty queue", PATIENCE_S, 0.1)
        for t in threads:
            t.join(PATIENCE_S)
        got, kept = relay.delivered(), relay.quarantined()
        octets = sum(1 for q in kept if q[0])
        expect(len(got) == good and len(set(got)) == good, "each good message in the mailbox once", len(got), len(set(got)))
        expect(not any("POISON" in i for i in got), "no poison in the mailbox")
        expect(len(kept) == poison, "%d in quarantine" % poison, kept)
        wait_for(lambda: relay.reports() >= poison - octets, "a report for each that was decoded", PATIENCE_S, 0.1)
        expect(relay.reports() == poison - octets, "a report for each that was decoded, and no other", relay.reports(), octets)
        faults = sum(1 for e in relay.near.events if e["event"] == "process.fault")
        alarms = sum(1 for e in relay.near.events if e["event"] == "message.octets-quarantined")
        failed = False
        return {"good": good, "poison": poison, "seconds": seconds, "msgs_per_s": good / seconds, "octets": octets, "reports": poison - octets,
                "alarms": alarms, "faults": faults, "broken": sum(t.broken for t in threads)}
    finally:
        lab.close(failed)
