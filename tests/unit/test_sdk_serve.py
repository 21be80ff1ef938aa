"""The SDK as a process: what comes out, in which order, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.support import runners

PHASES = ["import", "load", "first", "warmup", "idle", "settle", "measure", "idle_after", "outputs"]


def test_a_run_in_full(tmp_path: Path) -> None:
    line = runners.request(tmp_path, options={}, idle_ns=1_000_000, idle_after_ns=1_000_000)
    ended = runners.launch(runners.tiny(tmp_path), line)
    assert (ended.exit_code, ended.stderr) == (0, "")
    assert ended.phases == [(name, edge) for name in PHASES for edge in ("start", "end")]
    times = [message["t_ns"] for message in ended.all("phase")]
    assert times == sorted(times)
    assert times[0] >= ended.one("hello")["clock"]["t_ns"]
    assert len(ended.one("harness")["values_ns"]) >= 200
    assert [message["values"] for message in ended.all("outputs")] == [[0.5, 1]] * 2
    assert ended.one("placement")["requested"] == "cpu"
    kinds = [message["type"] for message in ended.messages if message["type"] != "phase"]
    assert kinds[:3] == ["hello", "model", "harness"]
    assert kinds[-5:] == ["footprint", "outputs", "outputs", "placement", "done"]


def test_the_floors_hold(tmp_path: Path) -> None:
    measure = {"min_duration_ns": 30_000_000, "min_iterations": 7}
    ended = runners.launch(runners.tiny(tmp_path), runners.request(tmp_path, options={}, measure=measure))
    marks = {mark["edge"]: mark["t_ns"] for mark in ended.all("phase") if mark["name"] == "measure"}
    assert marks["end"] - marks["start"] >= 30_000_000
    assert ended.one("done")["iterations"] >= 7
    measure = {"min_duration_ns": 0, "min_iterations": 7}
    ended = runners.launch(runners.tiny(tmp_path), runners.request(tmp_path, options={}, measure=measure))
    assert ended.one("done")["iterations"] == 7


def test_idle_settle_and_outputs_are_left_out_when_not_asked_for(tmp_path: Path) -> None:
    line = runners.request(tmp_path, options={}, warmup={"cap": 3, "settle": 0}, outputs=False)
    ended = runners.launch(runners.tiny(tmp_path), line)
    assert {name for name, _ in ended.phases} == {"import", "load", "first", "warmup", "measure"}
    assert ended.all("outputs") == []
    (warmup,) = [message for message in ended.all("latencies") if message["phase"] == "warmup"]
    assert len(warmup["values_ns"]) == 3


@pytest.mark.parametrize("name", ["idle", "idle_after"])
def test_idle_lasts_as_long_as_asked(name: str, tmp_path: Path) -> None:
    line = runners.request(tmp_path, options={}, **{f"{name}_ns": 40_000_000})
    ended = runners.launch(runners.tiny(tmp_path), line)
    start, end = [mark["t_ns"] for mark in ended.all("phase") if mark["name"] == name]
    assert end - start >= 40_000_000
    others = {"idle", "idle_after"} - {name}
    assert not others & {phase for phase, _ in ended.phases}


def test_garbage_collection_is_off_in_the_idle_after_the_window(tmp_path: Path) -> None:
    look = "import gc, time; nap = time.sleep"
    spy = f"{look}; time.sleep = lambda s: (sys.stderr.write('%s %s' % (s, gc.isenabled())), nap(s))"
    line = runners.request(tmp_path, options={}, idle_after_ns=2_000_000)
    assert runners.launch(runners.tiny(tmp_path, before=spy), line).stderr == "0.002 False"


def test_garbage_collection_is_off_in_the_window_and_on_after(tmp_path: Path) -> None:
    look = "import gc; sys.stderr.write('%s %s\\n' % (self.phase, gc.isenabled()))"
    measure = {"min_duration_ns": 0, "min_iterations": 2}
    line = runners.request(tmp_path, options={}, measure=measure, warmup={"cap": 1, "settle": 1})
    ended = runners.launch(runners.tiny(tmp_path, infer=look), line)
    assert ended.stderr.splitlines() == [
        "first True", "warmup True", "settle False", "measure False", "measure False",
        "outputs True", "outputs True",
    ]  # fmt: skip


def test_nothing_is_written_while_the_window_is_open(tmp_path: Path) -> None:
    stuck = "import time; self.phase == 'measure' and time.sleep(30)"
    child = runners.start(runners.tiny(tmp_path, infer=stuck))
    runners.feed(child, runners.request(tmp_path, options={}))
    assert child.stdout
    os.set_blocking(child.stdout.fileno(), False)
    written, deadline = b"", time.monotonic() + 60
    while b'"settle"' not in written:
        assert time.monotonic() < deadline, written
        written += child.stdout.read() or b""
        time.sleep(0.05)
    time.sleep(1)  # long inside the first inference of the window
    written += child.stdout.read() or b""
    runners.discard(child)
    last = json.loads(written.splitlines()[-1])
    assert (last["name"], last["edge"]) == ("settle", "start")
    assert b"latencies" not in written


def test_nothing_is_written_while_it_is_idle_after_the_window(tmp_path: Path) -> None:
    """What comes with the end mark of the window comes when the sleep is over, latencies last."""
    child = runners.start(runners.tiny(tmp_path))
    runners.feed(child, runners.request(tmp_path, options={}, idle_after_ns=1_500_000_000))
    assert child.stdout
    written, seen_ns = [], []
    for line in child.stdout:
        written.append(json.loads(line))
        seen_ns.append(time.monotonic_ns())
    runners.discard(child)
    marks = {(m["name"], m["edge"]): m["t_ns"] for m in written if m["type"] == "phase"}
    start, end = marks["idle_after", "start"], marks["idle_after", "end"]
    assert end - start >= 1_500_000_000
    assert [m["type"] for m, t in zip(written, seen_ns, strict=True) if start + 10**9 < t < end] == []
    names = [(m.get("name"), m.get("edge"), m.get("phase")) for m in written]
    assert names.index(("measure", "end", None)) + 1 == names.index(("idle_after", "start", None))
    assert names.index(("idle_after", "end", None)) < names.index((None, None, "measure"))


NOISE = (
    "print('from Python'); os.write(1, b'from C\\n'); os.system('echo from a child'); "
    "sys.__stdout__.write('again\\n')"
)


@pytest.mark.parametrize("where", ["version", "load", "bind", "infer", "placement", "close", "before"])
def test_what_libraries_print_goes_to_standard_error(where: str, tmp_path: Path) -> None:
    measure = {"min_duration_ns": 0, "min_iterations": 2}
    line = runners.request(tmp_path, options={}, measure=measure, warmup={"cap": 1})
    ended = runners.launch(runners.tiny(tmp_path, **{where: NOISE}), line)
    assert ended.exit_code == 0
    assert ended.one("done")["iterations"] == 2
    for text in ("from Python", "from C", "from a child", "again"):
        assert text in ended.stderr


def test_numbers_that_json_does_not_have_become_null(tmp_path: Path) -> None:
    outputs = "(1, 5), [float('nan'), float('inf'), -float('inf'), 0.5, 7]"
    ended = runners.launch(runners.tiny(tmp_path, outputs=outputs), runners.request(tmp_path, options={}))
    assert ended.all("outputs")[0]["values"] == [None, None, None, 0.5, 7]
    assert b"NaN" not in ended.stdout


def test_inputs_that_the_model_does_not_take(tmp_path: Path) -> None:
    line = runners.request(tmp_path, options={})
    runners.write_npy(tmp_path / "inputs.npy", (2, 3, 1))
    error = runners.launch(runners.tiny(tmp_path), line).one("error")
    assert error["code"] == "protocol"
    assert error["message"].endswith("hold float32 [3, 1]; the model takes float32 [1, 3]")


def test_inspect_and_describe(tmp_path: Path) -> None:
    line = runners.request(tmp_path, options={})
    del line["inputs"]
    ended = runners.launch(runners.tiny(tmp_path), line, ["inspect"])
    assert ended.exit_code == 0
    assert ended.phases == [(name, edge) for name in ("import", "load") for edge in ("start", "end")]
    assert ended.one("model")["inputs"][0]["shape"] == [1, 3]
    assert ended.messages[-1] == {"type": "done", "iterations": 0}
    for data in (b"", b'{"protocol":1}\n'):
        ended = runners.launch(runners.tiny(tmp_path), data, ["describe"])
        assert ended.exit_code == 0
        (hello,) = ended.messages
        assert (hello["runtime"], hello["version"], hello["protocols"]) == ("tiny", "1", ["1.3.0"])


def test_describe_does_not_wait_for_a_request_that_never_comes(tmp_path: Path) -> None:
    child = runners.start(runners.tiny(tmp_path), ["describe"])
    assert child.wait(10) == 0
    runners.discard(child)


@pytest.mark.parametrize("command", [["inspect"], ["compile"], ["run"], [], ["sing"], ["run", "run"]])
def test_no_request_or_no_command_is_a_protocol_error(command: list[str], tmp_path: Path) -> None:
    ended = runners.launch(runners.tiny(tmp_path), b"", command)
    assert (ended.exit_code, ended.messages[0]["type"]) == (1, "hello")
    assert ended.one("error")["code"] == "protocol"


def test_compile_is_unsupported_unless_a_runner_can(tmp_path: Path) -> None:
    line = {**runners.request(tmp_path, options={}), "output_dir": str(tmp_path)}
    assert runners.launch(runners.tiny(tmp_path), line, ["compile"]).one("error")["code"] == "unsupported"
    runner = runners.tiny(tmp_path)
    runner.write_text(
        runner.read_text().replace(
            "    def bind",
            "    def compile(self):\n"
            "        path = os.path.join(self.request.output_dir, 'made')\n"
            "        open(path, 'wb').write(b'abc')\n"
            "        return path, 'mine'\n\n"
            "    def bind",
        )
    )
    ended = runners.launch(runner, line, ["compile"])
    assert ended.exit_code == 0
    artifact = ended.one("artifact")
    assert (artifact["format"], artifact["bytes"], artifact["path"]) == ("mine", 3, str(tmp_path / "made"))
    assert artifact["sha256"] == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert ("compile", "end") in ended.phases


def test_a_reader_that_is_gone_ends_it_quietly(tmp_path: Path) -> None:
    child = runners.start(runners.tiny(tmp_path))
    assert child.stdout
    assert child.stderr
    child.stdout.close()
    runners.feed(child, runners.request(tmp_path, options={}))
    assert child.wait(30) == 1
    assert "BrokenPipeError" in child.stderr.read().decode()
    runners.discard(child)


def test_leftovers_are_removed_after_success_and_after_failure(tmp_path: Path) -> None:
    mark = f"open({str(tmp_path / 'closed')!r}, 'a').write('x')"
    line = runners.request(tmp_path, options={})
    assert runners.launch(runners.tiny(tmp_path, close=mark), line).exit_code == 0
    assert runners.launch(runners.tiny(tmp_path, close=mark, infer="1 / 0"), line).exit_code == 1
    assert (tmp_path / "closed").read_text() == "xx"
    assert runners.launch(runners.tiny(tmp_path, close="raise OSError"), line).exit_code == 0


@pytest.mark.parametrize("first", [False, True], ids=["child", "pid 1"])
def test_sigterm_ends_it_inside_a_long_call_of_c(first: bool, tmp_path: Path) -> None:
    # In a new namespace it is PID 1, for which the kernel drops the signals that nobody handles.
    below = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"] if first else []
    if first and subprocess.run([*below, "true"], capture_output=True).returncode:
        pytest.skip("this user may not make a PID namespace")
    # The call keeps the interpreter's lock: no handler in Python could run.
    stuck = "import ctypes; sys.stderr.write('stuck\\n'); ctypes.PyDLL(None).sleep(20)"
    child = runners.start(runners.tiny(tmp_path, load=stuck), below=below)
    runners.feed(child, runners.request(tmp_path, options={}))
    assert child.stderr
    assert child.stdout
    assert child.stderr.readline() == b"stuck\n"
    children = Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split()
    began = time.monotonic()
    os.kill(int(children[0]) if first else child.pid, signal.SIGTERM)
    assert child.wait(10) != 0
    assert time.monotonic() - began < 5
    assert b"done" not in child.stdout.read()
    runners.discard(child)
