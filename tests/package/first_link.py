#!/usr/bin/env python3
"""The package as a new user meets it: two hosts, the package installed on both, and docs/first-link.md followed command by command; then a
newer package over it, and both taken away.

A host is a root of its own over this system's (an overlay, so nothing here is changed), with a network, processes and mounts of its own; the
two are joined by a cable. There is no systemd on it: tests/package/systemctl does what the unit says."""
import atexit
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
from posthorn import Failed, Skip, expect, main, same, source, wait_for  # noqa: E402

PATIENCE_S = 90
TOOLS = ("unshare", "nsenter", "setpriv", "dpkg-buildpackage", "dh", "ip", "apt", "curl")
BOOT = """
set -eu
mount -t tmpfs none {at}
mkdir {at}/upper {at}/aside {at}/top
mount -t overlay overlay -o lowerdir=/,upperdir={at}/upper,workdir={at}/aside {at}/top
mount -t proc proc {at}/top/proc
mount --rbind /dev {at}/top/dev
mount -t tmpfs none {at}/top/run
mount -t tmpfs none {at}/top/tmp
mkdir -p {at}/top/run/systemd/system {at}/top/run/lock
rm -rf {at}/top/etc/posthorn {at}/top/var/lib/posthorn
rm -f {at}/top/usr/sbin/policy-rc.d
ip link set lo up
echo up
exec bash -c 'while read -r line; do :; done'
"""


# The same with a real systemd as its first process, in cgroups of its own.
GROUP = """
set -eu
mkdir {at}/groups
mount -t cgroup2 none {at}/groups
mkdir {at}/groups/{name}
echo $$ >{at}/groups/{name}/cgroup.procs
exec unshare --mount --net --pid --ipc --uts --cgroup --fork --kill-child sh -c '{boot}'
"""
SYSTEMD = BOOT.split("mount -t proc")[0] + """
cd {at}/top
rm -rf etc/systemd/system/*.wants lib/systemd/system/*.wants etc/posthorn var/lib/posthorn usr/sbin/policy-rc.d
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t cgroup2 none sys/fs/cgroup
mount --rbind /dev dev
mount -t tmpfs none run
mount -t tmpfs none tmp
ip link set lo up
echo up
mkdir .old
pivot_root . .old
umount -l .old
exec env -i container=lxc PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system --unit=multi-user.target --log-target=null --show-status=false
"""


def children(pid):
    with open("/proc/%d/task/%d/children" % (pid, pid), encoding="ascii") as f:
        return [int(child) for child in f.read().split()]


class Systemd:
    """A host on which the unit is run as it will be."""

    def __init__(self, lab):
        self.at = os.path.join(lab.root, "systemd")
        self.group = "posthorn-test-%d" % os.getpid()
        os.mkdir(self.at)
        script = GROUP.format(at=self.at, name=self.group, boot=SYSTEMD.format(at=self.at))
        self.process = subprocess.Popen(["unshare", "--mount", "sh", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        lab.closers.append(self.close)
        said = self.process.stdout.readline()
        if said != "up\n":
            raise Skip("systemd cannot be run here: %s" % said.strip())
        self.init = children(self.process.pid)[0]
        try:
            wait_for(lambda: self.inside("systemctl is-system-running")[1].strip() in ("running", "degraded"), "systemd is up", PATIENCE_S, 0.2)
        except Failed:
            raise Skip("systemd does not come up here: %s" % self.inside("systemctl is-system-running")[1]) from None

    def inside(self, script):
        done = subprocess.run(["nsenter", "--target", str(self.init), "--mount", "--net", "--pid", "--ipc", "--uts", "--cgroup", "bash", "-e", "-c", script],
                              env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"},
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE_S * 2, check=False)
        return done.returncode, done.stdout.decode("utf-8", "replace")

    def run(self, script, status=0):
        found, out = self.inside(script)
        same(found, status, "under systemd: exit status of\n%s\n%s\n" % (script, out[-3000:]))
        return out.strip()

    def bring(self, path, to):
        with open(path, "rb") as f:
            subprocess.run(["nsenter", "--target", str(self.init), "--mount", "sh", "-c", "cat >" + to], input=f.read(), check=True)

    def close(self):
        self.process.kill()
        self.process.communicate()
        away = "mount -t cgroup2 none %s && cd %s && for i in 1 2 3 4 5 6 7 8 9; do find %s -depth -type d -exec rmdir {} + && break; sleep 0.2; done"
        subprocess.run(["unshare", "--mount", "sh", "-c", away % (self.at, self.at, self.group)], capture_output=True, check=False)


class Host:
    def __init__(self, lab, name, address):
        self.name, self.kept = name, ""
        self.at = os.path.join(lab.root, name)
        os.mkdir(self.at)
        self.process = subprocess.Popen(["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "sh", "-c", BOOT.format(at=self.at)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        lab.closers.append(self.close)
        said = self.process.stdout.readline()
        if said != "up\n":
            raise Skip("no host of its own can be made here: %s" % said.strip())
        self.init = children(self.process.pid)[0]
        self.address = address

    def enter(self, *args):
        return ["nsenter", "--target", str(self.init), "--mount", "--net", "--pid", *args]

    def inside(self, script, keep=False):
        """(exit status, output) of a script, as a person would type it there."""
        env = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8",
               "DEBIAN_FRONTEND": "noninteractive"}
        done = subprocess.run(self.enter("chroot", self.at + "/top", "bash", "-e", "-c", "cd /root\n" + self.kept + script), env=env,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE_S * 2, check=False)
        if keep:
            self.kept += script
        return done.returncode, done.stdout.decode("utf-8", "replace")

    def run(self, script, status=0):
        found, out = self.inside(script)
        same(found, status, "%s: exit status of\n%s\n%s\n" % (self.name, script, out[-3000:]))
        return out

    def bring(self, path, to, mode=0o644):
        """A file of this system's; the overlay's mount is not seen from here."""
        with open(path, "rb") as f:
            subprocess.run(self.enter("sh", "-c", "cat >%s/top%s && chmod %o %s/top%s" % (self.at, to, mode, self.at, to)),
                           input=f.read(), check=True)

    def close(self):
        self.process.kill()
        self.process.communicate()


def cable(a, b):
    """Between the two, and to nobody else."""
    done = subprocess.run(a.enter("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", "/proc/%d/ns/net" % b.init),
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        done = subprocess.run(["nsenter", "--target", str(a.init), "--net", "ip", "link", "add", "eth0", "type", "veth", "peer", "name", "eth0",
                               "netns", str(b.init)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Skip("no network can be made here: %s" % done.stderr.strip())
    for host in (a, b):
        for args in (("addr", "add", host.address + "/24", "dev", "eth0"), ("link", "set", "eth0", "up")):
            subprocess.run(host.enter("ip", *args), check=True)


def blocks(page, least):
    """[(hosts, options, script)] of a page, in order."""
    with open(source("docs", page), encoding="utf-8") as f:
        text = f.read()
    found = []
    for marks, script in re.findall(r"^<!-- run: (.*?) -->\n```sh\n(.*?)^```$", text, re.S | re.M):
        hosts, *rest = [part.strip() for part in marks.split(";")]
        options = dict((part.split(": ", 1) + [True])[:2] for part in rest)
        if " if " in hosts:
            hosts, options["if"] = hosts.split(" if ")
        found.append((hosts.split(), options, script))
    expect(len(found) >= least, "commands in docs/" + page, len(found))
    return found


def follow(hosts, names, options, script):
    for host in (hosts[name] for name in names):
        if "if" in options and host.inside("command -v " + options["if"])[0] != 0:
            print("     (%s: no %s here, not run: %s)" % (host.name, options["if"], script.strip()))
            continue
        said = [None, ""]

        def good():
            said[:] = host.inside(script, "keep" in options)  # pylint: disable=cell-var-from-loop
            return said[0] == 0 and options.get("shows", "") in said[1]
        if "until" in options:
            try:
                wait_for(good, "", PATIENCE_S, 0.3)
            except Exception:  # pylint: disable=broad-except
                pass
        else:
            good()
        if os.environ.get("FIRST_LINK_SHOWS"):
            print("---- %s\n%s---- %s\n%s" % (host.name, script, said[0], said[1]), flush=True)
        same(said[0], 0, "%s: exit status of\n%s\n%s\n" % (host.name, script, said[1][-3000:]))
        expect(options.get("shows", "") in said[1], "%s: %r in the output of\n%s" % (host.name, options.get("shows"), script), said[1][-3000:])


made = {}  # by version


def package(lab, version="0.1.0"):
    """Of the release build that is there."""
    if version not in made:
        folder = tempfile.mkdtemp(prefix="posthorn-deb-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        done = subprocess.run([source("packaging", "make-deb"), "--version", version, "--built", os.path.dirname(lab.program), folder],
                              capture_output=True, text=True, check=False, timeout=600)
        same(done.returncode, 0, "make-deb\n" + done.stdout + done.stderr)
        made[version] = done.stdout.strip()
    return made[version]


def newer(lab, old, version):
    """The same package with another version, as a later build would have it."""
    tree, deb = os.path.join(lab.root, "tree"), os.path.join(lab.root, "posthorn_%s_all.deb" % version)
    subprocess.run(["dpkg-deb", "--raw-extract", old, tree], check=True)
    control = os.path.join(tree, "DEBIAN", "control")
    with open(control, encoding="utf-8") as f:
        text = f.read()
    with open(control, "w", encoding="utf-8") as f:
        f.write(re.sub(r"^Version: .*$", "Version: " + version, text, flags=re.M))
    subprocess.run(["dpkg-deb", "-Zgzip", "-z1", "--root-owner-group", "--build", tree, deb], check=True, stdout=subprocess.DEVNULL)
    return deb


def from_the_package_to_a_link(lab):
    needs_root(*TOOLS)
    london, paris = Host(lab, "london", "192.0.2.1"), Host(lab, "paris", "192.0.2.2")
    cable(london, paris)
    old = package(lab)
    new = newer(lab, old, "0.2.0")
    for host in (london, paris):
        host.bring(old, "/root/" + os.path.basename(old))
        host.bring(os.path.join(HERE, "systemctl"), "/usr/bin/systemctl", 0o755)
    n = 0
    for names, options, script in blocks("first-link.md", 15):
        follow({"london": london, "paris": paris}, names, options, script)
        n += 1
    installed(london)
    london.run("curl --silent --fail --header 'Content-Type: application/json' --header 'Origin: http://127.0.0.1:8025' "
               "--data '{\"name\": \"anna\", \"password\": \"correct horse battery staple\"}' http://127.0.0.1:8025/api/login")
    before = london.run("posthorn read alice --json")
    for names, options, script in blocks("operating.md", 3):
        follow({"london": london, "paris": paris}, names, options, script)
        n += 1
    same(london.run("posthorn read alice --json"), before, "the mail after a restore")
    upgraded(london, new)
    london.run("apt-get purge -y posthorn")
    london.run("test ! -e /var/lib/posthorn && test ! -e /etc/posthorn && test ! -e /usr/sbin/posthorn && test ! -e /var/log/posthorn")
    return "%d blocks of commands" % n


def installed(host):
    """What runs is the user's, with no more than it needs; what others may not read they cannot."""
    pids = host.run("pgrep -u posthorn").split()
    expect(len(pids) > 5, "processes of the user posthorn", pids)
    main_pid = host.run("cat /run/posthorn-unit/pid").strip()
    for pid in pids:
        caps = host.run("grep CapEff /proc/%s/status" % pid).split()[1]
        same(int(caps, 16), 1 << 10 if pid == main_pid else 0, "capabilities of process %s (supervisor: %s)" % (pid, main_pid))
    same(host.run("stat -c '%U:%G %a' /etc/posthorn/posthorn.yaml /etc/posthorn /var/lib/posthorn /var/log/posthorn").split("\n")[:4],
         ["root:posthorn 640", "root:posthorn 750", "posthorn:posthorn 700", "posthorn:posthorn 750"], "who may read")
    host.run("man --path >/dev/null 2>&1 || true; test -e /usr/share/man/man8/posthorn.8.gz && test -e /usr/share/doc/posthorn/first-link.md")
    if host.inside("command -v logrotate")[0] == 0:
        host.run("logrotate --force /etc/logrotate.d/posthorn && test -e /var/log/posthorn/events.log.1")


def upgraded(host, new):
    """The store, the settings and what waits stay, and it runs again."""
    before = host.run("posthorn read alice --json")
    settings = host.run("cat /etc/posthorn/posthorn.yaml")
    host.bring(new, "/root/" + os.path.basename(new))
    host.run("apt-get install -y ./%s" % os.path.basename(new))
    same(host.run("dpkg-query -W -f '${Version}' posthorn"), "0.2.0", "the newer one")
    same(host.run("cat /etc/posthorn/posthorn.yaml"), settings, "the settings")
    same(host.run("posthorn read alice --json"), before, "the mail")
    host.run("systemctl is-active posthorn")
    host.run("posthorn send --from alice --to 'G=Claude; S=Colin; P=PARIS; A=EXAMPLE; C=FR' 'after the upgrade'")
    wait_for(lambda: host.inside("posthorn queue")[1].strip() == "" or "nothing" in host.inside("posthorn queue")[1], "it goes on", PATIENCE_S, 0.3)


def needs_root(*tools):
    if os.geteuid() != 0:
        raise Skip("hosts with a root of their own are made by root")
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if missing:
        raise Skip("not installed: %s (tools/install-deps deb)" % ", ".join(missing))


def under_systemd(lab):
    """The unit as it is, by systemd itself: up when systemd says so, confined and working, settings by reload, up again when killed."""
    needs_root(*TOOLS, "systemctl", "pivot_root")
    if not os.path.exists("/lib/systemd/systemd"):
        raise Skip("not installed: systemd")
    deb = package(lab)
    host = Systemd(lab)
    host.bring(deb, "/srv/posthorn.deb")
    host.run("apt-get install -y /srv/posthorn.deb")
    same(host.run("systemctl is-active posthorn; systemctl is-enabled posthorn"), "active\nenabled", "after the installation")
    conf = "export POSTHORN_CONFIG=/etc/posthorn/posthorn.yaml; "
    host.run(conf + "posthorn send --from postmaster --to postmaster 'to myself'")
    wait_for(lambda: "to myself" in host.inside(conf + "posthorn read postmaster --show all")[1], "mail under the unit", PATIENCE_S, 0.3)
    same(host.inside(conf + "posthorn events --severity warning")[1].count("process."), 0, "processes that cannot work as they are confined")
    host.run("curl --silent --fail http://127.0.0.1:8025/metrics | grep -q posthorn_up")
    host.run("sed -i 's/^  name: mta1/  name: mta2/' /etc/posthorn/posthorn.yaml; ! systemctl reload posthorn; systemctl is-active posthorn")
    host.run("sed -i 's/^  name: mta2/  name: mta1/' /etc/posthorn/posthorn.yaml; echo 'limits: { message: 50 M }' >>/etc/posthorn/posthorn.yaml; systemctl reload posthorn")
    host.run(conf + "posthorn backup /srv/backup && posthorn check /srv/backup")
    before = host.run("systemctl show posthorn -p MainPID --value")
    host.run("kill -KILL %s" % before)
    wait_for(lambda: host.inside("systemctl is-active posthorn")[1].strip() == "active" and
             host.inside("systemctl show posthorn -p MainPID --value")[1].strip() != before, "up again", PATIENCE_S, 0.5)
    host.run(conf + "posthorn read postmaster --json | grep -q postmaster || posthorn read postmaster")
    host.run("systemctl stop posthorn; ! pgrep -u posthorn")
    same(host.run("systemctl show posthorn -p Result --value"), "success", "it ended as asked")
    return "installed, reloaded, killed, stopped"


def unit_is_confined(lab):
    """As systemd itself judges: exposure below 3.0 of 10."""
    if shutil.which("systemd-analyze") is None:
        raise Skip("not installed: systemd")
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=30", source("packaging", "debian", "posthorn.service")],
                          capture_output=True, text=True, check=False)
    same(done.returncode, 0, "exposure\n" + done.stdout[-300:] + done.stderr)
    level = re.search(r"exposure level for posthorn.service: ([0-9.]+)", done.stdout)
    return "exposure %s" % level.group(1)


def no_fault_of_policy(lab):
    if shutil.which("lintian") is None or shutil.which("dpkg-buildpackage") is None:
        raise Skip("not installed: lintian (tools/install-deps deb)")
    deb = package(lab)
    done = subprocess.run(["lintian", "--allow-root", "--fail-on", "error,warning", deb], capture_output=True, text=True, check=False, timeout=600)
    same(done.returncode, 0, "lintian\n" + done.stdout)
    return "no errors, no warnings"


main(unit_is_confined, no_fault_of_policy, under_systemd, from_the_package_to_a_link)
