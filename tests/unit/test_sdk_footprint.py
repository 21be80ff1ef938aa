"""Where the SDK finds the peak of its memory cgroup, on trees as kernels and engines show them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import runners

sdk = runners.import_sdk()

FIRST_NAMESPACE, OTHER_NAMESPACE = "cgroup:[4026531835]", "cgroup:[4026532600]"
V2 = "30 23 0:26 {top} /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate"
V1_CPU = "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu"
V1 = "35 31 0:32 {top} /sys/fs/cgroup/memory ro,nosuid - cgroup cgroup rw,memory"
HYBRID = "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw"
PEAK, PEAK_V1 = "memory.peak", "memory.max_usage_in_bytes"


def tree(
    root: Path, groups: str, mounts: list[str], files: dict[str, str], namespace: str | None = OTHER_NAMESPACE
) -> str:
    (root / "proc/self/ns").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(groups)
    (root / "proc/self/mountinfo").write_text("\n".join(mounts) + "\n")
    if namespace:
        (root / "proc/self/ns/cgroup").symlink_to(namespace)
    for name, content in files.items():
        path = root / "sys/fs/cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return str(root)


def test_v2_in_a_container_with_its_own_namespace(tmp_path: Path) -> None:
    root = tree(tmp_path, "0::/\n", [V2.format(top="/")], {PEAK: "123456\n"})
    assert sdk.cgroup_peak(root) == (123456, 2, None)


def test_v2_on_the_machine(tmp_path: Path) -> None:
    group = "user.slice/user-1000.slice/session-2.scope"
    root = tree(tmp_path, f"0::/{group}\n", [V2.format(top="/")], {f"{group}/{PEAK}": "99\n", PEAK: "1\n"})
    assert sdk.cgroup_peak(root) == (99, 2, None)


def test_v2_before_kernel_5_19_has_no_peak(tmp_path: Path) -> None:
    root = tree(tmp_path, "0::/x\n", [V2.format(top="/")], {"x/memory.current": "99\n"})
    assert sdk.cgroup_peak(root) == (None, 2, "memory.peak is not there")


def test_v1_in_a_container_that_sees_the_machines_paths(tmp_path: Path) -> None:
    groups = "9:name=systemd:/docker/ab\n4:memory:/docker/ab\n1:cpu:/docker/ab\n0::/\n"
    mounts = [V1_CPU, V1.format(top="/docker/ab"), HYBRID]
    assert sdk.cgroup_peak(tree(tmp_path, groups, mounts, {f"memory/{PEAK_V1}": "4096\n"})) == (4096, 1, None)


def test_v1_in_a_container_with_its_own_namespace(tmp_path: Path) -> None:
    root = tree(tmp_path, "4:memory:/\n0::/\n", [V1_CPU, V1.format(top="/")], {f"memory/{PEAK_V1}": "4096\n"})
    assert sdk.cgroup_peak(root) == (4096, 1, None)


def test_v1_with_controllers_together(tmp_path: Path) -> None:
    mounts = ["35 31 0:32 / /sys/fs/cgroup/both rw - cgroup cgroup rw,cpuset,memory"]
    root = tree(tmp_path, "4:cpuset,memory:/a/b\n", mounts, {f"both/a/b/{PEAK_V1}": "7\n"})
    assert sdk.cgroup_peak(root) == (7, 1, None)


@pytest.mark.parametrize("namespace", [FIRST_NAMESPACE, None])
def test_the_root_cgroup_is_the_machine_and_no_figure_of_ours(tmp_path: Path, namespace: str | None) -> None:
    root = tree(tmp_path, "4:memory:/\n", [V1.format(top="/")], {f"memory/{PEAK_V1}": "4096\n"}, namespace)
    assert sdk.cgroup_peak(root) == (None, 1, "the process lies in the machine's root cgroup")


def test_zero_is_no_peak(tmp_path: Path) -> None:
    root = tree(tmp_path, "0::/\n", [V2.format(top="/")], {PEAK: "0\n"})
    assert sdk.cgroup_peak(root) == (None, 2, "memory.peak reads 0")


def test_a_cgroup_that_is_not_mounted_here(tmp_path: Path) -> None:
    root = tree(
        tmp_path, "4:memory:/docker/ab\n", [V1.format(top="/docker/abc")], {f"memory/{PEAK_V1}": "9\n"}
    )
    assert sdk.cgroup_peak(root) == (None, 1, "cgroup /docker/ab lies below no mounted memory cgroup")


def test_a_kernel_without_cgroups(tmp_path: Path) -> None:
    assert sdk.cgroup_peak(str(tmp_path)) == (None, None, "/proc/self/cgroup names no memory cgroup")


def test_every_unknown_has_its_reason(tmp_path: Path) -> None:
    footprint = sdk.read_footprint(None, str(tmp_path))
    assert footprint == {
        "vm_hwm_bytes": None,
        "load_vm_hwm_bytes": None,
        "cgroup_peak_bytes": None,
        "cgroup_version": None,
        "reasons": {
            "vm_hwm_bytes": "/proc/self/status has no VmHWM",
            "load_vm_hwm_bytes": "/proc/self/status has no VmHWM",
            "cgroup_peak_bytes": "/proc/self/cgroup names no memory cgroup",
        },
    }


def test_the_peak_of_this_process() -> None:
    footprint = sdk.read_footprint(sdk.vm_hwm_bytes())
    assert footprint["vm_hwm_bytes"] >= footprint["load_vm_hwm_bytes"] > 10_000_000
    assert set(footprint["reasons"]) <= {"cgroup_peak_bytes"}


def test_room_for_latencies_is_no_memory_of_the_runtime(tmp_path: Path) -> None:
    """Two million latencies take 16 MB; the runner that makes them nothing."""
    measure = {"min_duration_ns": 0, "min_iterations": 2_000_000}
    ended = runners.launch(runners.tiny(tmp_path), runners.request(tmp_path, options={}, measure=measure))
    assert ended.one("done")["iterations"] >= 2_000_000
    footprint = ended.one("footprint")
    assert footprint["vm_hwm_bytes"] - footprint["load_vm_hwm_bytes"] < 8 << 20
