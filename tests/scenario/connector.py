#!/usr/bin/env python3
"""A link that a program of its own serves (docs/connector.md): the one of examples/, well and ill."""
import glob
import json
import os
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples"))
import posthorn_wire as wire  # noqa: E402
from posthorn import PATIENCE_S, WATCHDOG, expect, is_sanitized, main, same, source, wait_for  # noqa: E402

FOLDER = "C=IT; A=POSTHORN; P=FOLDER"
LONG = 150 * 1000
STRIDE = 5 if is_sanitized(sys.argv[1]) else 1
HANGS = [1, 5, 9, 12, 15, 17, 19, 21, 23, 26, 29, 33, 37, 41][::STRIDE]  # steps at which it hangs: each takes two watchdogs


def to(surname):
    return "S=%s; P=FOLDER; A=POSTHORN; C=IT" % surname


class Program:
    """The connector of examples/, or one that does something wrong at a step."""

    def __init__(self, mta, *more):
        self.mta, self.more = mta, more
        self.folder = os.path.join(mta.lab.root, "folder")
        self.mark = os.path.join(mta.lab.root, "mark")
        self.process = None
        for name in ("inbox", "outbox", "done", "failed"):
            os.makedirs(os.path.join(self.folder, name), exist_ok=True)
        mta.lab.closers.append(self.stop)

    def start(self, action=None, n=0, seed=0):
        script = [source("examples", "connector.py")] if action is None else [
            source("tests", "lib", "stepper.py"), action, str(n), str(seed), self.mark]
        self.process = subprocess.Popen([sys.executable, *script, "--socket", os.path.join(self.mta.directory, "connect"), "--link", "folder",
                                         "--folder", self.folder, "--domain", FOLDER, *self.more],
                                        stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return self

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def died(self):
        return self.process.poll() is not None

    def acted(self):
        """What the step was, when it was reached."""
        if not os.path.exists(self.mark):
            return None
        with open(self.mark, encoding="ascii") as f:
            return f.read()

    def forget(self):
        if os.path.exists(self.mark):
            os.unlink(self.mark)

    def put(self, name, **fields):
        path = os.path.join(self.folder, "inbox", name)
        with open(path + ".new", "w", encoding="ascii") as f:
            json.dump(fields, f)
        os.rename(path + ".new", path + ".json")

    def outbox(self):
        found = []
        for path in sorted(glob.glob(os.path.join(self.folder, "outbox", "*.json"))):
            with open(path, encoding="ascii") as f:
                found.append({**json.load(f), "path": path[:-5]})
        return found

    def wait_outbox(self, n, patience=PATIENCE_S):
        wait_for(lambda: len(self.outbox()) >= n, "%d messages in outbox, there are %d" % (n, len(self.outbox())), patience, 0.02)
        same(len(self.outbox()), n, "messages in outbox")
        return self.outbox()

    def wait_done(self, n, patience=PATIENCE_S):
        done = os.path.join(self.folder, "done")
        wait_for(lambda: len(os.listdir(done)) >= n, "%d files in done" % n, patience, 0.02)
        same(len(os.listdir(done)), n, "files in done")


def hub(lab, **more):
    london = lab.mta("london", "GB")
    london.alice = london.mailbox("alice", "Archer")
    london.settings["links"].append({"name": "folder", "kind": "connector", "transfer-interval": "100 ms", "open-interval": "100 ms", **more})
    london.settings["routes"].append({"match": FOLDER, "to": "folder"})
    return london, Program(london, "--refuse", "Nobody")


def content_of(message):
    with open(message["path"] + ".content", "rb") as f:
        return f.read()


def messages_both_ways(lab):
    london, program = hub(lab)
    london.start()
    program.start()
    sent = london.send("alice", to("Ada"), "--subject", "Out", "hello")
    out = program.wait_outbox(1)[0]
    same((out["kind"], out["originator"], out["recipients"][0]["address"], out["recipients"][0]["for-us"]),
         ("message", london.alice, to("Ada"), True), "what the program got")
    expect(b"hello" in content_of(out), "its content", content_of(out))
    program.put("first", originator=to("Ada"), recipients=[london.alice], subject="In", text="good day")
    entry = london.wait_mail("alice", 1)[0]
    shown = london.show("alice", entry["delivery"])
    expect("good day" in json.dumps(shown) and to("Ada") in json.dumps(entry), "shown", shown, entry)
    program.wait_done(1)
    london.wait_empty()
    link = london.status()[0]["folder"]
    same((link["state"], link["sent"], link["received"]), ("open", 1, 1), "status")
    expect("transfer-out" in london.steps(sent), "its journey", london.steps(sent))
    return "one each way"


def five_megabytes_both_ways(lab):
    london, program = hub(lab)
    london.start()
    program.start()
    big = os.urandom(5 * 1024 * 1024)
    london.send("alice", to("Ada"), "--subject", "Big", "--file", lab.file("big", big))
    out = program.wait_outbox(1)[0]
    expect(big in content_of(out), "all octets are there, in order", len(content_of(out)))
    text = "".join("line %d of many\r\n" % i for i in range(300000))
    program.put("big", originator=to("Ada"), recipients=[london.alice], subject="Big", text=text)
    entry = london.wait_mail("alice", 1)[0]
    expect(int(entry["size"]) > len(text), "its size", entry)
    return "%d and %d octets" % (len(big), len(text))


def k151791_refused_recipients_are_reported(lab):
    """One of three is refused by the program, one has no route: two reports, the third recipient's copy is there."""
    london, program = hub(lab)
    london.start()
    program.start()
    london.send("alice", [to("Ada"), to("Nobody"), "S=Lost; A=NOWHERE; C=DE"], "--subject", "To three", "hello")
    out = program.wait_outbox(1)[0]
    same([r["address"] for r in out["recipients"] if r["for-us"]], [to("Ada"), to("Nobody")], "whom the transfer is for")
    reports = [london.show("alice", e["delivery"]) for e in london.wait_mail("alice", 2)]
    failed = sorted(f["value"].split(":")[0] for r in reports for f in r["fields"] if f["label"] == "not-delivered")
    expect(len(failed) == 2 and "Lost" in failed[0] + failed[1] and "Nobody" in failed[0] + failed[1], "one report for each", failed)
    mark = london.mark()
    london.send("alice", to("Nobody"), "--subject", "To one", "hello")
    london.wait_mail("alice", 3)  # the result of the whole transfer was permanent: the switch reports
    london.event("message.not-delivered", mark)
    same(len(program.outbox()), 1, "messages in outbox")
    program.put("bad", originator=to("Ada"), recipients=["S=No; P=ONE; A=POSTHORN; C=FR"], subject="In", text="x")
    report = [m for m in program.wait_outbox(2) if m["kind"] == "report"][0]
    same((report["recipients"][0]["delivered"], report["originator"]), (False, to("Ada")), "the report that the program got")
    london.wait_empty()
    return "by the program, by the switch, and to the program"


def outcomes(london, entry):
    """[(label, value)] of the recipients in a report."""
    return sorted((f["label"], f["value"]) for f in london.show("alice", entry["delivery"])["fields"] if f["label"] in ("delivered", "not-delivered"))


def rp_11_delivery_is_reported_by_the_gateway(lab):
    """RP-11: that it was handed over is no delivery. The report comes from the gateway, when the message is in its folder, and says so;
    without a wish for it there is none."""
    london, program = hub(lab)
    london.start()
    program.start()
    sent = london.send("alice", [to("Ada"), to("Nobody")], "--report", "delivery", "hello")
    program.wait_outbox(1)
    entry = london.wait_mail("alice", 1)[0]
    expect(entry["id"].startswith("C=IT;A=POSTHORN;P=FOLDER;"), "whose report it is", entry)
    (good, ada), (bad, nobody) = outcomes(london, entry)
    same((good, bad), ("delivered", "not-delivered"), "outcomes")
    expect("S=Ada" in ada and "delivered by gateway" in ada and "S=Nobody" in nobody, "who, and by whom", ada, nobody)
    expect("report-made" not in london.steps(sent) and "transfer-out" in london.steps(sent), "the switch makes none", london.steps(sent))
    london.send("alice", to("Ada"), "not asked")
    program.wait_outbox(2)
    london.wait_empty()
    program.wait_done(1)
    same(len(london.mail("alice")), 1, "reports")
    return "one report, by the gateway"


def rp_20_probes_are_answered_by_the_gateway(lab):
    """RP-20: the gateway answers, its supplementary information says so, nothing is delivered; while it is away the probe waits."""
    london, program = hub(lab)
    london.start()
    sent = london.send("alice", [to("Ada"), to("Nobody")], "--probe")
    same((london.status()[0]["folder"]["state"], len(london.rows("queue")), london.mail("alice")), ("no connector", 1, []), "while nobody serves")
    program.start()
    (_, ada), (bad, nobody) = outcomes(london, london.wait_mail("alice", 1)[0])
    expect("S=Ada" in ada and "probe answered by gateway" in ada, "who could have it", ada)
    same(bad, "not-delivered", "outcome of the one who is refused")
    expect("S=Nobody" in nobody and "report-made" not in london.steps(sent), "by the gateway", nobody, london.steps(sent))
    london.wait_empty()
    same((program.outbox(), os.listdir(os.path.join(program.folder, "outbox"))), ([], []), "what lies in the folder")
    return "answered, nothing delivered"


def what_is_wrong_goes_to_failed(lab):
    london, program = hub(lab)
    london.start()
    program.start()
    program.put("no-address", originator=to("Ada"), recipients=["nonsense"], text="x")
    program.put("no-recipient", originator=to("Ada"), recipients=[], text="x")
    program.put("no-text", originator=to("Ada"), recipients=[london.alice], text=5)
    program.put("no-name", originator=5, recipients=[london.alice], text="x")
    os.mkdir(os.path.join(program.folder, "inbox", "a-folder.json"))
    program.put("right", originator=to("Ada"), recipients=[london.alice], text="x")
    failed = os.path.join(program.folder, "failed")
    wait_for(lambda: len(os.listdir(failed)) == 8, "four files and why", step=0.05)
    wait_for(lambda: os.listdir(os.path.join(program.folder, "done")) == ["right.json"], "the right one", step=0.05)
    expect(not program.died(), "the program lives")
    with open(os.path.join(failed, "no-recipient.json.why"), encoding="ascii") as f:
        expect("none that this MTA becomes responsible for" in f.read(), "the switch says why")
    same(london.find("connector.nonsense"), None, "one bad message is that message's")
    return "refused for good, the channel lives"


def k164177_nobody_serves(lab):
    london, program = hub(lab)
    london.start()
    london.send("alice", to("Ada"), "hello")
    link = london.status()[0]["folder"]
    same((link["state"], link["queued"]), ("no connector", 1), "status")
    event = london.event("connector.missed", link="folder")
    same(event["severity"], "warning", "severity")
    program.start()
    program.wait_outbox(1)
    return "shown, told, and handed over when it came"


def k151473_killed_and_replaced(lab):
    """It is killed again and again while messages cross: each arrives once."""
    london, program = hub(lab)
    london.start()
    n = 0
    for i in range(6):
        program.start()
        for _ in range(5):
            london.send("alice", to("Ada"), "--subject", "Number %d" % n, "hello")
            program.put("n%d" % n, originator=to("Ada"), recipients=[london.alice], subject="Number %d" % n, text="hello")
            n += 1
        program.stop()
    program.start()
    program.wait_outbox(n)
    london.wait_mail("alice", n)
    program.wait_done(n)
    london.wait_empty()
    same(len({m["id"] for m in program.outbox()}), n, "different messages")
    return "%d each way over %d lives" % (n, i + 2)


def one_round(london, program, n):
    london.send("alice", to("Ada"), "--subject", "Out %d" % n, "--file", london.lab.file("part", os.urandom(LONG)))
    program.put("in%d" % n, originator=to("Ada"), recipients=[london.alice], subject="In %d" % n, text="x" * LONG)


def is_round_over(program, n):
    return len(program.outbox()) >= n and len(os.listdir(os.path.join(program.folder, "done"))) >= n


def check_rounds(london, program, n):
    program.wait_outbox(n)
    program.wait_done(n)
    london.wait_mail("alice", n)
    london.wait_empty()
    same(len({m["id"] for m in program.outbox()}), n, "different messages")
    same(london.rows("quarantine", "list"), [], "quarantine")


def loop_over_steps(lab, action, steps, seed=0, beside=None, **settings):
    """A message each way while the program does it at step n; then a well one, or the same, ends the round. Gives the names of the steps.
    beside(london, n): meanwhile."""
    london, program = hub(lab)
    london.bob = london.mailbox("bob", "Baker")
    london.settings["processes"].update(settings)
    london.start()
    seen, n = [], 0
    for step in steps:
        program.forget()
        n += 1
        one_round(london, program, n)
        program.start(action, step, seed)
        wait_for(lambda: program.acted() or is_round_over(program, n), "step %s, or the end of the round" % step, step=0.01)
        if program.acted():
            seen.append(program.acted())
            if action == "kill":
                wait_for(program.died, "killed at step %s" % step, step=0.01)
            if beside is not None:
                beside(london, len(seen))
        if action != "nonsense" and program.acted():
            hung = program.process
            program.start()
            wait_for(lambda: is_round_over(program, n), "a message each way after " + seen[-1], step=0.02)
            hung.kill()
            hung.wait()
        wait_for(lambda: is_round_over(program, n), "a message each way, step %s: %s" % (step, program.acted()), step=0.02)
        over = not program.acted()
        london.wait_empty()  # its result has arrived too
        program.stop()
        if over:
            break
    check_rounds(london, program, n)
    return london, seen


def killed_at_every_step(lab):
    """kill -9 before and after each frame that it sends or handles: nothing is lost, nothing comes twice, nothing is struck."""
    names = ["TRANSFER_RESULT", "OFFER_END", "OFFER_ANSWER", "TRANSFER_DATA", "REGISTERED", "ASSOC_UP"]
    london, seen = loop_over_steps(lab, "kill", names + list(range(1, 1000, STRIDE)))  # which has which number is not the same each time
    same([s.split(":")[0] for s in seen[:len(names)]], names, "frames")
    expect(len(seen) > len(names) + 40 // STRIDE, "steps", seen)
    same([e for e in london.events if e["event"] in ("message.struck", "process.fault", "process.hung")], [], "strikes, faults")
    return "%d steps" % len(seen)


def nonsense_at_every_step(lab):
    """A frame that makes no sense before or after each frame of it: the channel is ended, the switch lives, nothing is lost or doubled."""
    seed = int(os.environ.get("POSTHORN_SEED", 1))   # `make system` takes another each time
    print("     nonsense of POSTHORN_SEED=%d" % seed, flush=True)
    london, seen = loop_over_steps(lab, "nonsense", range(1, 1000, STRIDE), seed)
    expect(len(seen) > 40 // STRIDE, "steps", seen)
    same([e for e in london.events if e["event"] in ("process.fault", "process.hung", "process.ended")], [], "faults")
    expect(london.find("connector.nonsense") is not None, "told")
    return "%d steps" % len(seen)


def hanging_at_every_step(lab):
    """It does nothing any more: the switch ends its channel, other mail goes on meanwhile, a successor does the rest."""
    def more_traffic(london, n):
        london.send("alice", london.bob, "--subject", "Beside %d" % n, "hello")
        london.wait_mail("bob", n)
    london, seen = loop_over_steps(lab, "hang", HANGS, beside=more_traffic, watchdog=WATCHDOG)
    same([e for e in london.events if e["event"] in ("process.fault", "process.hung")], [], "faults of our own")
    hung = [e for e in london.events if e["event"] == "connector.hung"]
    expect(len(hung) >= 5 // STRIDE, "hung while something was in hand", len(hung), seen)
    return "%d steps, ended by the watchdog at %d" % (len(seen), len(hung))


def poison_ends_in_quarantine(lab):
    """A message that kills the program each time: alone, then quarantine and a report; the others are handed over."""
    london, program = hub(lab)
    london.start()
    urgent = london.send("alice", to("Ada"), "--subject", "Poison", "--priority", "urgent", "hello")
    for i in range(4):
        london.send("alice", to("Ada"), "--subject", "Good %d" % i, "hello")
    deaths = 0

    def is_over():
        """The results too have arrived."""
        return len(program.outbox()) == 4 and london.find("message.quarantined") and not london.rows("queue")
    while not is_over():
        expect(deaths < 12, "an end")
        program.start("poison", 0, 2)
        wait_for(lambda: program.died() or is_over(), "a death, or the end")
        deaths += program.died()
        program.stop()
    rows = london.rows("quarantine", "list")
    same(len(rows), 1, "in quarantine")
    london.wait_mail("alice", 1)
    expect("quarantined" in london.steps(urgent), "its journey", london.steps(urgent))
    return "%d deaths, then quarantined and reported; 4 others handed over" % deaths


def other_links_go_on(lab):
    """While the program talks nonsense as fast as it can, two MTAs switch mail."""
    london, program = hub(lab)
    paris = lab.mta("paris", "FR")
    claude = paris.mailbox("claude", "Colin")
    london.link(paris)
    paris.link(london)
    paris.start(wait=False)
    london.start()
    paris.event("supervisor.up")
    began = time.monotonic()
    bad = 0
    for i in range(20):
        london.send("alice", claude, "--subject", "Number %d" % i, "hello")
        for _ in range(5):
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(os.path.join(london.directory, "connect"))
                s.sendall(wire.frame("HELLO", {"version": 1, "kind": 8}) + wire.frame("REGISTER", {"link": b"folder", "token": i}) + os.urandom(30))
                bad += 1
    paris.wait_mail("claude", 20)
    same([e for e in london.events if e["event"] in ("process.fault", "process.hung", "process.ended")], [], "faults")
    expect(len([e for e in london.events if e["event"] == "connector.refused"]) <= 100, "no storm of events")
    program.start()
    london.send("alice", to("Ada"), "hello")
    program.wait_outbox(1)
    return "20 messages beside %d bad registrations in %.1f s" % (bad, time.monotonic() - began)


def the_switch_is_killed(lab):
    """The other way round: the program comes again by itself, and nothing is lost or doubled."""
    london, program = hub(lab)
    london.start()
    program.start()
    n = 0
    for _ in range(3):
        for _ in range(4):
            n += 1
            program.put("in%d" % n, originator=to("Ada"), recipients=[london.alice], subject="In %d" % n, text="x" * LONG)
            london.send("alice", to("Ada"), "--subject", "Out %d" % n, "hello")
        mark = london.mark()
        os.kill(london.pids()["switch.0"], signal.SIGKILL)
        london.event("store.open", mark)
    program.wait_done(n)
    program.wait_outbox(n)
    london.wait_mail("alice", n)
    london.wait_empty()
    same(len({m["id"] for m in program.outbox()}), n, "different messages")
    return "%d each way over %d deaths of the switch" % (n, 3)


def documented_frames():
    """The example session of docs/connector.md: (from the connector, bulk, name, octets)."""
    with open(source("docs", "connector.md"), encoding="utf-8") as f:
        text = f.read().split("<!-- session -->")[1].split("<!-- session: end -->")[0]
    frames = []
    for line in text.splitlines():
        words = line.split()
        if words and words[0] in "<>":
            frames.append([words[0] == ">", words[1] == "bulk", words[2], b""])
        elif words:
            frames[-1][3] += bytes.fromhex("".join(words))
    return frames


def documented_session(lab):
    """The octets of the example session, said to a switch: it answers with the same octets, but for what is new each time."""
    london, _ = hub(lab)
    london.start()
    streams = [socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)]
    for s in streams:
        s.settimeout(PATIENCE_S)
        s.connect(os.path.join(london.directory, "connect"))
        lab.closers.append(s.close)
    frames = documented_frames()
    same(len(frames), 14, "frames")
    for ours, bulk, name, octets in frames:
        buffer = bytearray(octets)
        same(wire.next_frame(buffer)[0], name, "name of a frame")
        fields = wire.next_frame(bytearray(octets))[1]
        same((len(buffer), wire.frame(name, fields)), (0, octets), "read and written again")
        if "packed" in fields:
            same(wire.pack(wire.unpack(fields["packed"])), fields["packed"], "packed again")
        if name == "ASSOC_OPEN":
            london.send("alice", to("Ada"), "--subject", "Re", "hello")
        if ours:
            streams[bulk].sendall(octets)
            continue
        heard = b""
        while len(heard) < 6 or len(heard) < 4 + int.from_bytes(heard[:4], "big"):
            heard += streams[bulk].recv(6 - len(heard) if len(heard) < 6 else 4 + int.from_bytes(heard[:4], "big") - len(heard))
        if name == "TRANSFER":  # its type, number and association; the message has times and names of its own
            heard, octets = heard[4:22], octets[4:22]
        same(heard.hex(), octets.hex(), name)
    london.wait_empty()
    london.wait_mail("alice", 1)
    for s in streams:
        s.close()
    return "14 frames"


def mistakes_in_settings(lab):
    for text, wanted in (("kind: connector\n    address: \"127.0.0.1:102\"", "found \"address\", want none"), ("kind: connector\n    remote-password: x", "remote-password"),
                         ("kind: conector", "conector"), ("address: \"127.0.0.1:102\"", "remote-mta-name")):
        path = lab.file("bad.yaml", ("mta:\n  name: a\n  domain: \"C=GB; A=B\"\nstore:\n  directory: x\nlinks:\n  - name: folder\n    %s\n"
                                     % text).encode())
        lab.command("check-config", path, status=78)
        expect(wanted in lab.last_error, "check-config names the mistake", lab.last_error)
    lab.command("check-config", source("conf", "connector.yaml"))
    return "named"


if __name__ == "__main__":
    main(documented_session, messages_both_ways, five_megabytes_both_ways, k151791_refused_recipients_are_reported, what_is_wrong_goes_to_failed, k164177_nobody_serves,
         k151473_killed_and_replaced, killed_at_every_step, nonsense_at_every_step, hanging_at_every_step, poison_ends_in_quarantine,
         other_links_go_on, the_switch_is_killed, mistakes_in_settings, rp_11_delivery_is_reported_by_the_gateway,
         rp_20_probes_are_answered_by_the_gateway)
