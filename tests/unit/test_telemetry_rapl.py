"""RAPL's zones: names, scopes, unwrapped joules, and every way to have none."""

import errno
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.telemetry.rapl import Rapl
from tests.support.recorded import TREES, Clock, machine, said

RANGE_UJ = 262143328850
PACKAGE = "intel-rapl:0/energy_uj"


def test_the_recorded_values_are_those_of_the_machines():
    folder = TREES / "i5-desktop/sys/class/powercap"
    assert (folder / "intel-rapl:0/energy_uj").read_bytes() == b"65997277274\n"
    assert (folder / "intel-rapl:0/max_energy_range_uj").read_bytes() == b"262143328850\n"
    assert (folder / "intel-rapl:1/energy_uj").read_bytes() == b"117870082040\n"
    epyc = TREES / "epyc-server/sys/class/powercap/intel-rapl:0/max_energy_range_uj"
    assert epyc.read_bytes() == b"65532610987\n"
    xeon = TREES / "xeon-server/sys/class/powercap/intel-rapl:1:0/max_energy_range_uj"
    assert xeon.read_bytes() == b"65712999613\n"


@pytest.mark.parametrize(
    "device, scopes",
    [
        (
            "i5-desktop",
            {
                "rapl.package-0": "cpu_package",
                "rapl.psys": "platform",
            },
        ),
        (
            "nuc",  # the memory-mapped registers repeat its package
            {
                "rapl.package-0": "cpu_package",
                "rapl.psys": "platform",
            },
        ),
        (
            "epyc-server",
            {
                "rapl.package-0": "cpu_package",
                "rapl.package-1": "cpu_package",
            },
        ),
        (
            "xeon-server",
            {
                "rapl.package-0": "cpu_package",
                "rapl.dram-0": "dram",
                "rapl.package-1": "cpu_package",
                "rapl.dram-1": "dram",
            },
        ),
    ],
)
def test_every_zone_has_its_name_and_scope(device, scopes):
    readings = Rapl(machine(device)).read()
    assert {r.channel.source: r.channel.scope for r in readings} == scopes
    assert {(r.channel.method, r.channel.unit, r.value) for r in readings} == {("counter", "j", 0.0)}


def test_the_value_is_what_was_used_since_the_first_read():
    files, clock = {}, Clock()
    rapl = Rapl(machine("i5-desktop", files, clock))
    rapl.read()
    clock.pass_s(0.1)
    files.update({PACKAGE: b"65999777274\n", "intel-rapl:1/energy_uj": b"117873082040\n"})
    values = said(rapl.read())
    assert (values["rapl.package-0"], values["rapl.psys"]) == (2.5, 3.0)


def test_a_counter_that_came_round_has_its_range_added_once():
    files, clock = {PACKAGE: b"65532000000"}, Clock()
    rapl = Rapl(machine("epyc-server", files, clock))
    rapl.read()
    files[PACKAGE] = b"389013"
    clock.pass_s(0.1)
    assert said(rapl.read())["rapl.package-0"] == 1.0
    files[PACKAGE] = b"1389013"
    assert said(rapl.read())["rapl.package-0"] == 2.0


@given(st.integers(0, RANGE_UJ - 1), st.lists(st.integers(0, RANGE_UJ - 1), max_size=30))
def test_differences_are_the_steps_that_the_machine_made(first_uj, steps_uj):
    files, clock, raw_uj = {PACKAGE: b"%d\n" % first_uj}, Clock(), first_uj
    rapl = Rapl(machine("i5-desktop", files, clock))
    last_j = said(rapl.read())["rapl.package-0"]
    for step_uj in steps_uj:
        clock.pass_s(60)  # at less than 5 kW
        raw_uj = (raw_uj + step_uj) % RANGE_UJ
        files[PACKAGE] = b"%d\n" % raw_uj
        value_j = said(rapl.read())["rapl.package-0"]
        if step_uj == 0:
            assert value_j == "stale"
        else:
            assert round((value_j - last_j) * 1e6) == step_uj
            last_j = value_j


def test_a_suspended_machine_s_counter_begins_anew_and_is_no_wrap():
    files, clock = {PACKAGE: b"65997277274"}, Clock()
    rapl = Rapl(machine("i5-desktop", files, clock))
    rapl.read()
    clock.pass_s(0.1)
    files[PACKAGE] = b"3000"
    assert said(rapl.read())["rapl.package-0"] == "stale"
    clock.pass_s(0.1)
    files[PACKAGE] = b"66997277274"
    assert said(rapl.read())["rapl.package-0"] == "stale"


def test_what_always_draws_power_cannot_stand_still():
    clock = Clock()
    rapl = Rapl(machine("i5-desktop", {}, clock))
    for _ in range(11):
        assert said(rapl.read())["rapl.package-0"] == 0.0
        clock.pass_s(0.1)
    assert said(rapl.read()) == {
        "rapl.package-0": "stale",
        "rapl.psys": "stale",
    }
    xeon = Rapl(machine("xeon-server", {}, clock))
    xeon.read()
    clock.pass_s(1.1)
    assert set(said(xeon.read()).values()) == {"stale"}


@pytest.mark.parametrize(
    "what, reason",
    [
        (errno.EACCES, "permission"),
        (errno.EPERM, "permission"),
        (errno.EAGAIN, "eagain"),
        (errno.ENODATA, "enodata"),
        (errno.EIO, "io_error"),
        (errno.ENOENT, "no_sensor"),
        (errno.ENODEV, "no_sensor"),
        (b"", "parse"),
        (b"65997277274 uJ\n", "parse"),
        (b"\xff\x00", "parse"),
        (b"262143328851\n", "out_of_range"),
        (b"-1\n", "out_of_range"),
        (b"9" * 400, "out_of_range"),
    ],
)
def test_a_read_that_fails_leaves_no_mark_on_the_total(what, reason):
    files, clock = {}, Clock()
    rapl = Rapl(machine("i5-desktop", files, clock))
    rapl.read()
    files[PACKAGE] = what
    values = said(rapl.read())
    assert (values["rapl.package-0"], values["rapl.psys"]) == (reason, 0.0)
    files[PACKAGE] = b"65998277274\n"
    assert said(rapl.read())["rapl.package-0"] == 1.0


def test_a_zone_that_opens_later_begins_then():
    files = {PACKAGE: errno.EACCES}
    rapl = Rapl(machine("i5-desktop", files))
    assert said(rapl.read())["rapl.package-0"] == "permission"
    files.clear()
    assert said(rapl.read())["rapl.package-0"] == 0.0


def test_root_alone_may_read_it_and_the_fix_is_one_line_to_paste():
    rapl = Rapl(machine("i5-desktop", {"energy_uj": errno.EACCES}))
    assert set(said(rapl.read()).values()) == {"permission"}
    fix = rapl.fixes["permission"]
    assert fix.startswith("sudo chmod a+r /sys/class/powercap/intel-rapl*/energy_uj")
    assert "CVE-2020-8694" in fix
    assert "\n" not in fix


@pytest.mark.parametrize(
    "what, reason",
    [(errno.ENODATA, "enodata"), (errno.ENOENT, "no_sensor"), (b"wide\n", "parse"), (b"", "parse")],
)
def test_without_its_range_a_total_is_unknown(what, reason):
    rapl = Rapl(machine("i5-desktop", {"intel-rapl:0/max_energy_range_uj": what}))
    values = said(rapl.read())
    assert (values["rapl.package-0"], values["rapl.psys"]) == (reason, 0.0)


def test_parts_of_a_package_and_what_nobody_knows_are_left_out():
    rapl = Rapl(machine("i5-desktop", {"intel-rapl:1/name": b"antigravity\n"}))
    assert set(said(rapl.read())) == {"rapl.package-0"}


def test_dies_and_platforms_of_several_packages_have_their_numbers():
    files = {"intel-rapl:0/name": b"package-0-die-1\n", "intel-rapl:1/name": b"psys-1\n"}
    scopes = {r.channel.source: r.channel.scope for r in Rapl(machine("i5-desktop", files)).read()}
    assert scopes["rapl.package-0-die-1"] == "cpu_package"
    assert scopes["rapl.psys-1"] == "platform"


def test_the_memory_mapped_registers_serve_where_they_are_alone(tmp_path):
    shutil.copytree(TREES / "nuc", tmp_path / "nuc")
    folder = tmp_path / "nuc/sys/class/powercap"
    for zone in folder.glob("intel-rapl:*"):
        shutil.rmtree(zone)
    assert said(Rapl(machine(tmp_path / "nuc")).read()) == {"rapl.package-0": "no_sensor"}
    (folder / "intel-rapl-mmio:0/energy_uj").write_text("5\n")
    assert said(Rapl(machine(tmp_path / "nuc")).read()) == {"rapl.package-0": 0.0}


def test_a_machine_without_rapl_says_so():
    [reading] = Rapl(machine("epyc-vm")).read()
    assert (reading.channel.source, reading.value, reading.reason) == ("rapl", None, "no_sensor")


def test_names_that_cannot_be_read_say_why():
    assert said(Rapl(machine("i5-desktop", {"/name": errno.EACCES})).read()) == {"rapl": "permission"}


def test_stamps_enclose_each_read_by_itself():
    times = iter(range(100))
    stamps = [(r.t0_ns, r.t1_ns) for r in Rapl(machine("i5-desktop", {}, lambda: next(times))).read()]
    assert stamps == [(0, 1), (2, 3)]
