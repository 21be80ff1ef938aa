"""Facts of recorded machines and of this one, and which device a machine is."""

import hashlib
import subprocess
from pathlib import Path

import pytest

from orchestrator import environment
from orchestrator.catalog import Catalog, suite_root
from orchestrator.domain import InferometerError
from orchestrator.environment.host import Host, Unknown, run_command

TREES = Path(__file__).parent.parent / "fixtures" / "sys"
SUITE = Path("/suite")
PROFILES = {name: device.profile for name, device in Catalog(suite_root()).devices().items()}


def git(words):
    """Git in a clean checkout at SUITE."""
    return {"--show-toplevel": f"{SUITE}\n", "HEAD": "c0ffee\n", "--porcelain": ""}[words[-1]]


def facts(device, run=git, arch="x86_64"):
    return environment.facts(SUITE, TREES / device, run, arch)


def test_a_desktop_tells_everything():
    found = facts("i5-desktop")
    assert found["reasons"] == {}
    assert found["kernel"] == "6.1.0-28-amd64"
    assert found["os"] == "Debian GNU/Linux 12 (bookworm)"
    assert found["board"] == "ASUS System Product Name"
    assert found["cpu_model"] == "13th Gen Intel(R) Core(TM) i5-13500"
    assert (found["cores_logical"], found["cores_physical"]) == (4, 3)
    assert (found["memory_bytes"], found["virtualised"]) == (32635912 * 1024, False)
    assert found["microcode"] == "0x2c"
    assert found["temperatures_c"]["x86_pkg_temp"] == 41.0
    assert found["temperatures_c"]["coretemp"] == 41.0
    assert (
        len(found["temperatures_c"]) == 5
    )  # two zones of one type are two temperatures; nvme is none of ours
    assert (found["git_commit"], found["git_dirty"]) == ("c0ffee", False)


def test_a_virtual_machine_says_what_it_does_not_tell():
    found = facts("epyc-vm")
    assert found["virtualised"] is True
    unknown = {name for name, value in found.items() if value is None}
    expected = {"board", "temperatures_c", "memory_cgroup"}
    assert unknown == expected == set(found["reasons"])


@pytest.mark.parametrize("device", ["hybrid", "docker-cgroup1", "nuc"])
def test_every_unknown_fact_has_its_reason(device):
    found = facts(device, arch="aarch64")
    assert {name for name, value in found.items() if value is None} == set(found["reasons"])
    assert all(found["reasons"].values())


@pytest.mark.parametrize(
    ("files", "on"),
    [
        ({"cgroup.controllers": "cpuset cpu io memory pids\n"}, True),
        ({"cgroup.controllers": "cpuset cpu io pids\n"}, False),
        ({"memory/memory.usage_in_bytes": "1\n", "unified/cgroup.controllers": "pids\n"}, True),
        ({"cpu/cpu.shares": "1024\n"}, False),
        ({}, False),
    ],
)
def test_whether_memory_is_accounted(tmp_path, files, on):
    for name, text in files.items():
        path = tmp_path / "sys/fs/cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert environment.memory_cgroup(tmp_path) is on


def test_an_empty_machine_is_all_reasons(tmp_path):
    found = environment.facts(SUITE, tmp_path, git, "riscv64")
    known = {name for name, value in found.items() if value is not None}
    assert known == {"arch", "python", "git_commit", "git_dirty", "isolation", "reasons"}


def copy(device, tmp_path):
    root = tmp_path / "root"
    subprocess.run(["cp", "-a", TREES / device, root], check=True)
    return root


def test_a_sensor_that_pretends_is_no_temperature(tmp_path):
    root = copy("i5-desktop", tmp_path)
    (root / "sys/class/thermal/thermal_zone2/temp").write_text("-256000\n")
    (root / "sys/class/thermal/thermal_zone3/temp").write_text("\n")
    found = environment.facts(SUITE, root, git, "x86_64")
    assert found["temperatures_c"]["INT3400 Thermal"] is None
    assert "cannot be true" in found["reasons"]["temperatures_c.INT3400 Thermal"]
    assert found["temperatures_c"]["x86_pkg_temp"] is None
    assert "empty" in found["reasons"]["temperatures_c.x86_pkg_temp"]
    assert found["temperatures_c"]["coretemp"] == 41.0


def test_an_arm_processor_is_named_by_its_numbers(tmp_path):
    root = copy("docker-cgroup1", tmp_path)
    (root / "proc/cpuinfo").write_text(
        "processor\t: 0\nFeatures\t: fp asimd\nCPU implementer\t: 0x41\nCPU part\t: 0xd07\n\nprocessor\t: 1\n"
    )
    found = environment.facts(SUITE, root, git, "aarch64")
    assert found["cpu_model"] == "implementer 0x41 part 0xd07"
    assert found["cpu_flags_sha256"] == hashlib.sha256(b"asimd fp").hexdigest()
    assert (found["cores_logical"], found["cores_physical"]) == (2, None)


def test_dot_product_instructions_are_named(tmp_path):
    assert environment.facts(SUITE, TREES / "i5-desktop", git, "x86_64")["dot_product"] == ["avx_vnni"]
    root = copy("docker-cgroup1", tmp_path)
    (root / "proc/cpuinfo").write_text("processor\t: 0\nFeatures\t: fp asimd asimddp i8mm\n")
    assert environment.facts(SUITE, root, git, "aarch64")["dot_product"] == ["asimddp", "i8mm"]
    (root / "proc/cpuinfo").write_text("processor\t: 0\nFeatures\t: fp asimd\n")
    assert environment.facts(SUITE, root, git, "aarch64")["dot_product"] == []
    (root / "proc/cpuinfo").write_text("processor\t: 0\n")
    unknown = environment.facts(SUITE, root, git, "aarch64")
    assert unknown["dot_product"] is None and "Features" in unknown["reasons"]["dot_product"]


def test_the_machine_id_is_stable_and_not_revealed():
    first = environment.machine_id(TREES / "i5-desktop")
    assert first == environment.machine_id(TREES / "i5-desktop") == facts("i5-desktop")["machine_id_sha256"]
    assert first != environment.machine_id(TREES / "epyc-vm")
    assert "0123456789abcdef" not in first
    assert environment.machine_id(TREES / "hybrid") is None


def checkout(folder):
    for words in (
        ["init", "-q"],
        ["-c", "user.name=n", "-c", "user.email=e@example.org", "commit", "-q", "--allow-empty", "-m", "m"],
    ):
        subprocess.run(["git", "-C", folder, *words], check=True)
    return subprocess.run(
        ["git", "-C", folder, "rev-parse", "HEAD"], check=True, capture_output=True, text=True
    ).stdout.strip()


def test_the_suites_commit_comes_from_git_itself(tmp_path):
    commit = checkout(tmp_path)
    clean = environment.facts(tmp_path)
    assert (clean["git_commit"], clean["git_dirty"]) == (commit, False)
    (tmp_path / "new.py").write_text("")
    assert environment.facts(tmp_path)["git_dirty"] is True


def test_a_suite_inside_another_checkout_has_no_commit(tmp_path):
    checkout(tmp_path)
    (tmp_path / "installed").mkdir()
    found = environment.facts(tmp_path / "installed")
    assert found["git_commit"] is None
    assert "is not a checkout" in found["reasons"]["git_commit"]


def test_no_checkout_and_no_git_are_reasons(tmp_path):
    assert "not a git repository" in environment.facts(tmp_path)["reasons"]["git_commit"]
    with pytest.raises(Unknown, match="no-such-command-here"):
        run_command(["no-such-command-here"])


def test_this_machine_has_facts():
    found = environment.facts(suite_root())
    assert found["kernel"]
    assert found["cores_logical"] >= 1
    assert {name for name, value in found.items() if value is None} <= set(found["reasons"])


def test_a_closed_file_names_itself(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(Unknown, match="/folder: Is a directory"):
        Host(tmp_path).text("folder")


@pytest.mark.parametrize(
    "device, arch, expected",
    [
        ("i5-desktop", "x86_64", "x86"),
        ("epyc-vm", "x86_64", "x86"),
        ("nuc", "x86_64", "nuc"),  # fits x86 as well, and the more particular profile wins
        ("docker-cgroup1", "aarch64", None),
    ],
)
def test_the_most_particular_profile_is_taken(device, arch, expected):
    profiles = {name: PROFILES[name] for name in ("x86", "nuc")}
    assert environment.detect(profiles, TREES / device, arch) == expected


@pytest.mark.parametrize("board", ["rpi4", "rpi5", "jetson-nano", "jetson-orin-nano"])
def test_each_board_is_known_among_all_profiles(board):
    assert environment.detect(PROFILES, TREES / board, "aarch64") == board


def test_a_board_with_another_system_release_is_another_device(tmp_path):
    root = copy("jetson-orin-nano", tmp_path)
    release = root / "etc/nv_tegra_release"
    release.write_text(release.read_text().replace("R36", "R39"))
    match = environment.recognise(PROFILES["jetson-orin-nano"], root, "aarch64")
    assert "tegra_release is # R39 (release), REVISION: 4.3" in match.reason
    release.unlink()
    match = environment.recognise(PROFILES["jetson-orin-nano"], root, "aarch64")
    assert match.reason == "tegra_release is unknown, not R36 (release)"


def test_an_old_board_is_known_by_its_board_name(tmp_path):
    root = copy("nuc", tmp_path)
    (root / "sys/class/dmi/id/product_name").write_text(" \n")
    assert environment.recognise(PROFILES["nuc"], root, "x86_64").matches


def test_a_refusal_says_what_the_machine_is():
    match = environment.recognise(PROFILES["nuc"], TREES / "i5-desktop", "x86_64")
    assert not match.matches
    assert match.reason == "dmi_product is System Product Name / PRIME B760M-A, not NUC"
    match = environment.recognise(PROFILES["x86"], TREES / "i5-desktop", "aarch64")
    assert (match.matches, match.reason) == (False, "arch is aarch64, not x86_64")


def test_a_board_is_known_by_its_device_tree(tmp_path):
    model = tmp_path / "sys/firmware/devicetree/base/model"
    model.parent.mkdir(parents=True)
    model.write_bytes(b"Raspberry Pi 5 Model B Rev 1.0\0")
    profile = {"title": "t", "recognise": {"arch": ["aarch64"], "device_tree": "Raspberry Pi 5"}}
    assert environment.recognise(profile, tmp_path, "aarch64").matches
    profile["recognise"]["device_tree"] = "Raspberry Pi 4"
    assert not environment.recognise(profile, tmp_path, "aarch64").matches


def test_two_profiles_that_fit_alike_are_not_guessed_between():
    rules = {"title": "t", "recognise": {"arch": ["x86_64"]}}
    with pytest.raises(InferometerError, match="one and two equally well"):
        environment.detect({"one": rules, "two": rules}, TREES / "epyc-vm", "x86_64")


@pytest.mark.parametrize(
    "recognise, words",
    [
        (None, r"table \[recognise\] is missing"),
        ({}, r"table \[recognise\] is missing"),
        ({"colour": "red"}, "recognise.colour is no rule; use arch, device_tree, dmi_product, tegra_release"),
        ({"arch": "x86_64"}, "recognise.arch must be a list"),
        ({"dmi_product": ["NUC"]}, "recognise.dmi_product must be a string"),
        ({"dmi_product": ""}, "recognise.dmi_product must be a string"),
    ],
)
def test_a_profile_with_impossible_rules_is_refused(recognise, words):
    with pytest.raises(InferometerError, match=words):
        environment.recognise({"title": "t", "recognise": recognise}, TREES / "nuc", "x86_64")


@pytest.mark.parametrize("total_kb, expected_kb", [(8_000_000, 8_000_000 - 1024**2), (1_000_000, 500_000)])
def test_a_container_leaves_memory_to_the_host(tmp_path, total_kb, expected_kb):
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/meminfo").write_text(f"MemTotal: {total_kb} kB\n")
    limit = environment.memory_limit_bytes({"memory_reserve_bytes": 1024**3}, tmp_path)
    assert limit == expected_kb * 1024


def test_under_emulation_a_container_gets_what_the_board_would_have(tmp_path):
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/meminfo").write_text("MemTotal: 16000000 kB\n")
    profile = {"memory_reserve_bytes": 1024**3, "memory_bytes": 4 * 1024**3}
    assert environment.memory_limit_bytes(profile, tmp_path, sold_with=True) == 3 * 1024**3
    profile["memory_bytes"] = 64 * 1024**3  # more than there is
    assert environment.memory_limit_bytes(profile, tmp_path, sold_with=True) == 16_000_000 * 1024 - 1024**3


def test_without_meminfo_there_is_no_limit_and_without_a_reserve_an_error(tmp_path):
    assert environment.memory_limit_bytes({"memory_reserve_bytes": 1}, tmp_path) is None
    with pytest.raises(InferometerError, match="memory_reserve_bytes"):
        environment.memory_limit_bytes({"title": "t"}, tmp_path)


@pytest.mark.parametrize("name", sorted(PROFILES))
def test_profiles_list_sources_that_exist(name):
    from orchestrator.telemetry.sources import Wish

    words = PROFILES[name]["telemetry"]["sources"]
    assert len({Wish(word, 10**9).name for word in words}) == len(words)
    assert "cpu" in PROFILES[name]["accelerators"]
