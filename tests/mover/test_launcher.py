"""The launcher outside a pod: how a command ends, and what the reader of the FIFO is told of it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from towpath_mover.launcher import IMAGE_BUSYBOX, SOURCE, launcher_command, publish_command

pytestmark = pytest.mark.skipif(not Path(IMAGE_BUSYBOX).exists(), reason="needs Debian's busybox-static")


@pytest.fixture(autouse=True)
def hangups_are_heard() -> Iterator[None]:
    """Under `nohup` they are not: a shell cannot trap what was ignored when it began. In a pod nobody ignores them."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@dataclass
class Ended:
    """How a launched command ended: the launcher's own exit code, and the whole text in the FIFO."""

    code: int
    said: str
    output: bytes
    errors: bytes


@dataclass
class Launched:
    """A running launcher and the reader at the other end of its FIFO."""

    process: subprocess.Popen[bytes]
    reader: subprocess.Popen[bytes]

    def end(self) -> Ended:
        output, errors = self.process.communicate(timeout=60)
        said, _ = self.reader.communicate(timeout=60)
        return Ended(self.process.returncode, said.decode(), output, errors)


class Bench:
    """A folder as `stage-in` leaves it, in which commands are launched."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copy(IMAGE_BUSYBOX, folder / "busybox")
        shutil.copy(SOURCE, folder / "launcher")
        os.mkfifo(folder / "alive")
        self.started: list[subprocess.Popen[bytes]] = []

    def read(self) -> subprocess.Popen[bytes]:
        return self._start(["cat", str(self.folder / "alive")])

    def launch_unread(
        self, *command: str, timeout: int | None = None, grace: int = 5, env: dict[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        return self._start(launcher_command(command, timeout, grace, str(self.folder)), env)

    def launch(
        self, *command: str, timeout: int | None = None, grace: int = 5, env: dict[str, str] | None = None
    ) -> Launched:
        return Launched(self.launch_unread(*command, timeout=timeout, grace=grace, env=env), self.read())

    def run(
        self, *command: str, timeout: int | None = None, grace: int = 5, env: dict[str, str] | None = None
    ) -> Ended:
        return self.launch(*command, timeout=timeout, grace=grace, env=env).end()

    def _start(self, command: list[str], env: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env)
        self.started.append(process)
        return process


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    # Whoever runs the tests in a shell's background has these ignored, and so would all that they start.
    for number in (signal.SIGINT, signal.SIGQUIT):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    bench = Bench(tmp_path)
    yield bench
    for process in bench.started:
        process.kill()
        process.communicate()


def eventually(fact: Callable[[], bool]) -> None:
    """Wait until the fact holds; fail loudly after a minute."""
    deadline = time.monotonic() + 60
    while not fact():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.005)


def python(code: str) -> tuple[str, str, str]:
    return (sys.executable, "-c", code)


READY = "import pathlib, sys; pathlib.Path(sys.argv[1]).touch(); "


@pytest.mark.parametrize("code", [0, 1, 7, 42, 255])
def test_the_exit_code_goes_through_and_is_said(bench: Bench, code: int) -> None:
    ended = bench.run("/bin/sh", "-c", f"exit {code}")
    assert (ended.code, ended.said) == (code, f"{code}\n")


def test_a_crash_is_said_as_128_and_its_signal(bench: Bench) -> None:
    ended = bench.run(*python("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"))
    assert (ended.code, ended.said) == (139, "139\n")


def test_a_killed_command_is_said_as_137(bench: Bench) -> None:
    ended = bench.run("/bin/sh", "-c", "kill -KILL $$")
    assert (ended.code, ended.said) == (137, "137\n")


@pytest.mark.fault
def test_a_killed_launcher_says_nothing_and_the_reader_still_ends(bench: Bench, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    launched = bench.launch(
        *python(READY + "import os, time; os.close(1); os.close(2); time.sleep(2)"), str(mark)
    )
    eventually(mark.exists)
    launched.process.kill()
    ended = launched.end()
    assert (ended.code, ended.said) == (-signal.SIGKILL, "")


@pytest.mark.fault
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP])
def test_a_command_that_was_told_to_stop_is_never_a_success(
    bench: Bench, tmp_path: Path, number: signal.Signals
) -> None:
    mark = tmp_path / "mark"
    flush = "import signal, sys, time, pathlib; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); "
    launched = bench.launch(*python(flush + "pathlib.Path(sys.argv[1]).touch(); time.sleep(60)"), str(mark))
    eventually(mark.exists)
    launched.process.send_signal(number)
    ended = launched.end()
    assert (ended.code, ended.said) == (143, "143 terminated\n")


@pytest.mark.fault
def test_a_stopped_command_keeps_its_own_failure(bench: Bench, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    handler = "import signal, sys, time, pathlib; signal.signal(signal.SIGTERM, lambda *_: sys.exit(3)); "
    launched = bench.launch(*python(handler + "pathlib.Path(sys.argv[1]).touch(); time.sleep(60)"), str(mark))
    eventually(mark.exists)
    launched.process.terminate()
    ended = launched.end()
    assert (ended.code, ended.said) == (3, "3 terminated\n")


@pytest.mark.fault
def test_a_stop_before_anybody_reads_does_not_start_the_command(bench: Bench, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    launcher = bench.launch_unread("/usr/bin/touch", str(mark))
    eventually(lambda: waits_for_reader(launcher.pid))
    launcher.terminate()
    launcher.communicate(timeout=60)
    assert launcher.returncode == 143
    assert not mark.exists()


@pytest.mark.fault
@pytest.mark.parametrize("milliseconds", range(0, 24, 2))
def test_a_stop_at_any_moment_of_the_start_ends_the_step_and_is_no_success(
    bench: Bench, milliseconds: int
) -> None:
    reader = bench.read()
    # One that came only after the launcher's end would wait for ever; `publish` hears of that end by a TERM.
    eventually(lambda: waits_for_writer(reader.pid))
    launcher = bench.launch_unread("/bin/sleep", "60")
    eventually(lambda: traps_term(launcher.pid))
    deadline = time.monotonic() + milliseconds / 1000
    while time.monotonic() < deadline:
        pass
    launcher.terminate()
    ended = Launched(launcher, reader).end()
    assert (ended.code, ended.said) == (143, "143 terminated\n")


def test_a_command_that_takes_too_long_is_stopped_and_said_so(bench: Bench) -> None:
    ended = bench.run("/bin/sleep", "60", timeout=1)
    assert (ended.code, ended.said) == (124, "124 timeout\n")
    assert b"timeoutSeconds=1" in ended.errors


def test_a_command_that_ignores_the_stop_is_killed_after_its_grace(bench: Bench) -> None:
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
    begun = time.monotonic()
    ended = bench.run(*python(stubborn), timeout=1, grace=1)
    assert (ended.code, ended.said) == (124, "124 timeout\n")
    assert 1.9 < time.monotonic() - begun < 10


def test_a_stopped_command_that_does_not_end_is_killed_after_its_grace(bench: Bench, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    ignore = "import signal, sys, time, pathlib; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    launched = bench.launch(
        *python(ignore + "pathlib.Path(sys.argv[1]).touch(); time.sleep(60)"), str(mark), grace=1
    )
    eventually(mark.exists)
    # Twice, as a cancel after an eviction: the grace is that of the first.
    launched.process.terminate()
    launched.process.terminate()
    ended = launched.end()
    assert (ended.code, ended.said) == (137, "137 terminated\n")


def test_a_stopped_command_leaves_no_killer_behind(bench: Bench, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    launched = bench.launch(*python(READY + "import time; time.sleep(60)"), str(mark), grace=876543)
    eventually(mark.exists)
    launched.process.terminate()
    assert launched.end().said == "143 terminated\n"
    eventually(lambda: not processes_with("876543"))


def test_a_late_success_is_a_timeout(bench: Bench) -> None:
    flush = "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); time.sleep(60)"
    ended = bench.run(*python(flush), timeout=1)
    assert (ended.code, ended.said) == (124, "124 timeout\n")


def test_a_command_in_time_leaves_no_timer_behind(bench: Bench, tmp_path: Path) -> None:
    ended = bench.run("/bin/true", timeout=987654)
    assert (ended.code, ended.said) == (0, "0\n")
    eventually(lambda: not processes_with("987654"))


def test_an_orphan_of_the_command_keeps_neither_the_reader_nor_the_launcher(
    bench: Bench, tmp_path: Path
) -> None:
    ended = bench.run("/bin/sh", "-c", "sleep 3 >/dev/null 2>&1 & exit 0")
    assert (ended.code, ended.said) == (0, "0\n")


def test_an_empty_command_is_refused_and_said(bench: Bench) -> None:
    ended = bench.run()
    assert (ended.code, ended.said) == (125, "125\n")
    assert b"command" in ended.errors


def test_a_command_that_does_not_exist_is_127(bench: Bench) -> None:
    ended = bench.run("no-such-program", "x")
    assert (ended.code, ended.said) == (127, "127\n")
    assert b"'no-such-program' was not found in PATH=" in ended.errors


def test_a_path_that_does_not_exist_is_127(bench: Bench) -> None:
    assert bench.run("/no/such/program").code == 127


def test_a_file_that_may_not_be_executed_is_126(bench: Bench, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("text")
    assert bench.run(str(plain)).code == 126
    ended = bench.run("plain", env={"PATH": str(tmp_path)})
    assert (ended.code, ended.said) == (126, "126\n")


def test_arguments_arrive_byte_for_byte(bench: Bench) -> None:
    every_byte = bytes(range(1, 256))
    texts = [b"", b" ", b"a\nb\n", b"$HOME $(id) `id` ${x}", b"'\"\\", b"-n", b"*", b"a=b", b"--", every_byte]
    show = "import os, sys; sys.stdout.buffer.write(b'\\0'.join(os.fsencode(a) for a in sys.argv[1:]))"
    ended = bench.run(*python(show), *(os.fsdecode(text) for text in texts))
    assert ended.output.split(b"\0") == texts


def test_arguments_of_a_hundred_kilobytes_arrive(bench: Bench) -> None:
    ended = bench.run(
        *python("import sys; print([len(a) for a in sys.argv[1:]])"), "x" * 100_000, "y" * 120_000
    )
    assert ended.output == b"[100000, 120000]\n"


def test_an_argument_that_the_kernel_refuses_is_a_failure(bench: Bench, tmp_path: Path) -> None:
    script = tmp_path / "launcher"
    script.write_text(
        script.read_text().replace('become "$@"', 'become "$@" "$(head -c 200000 /dev/zero | tr "\\0" x)"')
    )
    ended = bench.run("/bin/true")
    assert (ended.code, ended.said) == (126, "126\n")


def test_the_command_is_the_images_own_program_not_an_applet(bench: Bench, tmp_path: Path) -> None:
    folder = tmp_path / "image"
    folder.mkdir()
    for name in ("ls", "echo", "test"):
        (folder / name).write_text(f"#!/bin/sh\necho the image: $1 {name}\n")
        (folder / name).chmod(0o755)
        ended = bench.run(name, "says", env={"PATH": str(folder)})
        assert ended.output.decode() == f"the image: says {name}\n"


def test_the_command_sees_its_own_name(bench: Bench) -> None:
    ended = bench.run("sh", "-c", "tr '\\0' ' ' </proc/$$/cmdline")
    assert ended.output.startswith(b"sh -c ")


def test_variables_that_sh_cannot_hold_arrive_unchanged(bench: Bench) -> None:
    given = {
        "PATH": os.environ["PATH"],
        "a.b": "x\n y\n\n",
        "c-d": "$HOME * 'q'",
        "plain": "p\nq",
        "e.f": "",
        "-i": "x",
    }
    show = "import os, sys; sys.stdout.write(repr(dict(os.environ)))"
    ended = bench.run(*python(show), "argument with space", env=given)
    seen = eval(ended.output)  # noqa: S307 - our own repr
    assert {name: seen.get(name) for name in given} == given


def test_no_variable_of_the_user_is_changed(bench: Bench) -> None:
    own = set(re.findall(r"\btp_([a-z]+)", SOURCE.read_text())) | {
        "IFS",
        "OPTIND",
        "PPID",
        "PS4",
        "ENV",
    }
    assert {"code", "name", "timeout"} <= own
    given = {name: f"the user's {name}" for name in own} | {"PATH": os.environ["PATH"]}
    ended = bench.run(*python("import os; print(dict(os.environ))"), timeout=11, env=given)
    seen = eval(ended.output)  # noqa: S307 - our own repr
    assert {name: seen.get(name) for name in given} == given


def test_a_bench_without_a_fifo_is_said_so(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "alive").unlink()
    (tmp_path / "alive").mkdir()
    launcher = bench.launch_unread("/bin/true")
    _, errors = launcher.communicate(timeout=60)
    assert launcher.returncode == 125
    assert b"alive cannot be opened" in errors


def test_the_command_holds_no_descriptor_of_the_launcher(bench: Bench) -> None:
    ended = bench.run(*python("import os; print(sorted(map(int, os.listdir('/proc/self/fd'))))"))
    assert ended.output == b"[0, 1, 2, 3]\n"


def test_the_command_dies_of_a_broken_pipe_as_anywhere(bench: Bench) -> None:
    show = (
        "import signal; print([l for l in open('/proc/self/status') if l.startswith('SigIgn')][0].split()[1])"
    )
    ended = bench.run("/bin/sh", "-c", "grep SigIgn /proc/self/status")
    ignored = int(ended.output.split()[1], 16)
    assert not ignored & 1 << (signal.SIGPIPE - 1), show
    assert not ignored & 1 << (signal.SIGTERM - 1)


def test_a_reader_that_is_gone_does_not_change_how_the_step_ended(bench: Bench, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    go = tmp_path / "go"
    wait = f"while [ ! -e {go} ]; do sleep 0.01; done; exit 7"
    launched = bench.launch("/bin/sh", "-c", f"touch {mark}; {wait}")
    eventually(mark.exists)
    launched.reader.kill()
    launched.reader.wait()
    go.touch()
    assert launched.end().code == 7


@pytest.mark.fault
@pytest.mark.skipif(os.getuid() != 0, reason="a PID namespace needs root")
def test_as_pid_1_it_hears_a_stop_survives_its_child_and_takes_all_with_it(
    bench: Bench, tmp_path: Path
) -> None:
    mark = tmp_path / "mark"
    child = "import os, pathlib, sys, time; os.kill(1, 9); os.fork(); pathlib.Path(sys.argv[1]).touch(); time.sleep(77)"
    command = launcher_command([*python(child), str(mark)], None, 5, str(tmp_path))
    launched = Launched(bench._start(["unshare", "--pid", "--fork", "--mount-proc", *command]), bench.read())
    eventually(mark.exists)
    children = Path(f"/proc/{launched.process.pid}/task/{launched.process.pid}/children").read_text()
    os.kill(int(children), signal.SIGTERM)
    ended = launched.end()
    assert (ended.code, ended.said) == (143, "143 terminated\n")
    eventually(lambda: not processes_with(child))


@pytest.mark.parametrize(
    ("said", "received"), [("0\n", "0\n."), ("0\n\n", "0\n\n."), ("", "."), ("x" * 500, "x" * 64 + ".")]
)
def test_publish_is_told_the_very_text(bench: Bench, tmp_path: Path, said: str, received: str) -> None:
    ended = await_publish(bench, tmp_path, said)
    assert ended == ["-P", "-s", "-m", "towpath_mover", "publish", received]


def test_publish_does_not_run_when_the_step_never_began(bench: Bench, tmp_path: Path) -> None:
    waiting = bench._start(publish_command(str(tmp_path / "alive"), "/bin/false"))
    eventually(lambda: waits_for_writer(waiting.pid))
    waiting.terminate()
    waiting.communicate(timeout=60)
    assert waiting.returncode == 45


def await_publish(bench: Bench, folder: Path, said: str) -> list[str]:
    show = folder / "show"
    show.write_text("#!/bin/sh\nfor a; do printf '%s\\0' \"$a\"; done\n")
    show.chmod(0o755)
    waiting = bench._start(publish_command(str(folder / "alive"), str(show)))
    with (folder / "alive").open("w") as fifo:
        waiting.terminate()
        fifo.write(said)
    output, errors = waiting.communicate(timeout=60)
    assert (waiting.returncode, errors) == (0, b"")
    return output.decode().split("\0")[:-1]


def waits_for_reader(pid: int) -> bool:
    return Path(f"/proc/{pid}/wchan").read_text() in {"wait_for_partner", "fifo_open"}


waits_for_writer = waits_for_reader


def traps_term(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status").read_text()
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(caught.split()[1], 16) & 1 << (signal.SIGTERM - 1))


def processes_with(argument: str) -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if argument.encode() in entry.read_bytes().split(b"\0"):
                found.append(int(entry.parent.name))
        except OSError:
            continue
    return found
