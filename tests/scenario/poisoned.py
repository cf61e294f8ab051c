#!/usr/bin/env python3
"""Good messages with poisonous ones among them: all good ones arrive once, all poison ends in quarantine and is told of."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import poison
from posthorn import is_sanitized, main


def told(r):
    return "%(good)d arrived, %(poison)d in quarantine, %(reports)d reported, %(alarms)d alarms, %(faults)d processes died" % r


def run(lab, **more):
    if is_sanitized(lab.program):  # it has no limit of memory to run into, and is slow
        poison.KINDS = ["DECODE", "HANG", "FAIL"]
        return told(poison.run(lab.program, 200, 6, **more))
    return told(poison.run(lab.program, 1000, 20, **more))


def k151791_k237182_twenty_among_a_thousand(lab):
    """k151791_ k237182_ k169671_ the decoder dies of some, the converter hangs at, is starved by and fails at others."""
    return run(lab)


def k169671_k175965_the_same_with_a_restart_in_the_middle(lab):
    """k169671_ k175965_ k244144_ killed as a whole half way: nothing is first in line again, nothing is lost or doubled."""
    return run(lab, restart=True)


main(k151791_k237182_twenty_among_a_thousand, k169671_k175965_the_same_with_a_restart_in_the_middle)
