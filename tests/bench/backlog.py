"""Messages that wait for a destination that is down: what one costs to take, to keep, to hand over, whatever their number.

Each case fills a fresh store over X.400, kills all processes of the relay at once, starts it with the sink up and drains it whole;
every message must arrive exactly once. The measure of cost is the switch's time on a processor, because wall time on a busy
machine measures the others. In and out are taken over the same number of messages for each case: the last ones in, the first
and the last ones out, the median of some slices of each."""
import json, os, statistics, time

import plot
from common import Failed, Relay, cpu_of, end, peak_of, read_file

OCTETS, ASSOCIATIONS, PART = 2048, 20, 10000
COUNTS = [10 ** 3, 10 ** 4, 10 ** 5, 10 ** 6]
DOWN = "2 s"  # between attempts to reach the destination that is down


def fill(relay, run, first, n, priority="normal"):
    """Sends n messages; the rate, and the switch's microseconds for each."""
    if n == 0:
        return 0, 0
    switch = relay.pid_of("switch")
    before = cpu_of(switch)
    p = relay.bench("--to", f"127.0.0.1:{relay.port}", "--associations", ASSOCIATIONS, "--size", OCTETS, "--run", run, "--first", first,
                    "--messages", n, "--priority", priority)
    try:
        line = p.stdout.readline()
        if p.wait() != 0 or not line:
            raise Failed("the load was not taken:\n" + read_file(relay.log)[-2000:])
    finally:
        end(p)
    return json.loads(line)["msgs_per_s"], (cpu_of(switch) - before) * 1e6 / n


def files_of(relay):
    store = os.path.join(relay.directory, "store")
    return [os.path.join(store, f) for f in os.listdir(store) if f.startswith("store.db")]


def forget_pages(relay):
    """What the kernel keeps of the store in memory goes, so that the start reads from the disk."""
    for path in files_of(relay):
        with open(path, "rb") as f:
            os.fsync(f.fileno())
            os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


class Drain:
    """The sink comes up, then the relay; what happens is noted at the first arrival and at each `every`."""

    def __init__(self, relay, run, n, every):
        self.relay, self.n, self.every = relay, n, every
        self.sink = relay.bench("--listen", f"127.0.0.1:{relay.sink}", "--run", run, "--messages", n, "--every", every)
        self.sink.stdout.readline()  # it listens
        self.marks = {}  # arrivals -> (seconds, the switch's processor time)
        began = time.monotonic()
        relay.start()
        switch = None
        while True:
            line = self.sink.stdout.readline()
            if not line.startswith("arrived"):
                break
            switch = switch or relay.pid_of("switch")
            self.marks[int(line.split()[1])] = (time.monotonic() - began, cpu_of(switch))
        if self.sink.wait() != 0 or not line:
            raise Failed("the backlog did not arrive whole and once:\n" + read_file(relay.log)[-2000:])
        self.result = json.loads(line)
        self.peak = peak_of(switch)

    def cost(self, since, to):
        """Messages a second and the switch's microseconds for each, from one mark to another."""
        (t0, c0), (t1, c1) = self.marks[since], self.marks[to]
        return (to - since) / (t1 - t0), (c1 - c0) * 1e6 / (to - since)

    def median(self, since, to):
        """The same, the median of the slices between: what others do to the machine meanwhile weighs less."""
        costs = [self.cost(i, i + self.every) for i in range(since, to, self.every)]
        return statistics.median(c[0] for c in costs), statistics.median(c[1] for c in costs)


def backlog(build, root, n):
    """One case, as a row of the table."""
    part = min(PART, n // 2)
    relay = Relay(build, root, ASSOCIATIONS, interval=DOWN)
    try:
        all_in = fill(relay, "BACKLOG", 0, n - part)[0]
        slices = [fill(relay, "BACKLOG", i, part // 5) for i in range(n - part, n, part // 5)]
        rate_in, cpu_in = statistics.median(x[0] for x in slices), statistics.median(x[1] for x in slices)
        switch = relay.pid_of("switch")
        peak = peak_of(switch)
        relay.kill()
        disk = sum(os.path.getsize(f) for f in files_of(relay))
        forget_pages(relay)
        drain = Drain(relay, "BACKLOG", n, part // 10)
        rate, cpu_first = drain.median(part // 10, part)
        rate_last, cpu_last = drain.median(n - part, n)
        whole = drain.cost(1, n)
        return dict(case=f"backlog-{n}", size=OCTETS, associations=ASSOCIATIONS, msgs_per_s=round(whole[0], 1),
                    cpu_us_per_msg=round(cpu_in + cpu_first, 1), queued=n, all_in_msgs_per_s=round(all_in, 1), in_msgs_per_s=round(rate_in, 1), in_cpu_us=round(cpu_in, 1),
                    out_first_msgs_per_s=round(rate, 1), out_first_cpu_us=round(cpu_first, 1),
                    out_last_msgs_per_s=round(rate_last, 1), out_last_cpu_us=round(cpu_last, 1), out_cpu_us=round(whole[1], 1),
                    restart_s=round(drain.marks[1][0], 2), peak_rss_mib=round(max(peak, drain.peak), 1),
                    peak_filling_mib=round(peak, 1), store_mib=round(disk / (1 << 20), 1), load=round(os.getloadavg()[0], 1))
    finally:
        relay.close()


def urgent(build, root, n, messages=800):
    """Urgent mail, four hundred a second, while n non-urgent messages drain to the same destination."""
    relay = Relay(build, root, ASSOCIATIONS, interval=DOWN)
    try:
        fill(relay, "LATER", 0, n, "non-urgent")
        p = relay.bench("--to", f"127.0.0.1:{relay.port}", "--listen", f"127.0.0.1:{relay.sink}", "--associations", 4, "--size", OCTETS,
                        "--run", "URGENT", "--priority", "urgent", "--pause", 10, "--warm", 20, "--messages", messages, "--seconds", 10)
        try:
            if p.stdout.readline() != "warm\n" or not (line := p.stdout.readline()) or p.wait() != 0:
                raise Failed("the urgent messages did not arrive:\n" + read_file(relay.log)[-2000:])
        finally:
            end(p)
        r = json.loads(line)
        return dict(case=f"urgent in backlog-{n}", size=OCTETS, associations=4, msgs_per_s=r["msgs_per_s"], p50_ms=r["p50_ms"],
                    p99_ms=r["p99_ms"], queued=n, others=r["foreign"], load=round(os.getloadavg()[0], 1))
    finally:
        relay.close()


COLUMNS = [("case", 16), ("in_msgs_per_s", 9), ("in_cpu_us", 9), ("out_first_msgs_per_s", 9), ("out_first_cpu_us", 9),
           ("out_last_cpu_us", 9), ("cpu_us_per_msg", 9), ("restart_s", 10), ("peak_rss_mib", 9), ("store_mib", 9), ("load", 6)]
HEADS = ["case", "in/s", "in us", "out/s", "out us", "last us", "both us", "restart s", "peak MiB", "disk MiB", "load"]


def show(row):
    print(" ".join(str(row[key]).ljust(width) if i == 0 else str(row[key]).rjust(width) for i, (key, width) in enumerate(COLUMNS)), flush=True)


def run(build, root, largest):
    """All cases up to the largest; their rows."""
    print(f"\nA backlog: {OCTETS} octets, {ASSOCIATIONS} associations; us: of the switch on a processor for one message; out: the first to leave, last: "
          "the last; all processes\nkilled before the restart, which reads from the disk; its time ends at the first message in the sink")
    show(dict(zip([key for key, _ in COLUMNS], HEADS)))
    rows = []
    for n in COUNTS:
        if n <= largest:
            rows.append(backlog(build, root, n))
            show(rows[-1])
    if largest >= 10 ** 5:  # fewer have left before urgent mail has come
        rows.append(urgent(build, root, 10 ** 5))
        r = rows[-1]
        print(f"urgent mail, {r['msgs_per_s']:.0f}/s, beside {r['queued']} non-urgent ({r['others']} left meanwhile): p50 {r['p50_ms']} ms, "
              f"p99 {r['p99_ms']} ms")
    return rows


def check(rows):
    """What the project holds itself to: (reached, text)."""
    cases = [r for r in rows if r["case"].startswith("backlog-")]
    base = next((r for r in cases if r["queued"] == 10 ** 4), None)
    if base is None or base is cases[-1]:
        return []
    last = cases[-1]
    growth = last["cpu_us_per_msg"] / base["cpu_us_per_msg"] - 1
    lines = [(growth <= 0.2, f"cost of a message, in and out: {base['cpu_us_per_msg']} us with {base['queued']} queued, {last['cpu_us_per_msg']} us "
              f"with {last['queued']}: {growth:+.0%}, want at most +20%"),
             (last["peak_rss_mib"] < 128, f"memory of the switch with {last['queued']} queued: {last['peak_rss_mib']} MiB, want under 128"),
             (last["restart_s"] < 30, f"restart with {last['queued']} queued to the first message at the sink: {last['restart_s']} s, want under 30")]
    for r in rows:
        if r["case"].startswith("urgent"):
            lines.append((r["p99_ms"] < 100, f"urgent mail beside {r['queued']} non-urgent: p99 {r['p99_ms']} ms, want under 100"))
            lines.append((r["others"] < r["queued"], f"{r['others']} of the {r['queued']} had left when the last urgent one came, want fewer than all"))
    return lines


def draw(path, rows):
    cases = [r for r in rows if r["case"].startswith("backlog-")]
    if not cases:
        return
    counts = [r["queued"] for r in cases]

    def curve(name, key):
        return name, [r.get(key) for r in cases]

    plot.chart(path, "A backlog of N messages of 2 KB for a destination that is down", counts, [
        ("The switch's processor time for one message", "us", [curve("in and out", "cpu_us_per_msg"), curve("in, at this depth", "in_cpu_us"),
                                                               curve("out, the first ones", "out_first_cpu_us"),
                                                               curve("out, the last ones", "out_last_cpu_us")], None),
        ("Memory of the switch, peak", "MiB", [curve("both lives", "peak_rss_mib")], 128),
        ("From start to the first message at the sink", "s", [curve("store not in memory", "restart_s")], 30)])
