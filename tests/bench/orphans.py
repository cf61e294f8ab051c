"""Mail through postoffices in which 100,000 files lie that nobody names, against ones in which none does (Q256187), both ways; and a soak: many messages
through interchange and movers, of which no process becomes larger or keeps descriptors (Q260554, Q232604).

The messages wait while London is down: ANNA's in the outbound mailbag, Tokyo's in its queue. London starts, and the rate is that from then to the last
arrival. Runs without and with orphans take turns on one disk, and the medians are compared. Each process looks through P1 once when it starts: bursts are
long enough for that not to count. The orphans are younger than an hour, so that all stay."""
import os, sqlite3, statistics, sys, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import postoffice
from common import cpu_of
from msmail import OWN, SITE
from posthorn import Lab
from storm import Storm

ORPHANS, MESSAGES, ROUNDS, WANTED = 100 * 1000, 400, 5, 0.9
WARM, SOAK, GROWTH_MIB = 400, 2000, 2
FIRST = 0x40000000  # ids that the counter does not reach


def fill(po, n):
    """A third each: MAI as of real messages, ATT, and P1 that nobody has ended to write. Of each kind all are links to one, which is quicker made."""
    mai = postoffice.mai(SITE + "/NOBODY", [OWN + "/NOBODY"], b"orphan", b"text\r")
    for top, octets in (("MAI", mai), ("ATT", b"x"), ("P1", b"\x7f\x84\0\0\0\0")):
        one = os.path.join(po.path, top, "ORPHAN")
        with open(one, "wb") as f:
            f.write(octets)
        for i in range(n // 3 + 1):
            name = "%08X" % (FIRST + i)
            os.link(one, os.path.join(po.path, top, "" if top == "P1" else top[:2] + name[-1], name + "." + top))


class Run:
    def __init__(self, program, orphans):
        self.lab = Lab(program)
        self.net = Storm(self.lab)
        for po in (self.net.site, self.net.shadow):
            if orphans:
                fill(po, orphans)
        self.net.tokyo.start()

    def arrived(self):
        with sqlite3.connect("file:%s?mode=ro" % os.path.join(self.net.tokyo.directory, "store.db"), uri=True, timeout=30) as db:
            out = db.execute("select count(*) from delivery").fetchone()[0]
        return out, len(self.net.site.mailbox("ANNA"))

    def cpu(self):
        """Seconds on a processor of all that touch a postoffice."""
        return sum(cpu_of(pid) for name, pid in self.net.london.pids().items() if name.split(".")[0] in ("interchange", "converter", "mover"))

    def round(self, n):
        """Messages a second, out and in, from the start of London to the last of each; and processor time for each message, in microseconds."""
        net = self.net
        net.burst(n)
        before, last = self.arrived(), [None, None]
        net.london.start()
        began, used = time.monotonic(), self.cpu()
        while None in last:
            for way, (a, b) in enumerate(zip(self.arrived(), before)):
                if a >= b + n and last[way] is None:
                    last[way] = time.monotonic()
            if time.monotonic() > began + 120:
                raise OSError("of %d messages each way %s have arrived" % (n, self.arrived()))
            time.sleep(0.005)
        net.settle(60)
        used = self.cpu() - used
        net.london.stop()
        return n / (last[0] - began), n / (last[1] - began), used * 1e6 / (2 * n)

    def close(self):
        self.net.stop()
        self.lab.close(False)


def compare(program):
    runs = [Run(program, 0), Run(program, ORPHANS)]
    rates = ([], [])
    try:
        for r in runs:
            r.round(MESSAGES // 4)  # warm
        for _ in range(ROUNDS):
            for r, found in zip(runs, rates):
                found.append(r.round(MESSAGES))
                print("  %s: %.1f/s out, %.1f/s in, %.0f us" % ("with orphans" if found is rates[1] else "none", *found[-1]), flush=True)
        return rows_of(rates, runs[0].net.size)
    finally:
        for r in runs:
            r.close()


def rows_of(rates, size):
    rows = []
    median = lambda found, i: statistics.median(x[i] for x in found)
    for way, case in enumerate(("orphans, to X.400", "orphans, to MS Mail")):
        clean, with_orphans = (median(found, way) for found in rates)
        rows.append(dict(case=case, size=size, associations=0, msgs_per_s=round(with_orphans, 1), clean_msgs_per_s=round(clean, 1), orphans=ORPHANS,
                         ratio=round(with_orphans / clean, 2), load=round(os.getloadavg()[0], 1)))
        print(f"{case}: {with_orphans:.1f}/s with {ORPHANS} orphans in each postoffice, without {clean:.1f}/s: {with_orphans / clean:.2f}", flush=True)
    clean, with_orphans = (median(found, 2) for found in rates)
    print(f"processor time of interchange, converter and movers for a message: {with_orphans:.0f} us with orphans, without {clean:.0f}: {with_orphans / clean:.2f}", flush=True)
    rows[0].update(cpu_us_per_msg=round(with_orphans, 1), clean_cpu_us_per_msg=round(clean, 1))
    return rows


def soak(program):
    """Growth of each process between the first messages and the last."""
    r = Run(program, 0)
    net = r.net

    def usage():
        return {name: net.london.usage(name) for name in net.london.pids() if name.split(".")[0] in ("interchange", "converter", "mover")}

    def pass_on(n, back):
        for _ in range(n // 50):
            net.burst(50 - back, both=False)
            net.burst(back)
        net.settle(120)
    try:
        net.london.start()
        pass_on(WARM, 10)
        before, began = usage(), time.monotonic()
        pass_on(SOAK, 10)
        took, after = time.monotonic() - began, usage()
    finally:
        r.close()
    grew, name = max(((after[p][1] - before[p][1]) / (1 << 20), p) for p in before)
    descriptors = max(after[p][0] - before[p][0] for p in before)
    sizes = ", ".join("%s %.1f MiB %d" % (p, after[p][1] / (1 << 20), after[p][0]) for p in sorted(after))
    print(f"{SOAK} messages in {took:.0f} s; memory and descriptors at the end: {sizes}; {name} grew by {grew:.2f} MiB, descriptors by {descriptors} at most", flush=True)
    return dict(case="msmail soak", size=net.size, associations=0, msgs_per_s=round(SOAK / took, 1), growth_mib=round(grew, 2), growth_of=name, descriptors=descriptors)


def run(build):
    """The rows."""
    program = os.path.join(build, "posthorn")
    print(f"\n{MESSAGES} messages each way through postoffices with {ORPHANS} orphans and with none, medians of {ROUNDS}:")
    return compare(program) + [soak(program)]


def check(rows):
    lines = [(r["ratio"] >= WANTED, f"{r['case']}: {r['ratio']} of the rate without them, want {WANTED}") for r in rows if "orphans" in r]
    return lines + [(r["growth_mib"] <= GROWTH_MIB and r["descriptors"] <= 1, f"soak: {r['growth_of']} grew by {r['growth_mib']} MiB, descriptors by {r['descriptors']}, want at "
                     f"most {GROWTH_MIB} and 1") for r in rows if r["case"] == "msmail soak"]
