"""The tests' servers are found or fetched, and where neither can be, it is said what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import debian_servers
from tests.support.debian_servers import ServersMissing, environment_of, fetch_servers, find_program, main, program


@pytest.fixture
def bare_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A system that has nothing; gives the folder in which servers would be unpacked."""
    monkeypatch.setattr(debian_servers, "FOLDER", tmp_path / "servers")
    monkeypatch.setattr(debian_servers, "_ROOT", tmp_path / "servers" / "root")
    monkeypatch.setattr(debian_servers, "_PLACES", ("usr/bin-of-nobody",))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (tmp_path / "bin").mkdir()
    return tmp_path / "servers"


def put(folder: Path, name: str) -> Path:
    """A program of that name in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / name
    made.write_text("#!/bin/sh\n", "utf-8")
    made.chmod(0o755)
    return made


@pytest.mark.usefixtures("bare_system")
def test_without_apt_it_is_said_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ServersMissing, match=r"apt-get or dpkg-deb is missing"):
        fetch_servers()
    assert main() == 1
    told = capsys.readouterr().err
    assert "bearerbox, smsbox, fakesmsc, redis-server" in told
    assert "PATH" in told


@pytest.mark.usefixtures("bare_system")
def test_a_missing_program_names_the_command_that_fetches_it() -> None:
    with pytest.raises(ServersMissing, match="make servers"):
        program("bearerbox")


def test_what_the_system_has_is_taken_and_nothing_fetched(tmp_path: Path, bare_system: Path) -> None:
    for name in ("bearerbox", "smsbox", "fakesmsc", "redis-server"):
        put(tmp_path / "bin", name)
    fetch_servers()
    assert find_program("smsbox") == tmp_path / "bin" / "smsbox"
    assert not (bare_system / "root").exists()
    assert "LD_LIBRARY_PATH" not in environment_of(program("smsbox"))


def test_what_was_unpacked_finds_its_libraries(bare_system: Path) -> None:
    put(bare_system / "root/usr/bin-of-nobody", "smsbox")
    put(bare_system / "root/lib/any", "libpcre.so.3")
    put(bare_system / "root/usr/lib/any", "libhiredis.so.0.14")
    folders = environment_of(program("smsbox"))["LD_LIBRARY_PATH"].split(":")
    assert folders == [str(bare_system / "root/lib/any"), str(bare_system / "root/usr/lib/any")]


def test_a_package_source_that_fails_is_told_with_its_words(
    tmp_path: Path, bare_system: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = put(tmp_path / "bin", "apt-get")
    broken.write_text("#!/bin/sh\necho 'no route to any archive' >&2\nexit 100\n", "utf-8")
    put(tmp_path / "bin", "dpkg-deb")
    assert main() == 1
    told = capsys.readouterr().err
    assert "no route to any archive" in told
    assert "package sources" in told
    assert not (bare_system / "root").exists()
