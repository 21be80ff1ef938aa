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
    root = str(tmp_path)
    footprint = sdk.read_footprint(sdk.end_load(root), root)
    assert footprint == {
        "vm_hwm_bytes": None,
        "load_vm_hwm_bytes": None,
        "inference_vm_hwm_bytes": None,
        "cgroup_peak_bytes": None,
        "load_cgroup_peak_bytes": None,
        "cgroup_version": None,
        "reasons": {
            "vm_hwm_bytes": "/proc/self/status has no VmHWM",
            "load_vm_hwm_bytes": "/proc/self/status has no VmHWM",
            "inference_vm_hwm_bytes": "/proc/self/status has no VmHWM",
            "cgroup_peak_bytes": "/proc/self/cgroup names no memory cgroup",
            "load_cgroup_peak_bytes": "/proc/self/cgroup names no memory cgroup",
        },
    }


def process(root: Path, kilobytes: int, resettable: bool = True) -> str:
    """A process of this VmHWM, in a container of ten times that."""
    groups, mounts, files = "0::/\n", [V2.format(top="/")], {PEAK: f"{kilobytes * 10240}\n"}
    where = tree(root, groups, mounts, files)
    (root / "proc/self/status").write_text(f"VmPeak:\t 9 kB\nVmHWM:\t {kilobytes} kB\nVmRSS:\t 8 kB\n")
    if resettable:
        (root / "proc/self/clear_refs").touch()
    else:
        (root / "proc/self/clear_refs").mkdir()
    return where


@pytest.mark.parametrize(("load", "inference"), [(700, 300), (300, 700)])
def test_load_and_inference_peak_apart(tmp_path: Path, load: int, inference: int) -> None:
    root = process(tmp_path, load)
    peaks = sdk.end_load(root)
    assert (tmp_path / "proc/self/clear_refs").read_text() == "5"
    (tmp_path / "proc/self/status").write_text(f"VmHWM:\t {inference} kB\n")
    (tmp_path / "sys/fs/cgroup" / PEAK).write_text("9000000\n")
    assert sdk.read_footprint(peaks, root) == {
        "vm_hwm_bytes": 700 * 1024,
        "load_vm_hwm_bytes": load * 1024,
        "inference_vm_hwm_bytes": inference * 1024,
        "cgroup_peak_bytes": 9_000_000,
        "load_cgroup_peak_bytes": load * 10240,
        "cgroup_version": 2,
        "reasons": {},
    }


def test_where_the_peak_cannot_be_reset_only_the_whole_is_known(tmp_path: Path) -> None:
    root = process(tmp_path, 700, resettable=False)
    footprint = sdk.read_footprint(sdk.end_load(root), root)
    assert (footprint["vm_hwm_bytes"], footprint["load_vm_hwm_bytes"]) == (700 * 1024, 700 * 1024)
    assert footprint["inference_vm_hwm_bytes"] is None
    why = "VmHWM could not be reset after load: /proc/self/clear_refs: Is a directory"
    assert footprint["reasons"] == {"inference_vm_hwm_bytes": why}


def grow(megabytes: int) -> str:
    """A statement that takes memory and gives it back at once."""
    return f"len(b'x' * ({megabytes} << 20))"


def test_the_peaks_of_a_real_process(tmp_path: Path) -> None:
    """Python's own 10 MB beside, 60 MB in load and 20 MB in an inference, or the other way round."""
    found = []
    for load, inference in ((60, 20), (20, 60)):
        runner = runners.tiny(tmp_path, load=grow(load), infer=grow(inference))
        measure = {"min_duration_ns": 0, "min_iterations": 1}
        line = runners.request(tmp_path, options={}, measure=measure, warmup={"cap": 2})
        found.append(runners.launch(runner, line).one("footprint"))
    heavy, light = found
    assert {name for footprint in found for name in footprint["reasons"]} <= {
        "cgroup_peak_bytes",
        "load_cgroup_peak_bytes",
    }
    for one, other in (("load", "inference"), ("inference", "load")):
        big, small = heavy[f"{one}_vm_hwm_bytes"], heavy[f"{other}_vm_hwm_bytes"]
        assert heavy["vm_hwm_bytes"] == big
        assert big - small == pytest.approx(40 << 20, rel=0.05)
        heavy, light = light, heavy


def test_room_for_latencies_is_no_memory_of_the_runtime(tmp_path: Path) -> None:
    """Two million latencies take 16 MB; the runner that makes them nothing."""
    measure = {"min_duration_ns": 0, "min_iterations": 2_000_000}
    ended = runners.launch(runners.tiny(tmp_path), runners.request(tmp_path, options={}, measure=measure))
    assert ended.one("done")["iterations"] >= 2_000_000
    footprint = ended.one("footprint")
    assert footprint["vm_hwm_bytes"] - footprint["load_vm_hwm_bytes"] < 8 << 20
