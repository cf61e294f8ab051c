#!/usr/bin/env python3
"""`posthorn demo`, as `make run` starts it: the journeys over three MTAs, and through a Microsoft Mail postoffice and back."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from posthorn import expect, main, same  # noqa: E402


def in_order(text, *parts):
    at = 0
    for part in parts:
        found = text.find(part, at)
        expect(found >= 0, "\"%s\", after what comes before it" % part, text[at:])
        at = found + len(part)


def whole_show(lab):
    """Ends by itself without a terminal; its exit status says that everything was seen."""
    directory = os.path.join(lab.root, "demo")
    run = subprocess.run([lab.program, "demo", "--no-stay", "-d", directory], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         timeout=300, check=False)
    shown, said = run.stdout.decode(), run.stderr.decode()
    same(run.returncode, 0, "exit status; it said: " + said + shown)
    same(said, "", "standard error")
    in_order(shown, "Their consoles", "london  http://127.0.0.1:", "tokyo   http://127.0.0.1:", "name operator  password ", "name viewer    password ")
    in_order(shown, "As Hanako reads it in Tokyo:", "Subject: Greetings from London", "The first message over three MTAs.",
             "As Alice reads her reports in London:", "unrecognised-OR-name")
    in_order(shown, "postoffice send", "Its journey:", "london  transfer-in   depot", "tokyo   delivered     hanako", "As Hanako reads it, and answers:",
             "From: Otto Oster <S=OTTO; O=Depot; P=LONDON; A=POSTHORN; C=GB>", "Subject: Greetings from Depot", "From a postoffice of files, over three MTAs.",
             "Its journey back:", "london  transfer-out  depot", "In Otto's mailbag:", "Re: Greetings from Depot", "Thank you, Otto.",
             "posthorn status", "depot            ", "mover depot      attached ", "mover depot      OK ", "mover gate       OK ")
    return "%d lines" % shown.count("\n")


def the_postoffices_are_whole(lab):
    """Both, after it has ended; and the folder was named as one does who stands beside it."""
    directory = os.path.join(lab.root, "demo")
    subprocess.run([os.path.abspath(lab.program), "demo", "--no-stay", "-d", "demo"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=300, check=True,
                   cwd=lab.root)
    for name in ("gate", "depot"):
        lab.command("postoffice", "check", os.path.join(directory, name))
    return "gate, depot"


main(whole_show, the_postoffices_are_whole)
