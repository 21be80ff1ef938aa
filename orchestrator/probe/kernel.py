"""What people name in the kernel's own files: control groups, and words of its command line."""

from __future__ import annotations

import re

KERNEL_ARGUMENT, CONTROL_GROUP = "removed", "group-1"
# Words of the kernel's command line that say how it works, whole.
_WHOLE = re.compile(
    r"(quiet|splash|rootwait|ro|rw|nosmt|nohz|threadirqs"
    r"|(cgroup_(enable|disable|memory|no_v1)|swapaccount|psi|lsm|systemd\.unified_cgroup_hierarchy"
    r"|isolcpus|nohz(_full)?|rcu_nocbs|rcu(pdate|tree)\.\w+|irqaffinity|maxcpus|nosmt|mitigations|preempt"
    r"|intel_pstate|intel_idle\.max_cstate|amd_pstate|processor\.max_cstate|idle|cpufreq\.\w+|cpuidle\.\w+"
    r"|cma|coherent_pool|transparent_hugepage|(default_)?hugepagesz|hugepages|numa_balancing"
    r"|pcie_aspm|intel_iommu|amd_iommu|iommu|clocksource|tsc|nmi_watchdog|panic|console)=[\w.,:-]*)"
)
# Of these the name alone is kept, of any other nothing.
_NAMED = re.compile(r"root|rootfstype|rootflags|init|rdinit|initrd|resume|BOOT_IMAGE|ip|video|reboot")
_KNOWN_GROUPS = (
    (re.compile(r"(?P<kept>|\.\.|docker|system\.slice|user\.slice|init\.scope|machine\.slice)"), r"\g<kept>"),
    (re.compile(r"(?P<kept>kubepods(-(besteffort|burstable))?(\.slice)?|besteffort|burstable)"), r"\g<kept>"),
    (
        re.compile(r"(?P<kept>(docker|containerd|app|session|background)\.(service|slice))"),
        r"\g<kept>",
    ),
    (
        re.compile(r"(?P<tool>((docker|libpod|crio|cri-containerd)-)?)[0-9a-f]{64}(?P<kind>(\.scope)?)"),
        rf"\g<tool>{'0' * 64}\g<kind>",
    ),
    (re.compile(r"[0-9a-f]{32}"), "0123456789abcdef0123456789abcdef"),
    (re.compile(r"user-\d+\.slice"), "user-1000.slice"),
    (re.compile(r"user@\d+\.service"), "user@1000.service"),
    (re.compile(r"session-c?\d+\.scope"), "session-1.scope"),
)
_MOUNT = "sys-root/sys/fs/cgroup/"
_HIERARCHY = re.compile(
    r"unified|systemd|(memory|cpu|cpuacct|cpuset|blkio|devices|freezer|pids|net_cls|net_prio|perf_event|hugetlb"
    r"|rdma|misc|,)+"
)
_LINES = re.compile(r"(?m)^(\d+:[^:\n]*:)(.*)$")  # of /proc/PID/cgroup, see cgroups(7)
_GROUPS_OF = re.compile(r"sys-root/proc/(\d+|self)/cgroup")


class ControlGroups:
    """Well-known groups stay, ids become zeros, all others are numbered; ``replaced`` counts."""

    def __init__(self) -> None:
        self.replaced = 0
        self._numbers: dict[str, int] = {}

    def path(self, path: str) -> str:
        """A path of the archive: of one below the mount, all between it and the file."""
        if not path.startswith(_MOUNT):
            return path
        *folders, name = path[len(_MOUNT) :].split("/")
        first = folders[:1] if folders and _HIERARCHY.fullmatch(folders[0]) else []
        return _MOUNT + "/".join([*first, *map(self._stand_in, folders[len(first) :]), name])

    def content(self, path: str, text: str) -> str:
        """A file's text: that of ``/proc/PID/cgroup`` names groups."""
        if not _GROUPS_OF.fullmatch(path):
            return text
        return _LINES.sub(lambda line: line[1] + "/".join(map(self._stand_in, line[2].split("/"))), text)

    def _stand_in(self, group: str) -> str:
        for known, form in _KNOWN_GROUPS:
            match = known.fullmatch(group)
            if match:
                found = match.expand(form)
                break
        else:
            found = f"group-{self._numbers.setdefault(group, len(self._numbers) + 1)}"
        self.replaced += found != group
        return found


def arguments(text: str) -> tuple[str, int]:
    """The kernel's command line without what is not well known, and how many words that were."""
    kept, removed = [], 0
    # What follows is for the first process, not the kernel.
    for word in text.partition(" -- ")[0].split():
        name, equals, _ = word.partition("=")
        if _WHOLE.fullmatch(word):
            kept.append(word)
            continue
        removed += 1
        known = name if _NAMED.fullmatch(name) else KERNEL_ARGUMENT
        kept.append(f"{known}={KERNEL_ARGUMENT}" if equals else KERNEL_ARGUMENT)
    return " ".join(kept) + "\n", removed
