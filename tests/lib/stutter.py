"""stutter.py - a machine that is busy elsewhere, on demand: with POSTHORN_STUTTER=SEED processes of a test's MTAs and its commands now and then do not
run for some ms, whatever they are at. Nothing that is right minds: the shortest time of a test or of the program that ends something is the watchdog's, of 6 s."""
import contextlib
import os
import random
import signal
import sys
import threading
import time

SHORT_S = (0.001, 0.06)
LONG_S = 0.3        # one in LONG_EVERY
LONG_EVERY = 20
RUNS_S = (0.001, 0.02)
AT_ONCE = (1, 1, 1, 2, 3)
SLOW_FOR = 20       # stops: so long one process is slower than all others, whose words come first then


def children(pid):
    found = []
    with contextlib.suppress(OSError):
        for task in os.listdir("/proc/%d/task" % pid):
            with contextlib.suppress(OSError), open("/proc/%d/task/%s/children" % (pid, task), encoding="ascii") as f:
                found += [int(x) for x in f.read().split()]
    return found


def descendants(pid):
    """pid and what it started, as far as it lives."""
    found = [pid]
    for p in found:
        found += children(p)
    return found


class Stutter:
    """Of what runs this program. Does nothing when nobody asked for it; held() works all the same."""

    def __init__(self, program):
        self.program, self.held_ones, self.lock, self.over = program, set(), threading.Lock(), threading.Event()
        self.thread, self.slow_one = None, 0
        seed = os.environ.get("POSTHORN_STUTTER")
        if seed:
            self.random = random.Random("%s %s" % (seed, " ".join(sys.argv[2:])))
            self.thread = threading.Thread(target=self._run, daemon=True)
            self.thread.start()

    @contextlib.contextmanager
    def held(self, *pids):
        """Stopped by the test itself, which nobody else may end before it does."""
        with self.lock:
            self.held_ones.update(pids)
            for pid in pids:
                os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            with self.lock:
                self.held_ones.difference_update(pids)
                self._go_on(pids)

    def end(self):
        self.over.set()
        if self.thread:
            self.thread.join()

    def _go_on(self, pids):
        for pid in pids:
            if pid not in self.held_ones:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def _runs_it(self, pid):
        try:
            return os.path.samefile("/proc/%d/exe" % pid, self.program)
        except OSError:
            return False

    def _some(self):
        """Some processes of one MTA, or of a command; mostly one that is slow for a while."""
        if self.slow_one and self.random.randrange(SLOW_FOR) == 0 or not self._runs_it(self.slow_one):
            self.slow_one = 0
        if self.slow_one and self.random.randrange(4):
            return [self.slow_one]
        running = [pid for pid in children(os.getpid()) if self._runs_it(pid)]
        pids = descendants(self.random.choice(running)) if running else []
        some = self.random.sample(pids, min(len(pids), self.random.choice(AT_ONCE)))
        self.slow_one = self.slow_one or (some[0] if some else 0)
        return some

    def _run(self):
        while not self.over.wait(self.random.uniform(*RUNS_S)):
            stopped = []
            try:
                with self.lock:
                    for pid in [p for p in self._some() if p not in self.held_ones]:
                        with contextlib.suppress(ProcessLookupError):
                            os.kill(pid, signal.SIGSTOP)
                            stopped.append(pid)
                time.sleep(LONG_S if self.random.randrange(LONG_EVERY) == 0 else self.random.uniform(*SHORT_S))
            finally:
                with self.lock:
                    self._go_on(stopped)
