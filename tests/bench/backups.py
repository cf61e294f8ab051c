"""A relay while backup after backup of its store is made: what is left of its rate. Runs without and with them take turns on one disk."""
import os, shutil, statistics, sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "scenario")) # last: it has names of ours
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from backup import backlog, load, rate, relay, take
from posthorn import Lab

MESSAGES, SIZE, SECONDS, ROUNDS, WANTED = 4000, 15000, 3, 5, 0.5


def with_backups(lab, m, i):
    """Messages a second while they are made, and how many were made."""
    flows, n = load(m, SECONDS, 2048), 0
    while flows.poll() is None:
        target = os.path.join(lab.root, "round-%d-%d" % (i, n))
        take(m, target)
        shutil.rmtree(target)
        n += 1
    return rate(flows), n


def run(build):
    """The rows."""
    lab, failed = Lab(os.path.join(build, "posthorn")), True
    print(f"\n{MESSAGES} messages of {SIZE} octets wait, others of 2 KB are relayed while backups are made, medians of {ROUNDS}:")
    try:
        m = relay(lab).start()
        backlog(m, MESSAGES, SIZE)
        rate(load(m, 1, 2048))  # warm
        found = []
        for i in range(ROUNDS):
            alone = rate(load(m, SECONDS, 2048))
            beside, n = with_backups(lab, m, i)
            found.append((alone, beside))
            print(f"  {alone:.0f}/s, beside {n} backups {beside:.0f}/s", flush=True)
        failed = False
    finally:
        lab.close(failed)
    alone, beside = (statistics.median(x[i] for x in found) for i in (0, 1))
    ratio = round(statistics.median(b / a for a, b in found), 2)
    return [dict(case="backup", size=2048, associations=5, msgs_per_s=round(beside, 1), clean_msgs_per_s=round(alone, 1), ratio=ratio, load=round(os.getloadavg()[0], 1))]


def check(rows):
    return [(r["ratio"] > WANTED, f"while backups are made: {r['ratio']} of the rate without them, want more than {WANTED}") for r in rows]
