"""Ten links, then 1, 3 and 9 of them stuck: blackholed, dribbling one octet a second, resetting, refusing. What do the healthy ones lose?

 a-K  offered load fixed at half of the measured capacity, and never less for the stuck ones
 b-K  flood: as fast as it is accepted
 c    20,000 messages wait for a dead link, then 400 come for a healthy one

healthy_ratio: the least, over healthy links and slices of 10 s, of messages that arrived to what that link had with none stuck.
healthy_mean: the least over healthy links, of the whole time.
Beside it Postfix, with as many stuck destinations and the same sinks of its own kind."""
import json, os, re, shutil, socket, struct, subprocess, tempfile, threading, time

from common import HERE, Failed, Relay, end, free_ports, read_file, wait_until

LINKS, STUCK, SIZE, SLICE_S = 10, (0, 1, 3, 9), 2048, 10
SESSIONS = 2                     # of the load, for each link
WAITING, THEN = 20000, 400
POSTFIX_S = 20                   # is enough to see it
SICKNESS = ("blackhole", "dribble", "reset", "refuse")


class Sick:
    """A port where something is wrong."""

    def __init__(self, port, kind):
        self.kind, self.open = kind, True
        if kind == "refuse":
            self.listener = None
            return
        self.listener = socket.create_server(("127.0.0.1", port), backlog=1000)
        self.held = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while self.open:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            if self.kind == "reset":
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                s.close()
            else:
                self.held.append(s)
            if self.kind == "dribble":
                threading.Thread(target=self.dribble, args=(s,), daemon=True).start()

    def dribble(self, s):
        """What it is given it takes; it says the beginning of an answer, an octet a second."""
        said = b"\x03\x00\xff\xff\x02\xf0\x80" if not self.smtp else b"220-"
        i = 0
        try:
            while self.open:
                s.sendall(said[i % len(said):][:1] if self.smtp or i < len(said) else b"\x00")
                i += 1
                time.sleep(1)
        except OSError:
            pass

    smtp = False

    def close(self):
        self.open = False
        if self.listener:
            self.listener.close()
            for s in self.held:
                s.close()


class SickSmtp(Sick):
    smtp = True


class Arrivals:
    """When messages arrived at one link: (seconds, how many so far), read from a process that says so."""

    def __init__(self, process, pattern):
        self.process, self.pattern, self.times, self.last = process, re.compile(pattern), [], ""
        os.set_blocking(process.stdout.fileno(), True)
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        tail = b""
        fd = self.process.stdout.fileno()
        while True:
            octets = os.read(fd, 65536)
            if not octets:
                break
            tail += octets
            found = [int(x) for x in self.pattern.findall(tail)]
            if found:
                self.times.append((time.monotonic(), max(found)))
            self.last = tail.decode("ascii", "replace")
            tail = tail[-200:]

    def until(self, when):
        """How many had arrived then."""
        n = 0
        for at, count in self.times:
            if at > when:
                break
            n = count
        return n

    def slices(self, began, seconds):
        step = min(SLICE_S, seconds)
        edges = [began + step * i for i in range(int(seconds // step) + 1)]
        return [self.until(b) - self.until(a) for a, b in zip(edges, edges[1:])]


# --- Posthorn ---

def relay_of_ten(build, root, ports):
    links = "".join(f"""  - name: n{i}
    address: "127.0.0.1:{port}"
    remote-mta-name: load
    threshold: 1
    max-associations: 4
    open-interval: 1 s
    max-open-retries: 100000
    max-transfer-retries: 100000
""" for i, port in enumerate(ports))
    routes = "".join(f"""  - match: "C=SE; A=BENCH; P=N{i}"
    to: n{i}
""" for i in range(len(ports)))
    return Relay(build, root, 1, links=2, more_links=links, more=routes)


def load_posthorn(relay, ports, stuck, seconds, pause):
    """(slices of each healthy link, p99 in ms of each, messages a second in all that were accepted)"""
    healthy, processes = {}, []
    sick = [Sick(ports[i], SICKNESS[i % 4]) for i in range(stuck)]
    try:
        for i in range(LINKS):
            where = ["--listen", f"127.0.0.1:{ports[i]}", "--every", 10] if i >= stuck else []
            p = relay.bench("--to", f"127.0.0.1:{relay.port}", "--recipient", f"C=SE; A=BENCH; P=N{i}; O=Example; S=User", "--associations", SESSIONS,
                            "--size", SIZE, "--messages", 10 ** 7, "--seconds", seconds, "--pause", pause, *where)
            processes.append(p)
            if i >= stuck:
                healthy[i] = Arrivals(p, rb"arrived (\d+)\n")
        began = time.monotonic()
        results = {}
        for i in healthy:
            try:
                processes[i].wait(seconds + 60)
            except subprocess.TimeoutExpired:
                raise Failed(f"the load of link n{i} did not arrive within a minute of its end:\n" + read_file(relay.log)[-1500:]) from None
            healthy[i].thread.join(5)
            found = re.search(r"\{.*\}", healthy[i].last)
            if not found:
                raise Failed(f"the load of link n{i} has failed: {healthy[i].last}\n" + read_file(relay.log)[-1500:])
            results[i] = json.loads(found.group(0))
    finally:
        for p in processes:
            end(p)
        for s in sick:
            s.close()
    slices = {i: a.slices(began, seconds) for i, a in healthy.items()}
    return slices, {i: r["p99_ms"] for i, r in results.items()}, sum(r["messages"] for r in results.values()) / seconds


def run_posthorn(build, root, stuck, seconds, pause):
    ports = free_ports(LINKS)
    relay = relay_of_ten(build, root, ports)
    try:
        return load_posthorn(relay, ports, stuck, seconds, pause)
    finally:
        relay.close()


def waiting_posthorn(build, root):
    """c: the median delay of those that come when very many wait for a dead link."""
    ports = free_ports(LINKS)
    relay = relay_of_ten(build, root, ports)
    sick = Sick(ports[0], "blackhole")
    try:
        p = relay.bench("--to", f"127.0.0.1:{relay.port}", "--recipient", "C=SE; A=BENCH; P=N0; O=Example; S=User", "--associations", 20, "--size", SIZE,
                        "--messages", WAITING)
        if p.wait(300) != 0:
            raise Failed("what should wait was not taken")
        p = relay.bench("--to", f"127.0.0.1:{relay.port}", "--listen", f"127.0.0.1:{ports[1]}", "--recipient", "C=SE; A=BENCH; P=N1; O=Example; S=User",
                        "--associations", 4, "--size", SIZE, "--messages", THEN)
        out, _ = p.communicate(timeout=300)
        return json.loads(re.search(r"\{.*\}", out).group(0))["p50_ms"]
    finally:
        sick.close()
        relay.close()


# --- Postfix ---

class Ten:
    """A Postfix of its own, with ten destinations."""

    def __init__(self, root):
        self.directory = tempfile.mkdtemp(prefix="postfix-", dir=root)
        os.chmod(self.directory, 0o755)
        for name in ("etc", "queue", "data"):
            os.mkdir(os.path.join(self.directory, name))
        shutil.chown(os.path.join(self.directory, "data"), "postfix")
        self.port, *self.ports = free_ports(LINKS + 1)
        etc = os.path.join(self.directory, "etc")
        values = {"DIR": self.directory, "PORT": str(self.port), "SINK": str(self.ports[0])}
        for name in ("main.cf", "master.cf"):
            text = re.sub(r"@(\w+)@", lambda m: values[m.group(1)], open(os.path.join(HERE, name)).read())
            if name == "main.cf":
                text = text.replace("relayhost = [127.0.0.1]:%d" % self.ports[0], "relayhost =")
                text += f"transport_maps = texthash:{etc}/transport\n"
            with open(os.path.join(etc, name), "w") as f:
                f.write(text)
        with open(os.path.join(etc, "transport"), "w") as f:
            f.writelines(f"n{i}.invalid smtp:[127.0.0.1]:{port}\n" for i, port in enumerate(self.ports))
        self.log = os.path.join(self.directory, "log")
        log = open(self.log, "w")
        subprocess.run(["postfix", "-c", etc, "check"], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self.process = subprocess.Popen(["postfix", "-c", etc, "start-fg"], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        wait_until("the start of Postfix", self.answers, self.process)

    def answers(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as s:
                return s.recv(3) == b"220"
        except OSError:
            return False

    def sink(self, i):
        p = subprocess.Popen(["smtp-sink", "-u", "postfix", "-c", f"127.0.0.1:{self.ports[i]}", "1000"], stdout=subprocess.PIPE)
        return p, Arrivals(p, rb"mesg\D*(\d+)\D")

    def close(self):
        try:
            os.kill(int(read_file(os.path.join(self.directory, "queue/pid/master.pid")) or 0), 15)
            self.process.wait(10)
        except (ValueError, OSError, subprocess.TimeoutExpired):
            pass
        end(self.process)
        shutil.rmtree(self.directory, ignore_errors=True)


def paced(port, domain, rate, seconds, stop):
    """SMTP at a fixed rate on one session, or as fast as it is taken (rate 0)."""
    body = b"Subject: bench\r\n\r\n" + b"x" * 70 * (SIZE // 72) + b"\r\n.\r\n"

    def say(f, s, octets):
        s.sendall(octets)
        while True:
            line = f.readline()
            if not line or line[3:4] != b"-":
                return line
    try:
        with socket.create_connection(("127.0.0.1", port), 30) as s, s.makefile("rb") as f:
            f.readline()
            say(f, s, b"EHLO bench.invalid\r\n")
            began, n = time.monotonic(), 0
            while time.monotonic() < began + seconds and not stop.is_set():
                if rate:
                    time.sleep(max(0.0, began + n / rate - time.monotonic()))
                say(f, s, b"MAIL FROM:<a@bench.invalid>\r\n")
                say(f, s, b"RCPT TO:<b@%s>\r\n" % domain)
                say(f, s, b"DATA\r\n")
                if not say(f, s, body).startswith(b"250"):
                    return
                n += 1
    except OSError:
        pass


def run_postfix(root, stuck, seconds, rate):
    """(slices of each healthy destination, messages a second in all)"""
    ten = Ten(root)
    sinks, stop = {}, threading.Event()
    sick = [SickSmtp(ten.ports[i], SICKNESS[i % 4]) for i in range(stuck)]
    try:
        for i in range(stuck, LINKS):
            sinks[i] = ten.sink(i)
        time.sleep(0.5)
        began = time.monotonic()
        threads = [threading.Thread(target=paced, args=(ten.port, b"n%d.invalid" % i, rate / SESSIONS if rate else 0, seconds, stop), daemon=True)
                   for i in range(LINKS) for _ in range(SESSIONS)]
        for t in threads:
            t.start()
        for t in threads:
            t.join(seconds + 30)
        slices = {i: a.slices(began, seconds) for i, (_, a) in sinks.items()}
        return slices, sum(sum(s) for s in slices.values()) / seconds
    finally:
        stop.set()
        for p, _ in sinks.values():
            end(p)
        for s in sick:
            s.close()
        ten.close()


def waiting_postfix(root):
    """Delays are read from the sink: the time from the sending of the 400 to the arrival of the 200th."""
    ten = Ten(root)
    sick = SickSmtp(ten.ports[0], "blackhole")
    sink, arrivals = ten.sink(1)
    try:
        for domain, n in (("n0.invalid", WAITING), ("n1.invalid", THEN)):
            began = time.monotonic()
            subprocess.run(["smtp-source", "-d", "-s", "20", "-m", str(n), "-l", str(SIZE), "-f", "a@bench.invalid", "-t", f"b@{domain}",
                            f"127.0.0.1:{ten.port}"], timeout=300, check=True)
        until = time.monotonic() + 300
        while arrivals.until(time.monotonic()) < THEN // 2 and time.monotonic() < until:
            time.sleep(0.05)
        if arrivals.until(time.monotonic()) < THEN // 2:
            return None
        return round((next(at for at, n in arrivals.times if n >= THEN // 2) - began) * 1000, 1)
    finally:
        end(sink)
        sick.close()
        ten.close()


# --- the cases ---

def ratio(slices, healthy_before):
    """The least share that a link has in a slice of what it had, on average, with none stuck."""
    if not slices:
        return None
    return round(min(min(s) / max(1.0, healthy_before[i]) for i, s in slices.items()), 2)


def mean_ratio(slices, healthy_before):
    """The same over the whole time: without the disk's bad moments."""
    if not slices:
        return None
    return round(min(sum(s) / len(s) / max(1.0, healthy_before[i]) for i, s in slices.items()), 2)


def averages(slices):
    return {i: sum(s) / len(s) for i, s in slices.items()}


def row_of(case, slices, before, **more):
    row = dict(case=case, size=SIZE, associations=LINKS, healthy_ratio=ratio(slices, before), healthy_mean=mean_ratio(slices, before), load=round(os.getloadavg()[0], 1), **more)
    print("  ".join(f"{k}={v}" for k, v in row.items() if v is not None), flush=True)
    return row


def posthorn_cases(build, root, seconds):
    rows = []
    _, _, capacity = run_posthorn(build, root, 0, min(seconds, 20), 0)
    pause = max(1, round(1000 * SESSIONS * LINKS / (capacity / 2)))
    print(f"capacity {capacity:.0f}/s; half of it: a message each {pause} ms on {SESSIONS} associations for each of {LINKS} links", flush=True)
    for form, wait in (("a", pause), ("b", 0)):
        before, p99_before = None, None
        for stuck in STUCK:
            slices, p99, rate = run_posthorn(build, root, stuck, seconds, wait)
            if stuck == 0:
                before, p99_before = averages(slices), max(p99.values())
            rows.append(row_of(f"isolation-{form}-{stuck}", slices, before, msgs_per_s=round(rate, 1), p99_ms=max(p99.values()),
                               p99_ratio=round(max(p99.values()) / p99_before, 2)))
    rows.append(dict(case="isolation-c", size=SIZE, associations=LINKS, p50_ms=waiting_posthorn(build, root)))
    print(f"isolation-c: median delay {rows[-1]['p50_ms']} ms", flush=True)
    return rows


def postfix_cases(root, seconds):
    rows = []
    _, capacity = run_postfix(root, 0, min(seconds, 20), 0)
    print(f"Postfix: capacity {capacity:.0f}/s", flush=True)
    for form, rate in (("a", capacity / 2 / LINKS), ("b", 0)):
        before = None
        for stuck in STUCK:
            slices, total = run_postfix(root, stuck, seconds, rate)
            before = averages(slices) if stuck == 0 else before
            rows.append(row_of(f"postfix isolation-{form}-{stuck}", slices, before, msgs_per_s=round(total, 1)))
    rows.append(dict(case="postfix isolation-c", size=SIZE, associations=LINKS, p50_ms=waiting_postfix(root)))
    print(f"Postfix isolation-c: median delay {rows[-1]['p50_ms']} ms (none: not within 300 s)", flush=True)
    return rows


def run(build, root, seconds, with_postfix):
    print(f"\nTen links, some stuck, {seconds} s each")
    rows = posthorn_cases(build, root, seconds)
    if with_postfix:
        rows += postfix_cases(root, min(seconds, POSTFIX_S))
    return rows


def check(rows):
    lines = []
    for r in rows:
        if r["case"].startswith("isolation-c"):
            lines.append((r["p50_ms"] < 1000, f"{THEN} messages behind {WAITING} for a dead link: median {r['p50_ms']} ms, want under 1000"))
        elif r["case"].startswith("isolation-") and not r["case"].endswith("-0"):
            lines.append((r["healthy_ratio"] >= 0.95, f"{r['case']}: the worst slice of a healthy link has {r['healthy_ratio']:.0%} of before, want 95%"))
            if r["case"].startswith("isolation-a"):
                lines.append((r["p99_ratio"] <= 2, f"{r['case']}: p99 {r['p99_ms']} ms, {r['p99_ratio']} times that with none stuck, want at most 2"))
    return lines
