#!/usr/bin/env python3
"""Postoffices in bad surroundings while mail flows both ways: two movers on one, file servers that are read-only, gone or full, names in the
other case, an MTA that is killed. Nothing is lost, nothing is there twice, X.400 mail goes on, and all recovers by itself."""
import os
import random
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from posthorn import Failed, Mta, Skip, expect, is_sanitized, main, wait_for  # noqa: E402
from storm import Storm, kill_child, kill_site, modes, mount_small, stepped_down  # noqa: E402

SLOWER = 6  # so much longer than before a single message of X.400 may take at most while postoffices are in trouble


def share(lab, n):
    """So many messages; fewer where the program is slow."""
    return n // 3 if is_sanitized(lab.program) else n


def second_mta(net):
    """Another MTA, York, whose movers serve the same directories."""
    york = Mta(net.lab, "york")
    york.settings["movers"] = [dict(net.mover), dict(net.back)]
    york.settings["processes"].update({"restart-min": "20 ms", "restart-max": "300 ms"})
    net.lab.mtas.append(york)
    return york


def k126750_two_movers_on_the_same_postoffices(lab):
    """Two MTAs' movers share both postoffices under load both ways."""
    net = Storm(lab)
    york = second_mta(net)
    net.burst(share(lab, 30), both=False)
    net.start()
    york.start()
    net.burst(share(lab, 30))
    net.settle()
    moved = [sum(int(r["moved"]) for r in net.movers(m).values()) for m in (net.london, york)]
    for m in (net.london, york):
        late = [e for e in m.events if e["event"] in ("mover.pending", "mover.locked")]
        expect(len(late) <= max(moved) // 10, "%s: nobody holds a mailbag or a lock for long, but on a disk that is slow for a moment" % m.name, *late)
    return "%s, moved %d by London, %d by York" % (net.end(), *moved)


def k126750_two_movers_and_both_are_killed(lab):
    """The same, and their processes die at random moments."""
    net, chance = Storm(lab), random.Random(5)
    york = second_mta(net)
    net.burst(share(lab, 20), both=False)
    net.start()
    york.start()
    killed = []
    for _ in range(share(lab, 15)):
        net.burst(2)
        mta = chance.choice((net.london, york))
        names = sorted(n for n in mta.pids() if n.split(".")[0] in ("mover", "interchange"))
        if names:
            killed.append(chance.choice(names))
            kill_child(mta, killed[-1])
    return "%s, %d killed" % (net.end(), len(killed))


def pace_in_trouble(net, limit):
    """As it is while a postoffice is in trouble. A machine that is busy for a moment makes it slow, too, and is no longer when it is measured again."""
    seen = []

    def is_good():
        seen.append(net.pace())
        return seen[-1] < limit
    try:
        wait_for(is_good, "X.400 mail goes on")
    except Failed as e:
        raise Failed("%s: want %.3f s, found %s" % (e, limit, seen)) from None
    return seen[-1]


def disturb(net, po, begin, end, said):
    """Under load: po is made bad, X.400 mail passes by, what is wrong is said, po is given back. said: (whose status line, word)."""
    before = net.pace()
    net.burst(8)
    begin()
    net.burst(4)
    during = pace_in_trouble(net, SLOWER * before)
    texts = [net.wait_said(word, what) for what, word in said(po)]
    end()
    net.settle()
    wait_for(lambda: net.link_row()["last-error"] == "", "the link is well again: %s" % net.link_row())
    return texts[0], during / before


def both(net, make, said):
    """make(po): begin and end of the disturbance there."""
    net.burst(5, both=False)
    net.start()
    texts, ratios = zip(*[disturb(net, po, *make(po), said) for po in (net.shadow, net.site)])
    return "%s; x400 at %.1f and %.1f of its time; %s" % (net.end(), ratios[0], ratios[1], texts)


def lines_of(net, word_of):
    """At the shadow it is the link's line, and that of the lane towards it; at the site the lane's that ends there."""
    return lambda po: [("link", word_of(po)), (("berlin", net.shadow.path), word_of(po))] if po is net.shadow else [(("shadow", net.site.path), word_of(po))]


def k164177_removed_and_given_back(lab):
    """The directory is away while mail is under way to it and from it."""
    net = Storm(lab)

    def make(po):
        return lambda: os.rename(po.path, po.path + ".away"), lambda: os.rename(po.path + ".away", po.path)
    return both(net, make, lines_of(net, lambda po: "directory"))


def made_read_only(lab):
    """Nobody may write there any more."""
    with stepped_down(lab):
        net = Storm(lab)

        def make(po):
            return lambda: modes(po.path, lambda mode: mode & ~0o222), lambda: modes(po.path, lambda mode: mode | 0o200)
        return both(net, make, lines_of(net, lambda po: "be written|Permission denied|only be read"))


def k93080_filled(lab):
    """The file server's disk is full to the last octet, and then there is room again."""
    places = [os.path.join(lab.root, "po-" + name) for name in ("shadow", "berlin")]
    for path in places:
        os.mkdir(path)
        if not mount_small(path, 4 << 20):
            raise Skip("no file system of its own can be had for a postoffice")
        lab.closers.append(lambda path=path: subprocess.run(["umount", "-l", path], check=False))
    net = Storm(lab)

    def make(po):
        ballast = os.path.join(po.path, "BALLAST")

        def fill():
            with open(ballast, "wb", buffering=0) as f:
                for size in (1 << 16, 4096, 1):
                    try:
                        while True:
                            f.write(b"b" * size)
                    except OSError:
                        pass
        return fill, lambda: os.unlink(ballast)
    return both(net, make, lines_of(net, lambda po: "room|space"))


def to_lower(path):
    """As a file server that keeps no case: everything, innermost first."""
    for folder, folders, names in os.walk(path, topdown=False):
        for name in names + folders:
            low = name.lower()
            if low != name:
                try:
                    os.rename(os.path.join(folder, name), os.path.join(folder, low))
                except FileNotFoundError:
                    pass  # a lock, gone by now


def k152903_all_names_become_lower_case(lab):
    """In the middle of the traffic, at both postoffices, twice."""
    net = Storm(lab)
    net.burst(10, both=False)
    net.start()
    for _ in range(2):
        net.burst(6)
        for po in (net.shadow, net.site):
            to_lower(po.path)
        net.burst(6)
    return net.end()


def the_mta_is_killed_under_load(lab):
    """kill -9 of the supervisor, and with it of all, again and again; started at once while what it had started may live still."""
    net = Storm(lab)
    net.burst(10, both=False)
    net.start()
    for _ in range(share(lab, 6)):
        net.burst(4)
        kill_site(net.london)
    return net.end()


main(k126750_two_movers_on_the_same_postoffices, k126750_two_movers_and_both_are_killed, k164177_removed_and_given_back, made_read_only, k93080_filled,
     k152903_all_names_become_lower_case, the_mta_is_killed_under_load)
