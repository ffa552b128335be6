"""Development mode opens only its own store, only where nobody else comes."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from release_passport_server.adapters.sqlite.backup import BackupRefused, back_up, restore
from release_passport_server.adapters.sqlite.dev_mark import is_dev
from release_passport_server.config import Settings, SettingsInvalid
from release_passport_server.dev_mode import DEV_STORE, dev_settings, require_dev, require_no_dev


def settings(path: Path, **sections: Any) -> Settings:
    return Settings.model_validate({"store": {"url": f"sqlite:///{path}"}, **sections})


def made(path: Path, schema: str = "CREATE TABLE alembic_version (version_num TEXT)") -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(schema)
        connection.execute("CREATE TABLE heads (tenant TEXT, epoch INTEGER)")
        connection.commit()
    return path


def test_it_makes_and_marks_its_store_and_opens_it_again(tmp_path: Path) -> None:
    wanted = settings(tmp_path / "new" / "passport.db")
    for _ in range(2):
        path = require_dev(wanted, in_kubernetes=False)
        assert is_dev(path)
    assert path.stat().st_mode & 0o077 == 0
    # Nobody commits the keys of a server that was tried out in a clone.
    assert (path.parent / ".gitignore").read_text() == "*\n"


def test_a_folder_that_was_there_before_is_left_as_it_is(tmp_path: Path) -> None:
    require_dev(settings(tmp_path / "passport.db"), in_kubernetes=False)
    assert not (tmp_path / ".gitignore").exists()


def test_its_store_never_opens_without_it_nor_does_a_copy(tmp_path: Path) -> None:
    wanted = settings(tmp_path / "passport.db")
    path = require_dev(wanted, in_kubernetes=False)
    made(path)
    back_up(path, tmp_path / "copy.db")
    for store in (path, tmp_path / "copy.db"):
        with pytest.raises(SettingsInvalid, match="made by --dev"):
            require_no_dev(settings(store))


def test_a_store_of_the_normal_mode_is_refused(tmp_path: Path) -> None:
    path = made(tmp_path / "passport.db")
    require_no_dev(settings(path))
    with pytest.raises(SettingsInvalid, match="not made by --dev"):
        require_dev(settings(path), in_kubernetes=False)


@pytest.mark.parametrize(
    ("sections", "in_kubernetes", "part"),
    [
        ({}, True, "Kubernetes"),
        ({"grpc": {"listen": "0.0.0.0:1"}}, False, "grpc.listen"),
        ({"http": {"listen": "192.0.2.1:1"}}, False, "http.listen"),
        ({"store": {"url": "postgresql://h/d"}}, False, "PostgreSQL"),
    ],
)
def test_it_is_refused_where_others_could_come(
    tmp_path: Path, sections: dict[str, Any], in_kubernetes: bool, part: str
) -> None:
    with pytest.raises(SettingsInvalid, match=part):
        require_dev(settings(tmp_path / "passport.db", **sections), in_kubernetes=in_kubernetes)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "passport.db"
    path.write_bytes(b"not a database, but long enough to be read as one" * 10)
    for require in (
        lambda: require_dev(settings(path), in_kubernetes=False),
        lambda: require_no_dev(settings(path)),
    ):
        with pytest.raises(SettingsInvalid, match="cannot be read as a SQLite database"):
            require()


def test_it_has_a_store_of_its_own_unless_one_is_named(tmp_path: Path) -> None:
    assert dev_settings(Settings(), store_is_set=False).store.url == DEV_STORE
    named = settings(tmp_path / "passport.db")
    assert dev_settings(named, store_is_set=True) is named


def test_a_backup_is_whole_private_and_alone_while_the_store_is_written(tmp_path: Path) -> None:
    source = made(tmp_path / "passport.db")
    with closing(sqlite3.connect(source)) as writer:
        writer.execute("INSERT INTO alembic_version VALUES ('1')")
        writer.commit()
        back_up(source, tmp_path / "copy.db")
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        assert copy.execute("SELECT * FROM alembic_version").fetchall() == [("1",)]
    assert (tmp_path / "copy.db").stat().st_mode & 0o077 == 0
    assert {path.name for path in tmp_path.iterdir() if path.name.startswith("copy")} == {"copy.db"}


def test_a_backup_overwrites_nothing(tmp_path: Path) -> None:
    source, taken = made(tmp_path / "passport.db"), tmp_path / "taken"
    taken.write_text("mine", encoding="utf-8")
    with pytest.raises(BackupRefused, match="exists"):
        back_up(source, taken)
    assert taken.read_text(encoding="utf-8") == "mine"
    with pytest.raises(BackupRefused, match="there is no store"):
        back_up(tmp_path / "none.db", tmp_path / "copy.db")


def test_a_restore_gives_the_copy_back(tmp_path: Path) -> None:
    source = made(tmp_path / "passport.db")
    back_up(source, tmp_path / "copy.db")
    restore(tmp_path / "copy.db", tmp_path / "again.db")
    with closing(sqlite3.connect(tmp_path / "again.db")) as again:
        assert again.execute("SELECT count(*) FROM alembic_version").fetchone() == (0,)


def test_a_restore_starts_a_new_epoch(tmp_path: Path) -> None:
    source = made(tmp_path / "passport.db")
    with closing(sqlite3.connect(source)) as store, store:
        store.execute("INSERT INTO heads VALUES ('acme', 3)")
    back_up(source, tmp_path / "copy.db")
    restore(tmp_path / "copy.db", tmp_path / "again.db")
    with closing(sqlite3.connect(tmp_path / "again.db")) as again:
        assert again.execute("SELECT epoch FROM heads").fetchall() == [(4,)]


def test_a_restore_overwrites_neither_a_store_nor_what_lies_beside_it(tmp_path: Path) -> None:
    copy = made(tmp_path / "copy.db")
    for name in ("passport.db", "passport.db-wal", "passport.db-shm"):
        (tmp_path / name).touch()
        with pytest.raises(BackupRefused, match="stop the server"):
            restore(copy, tmp_path / "passport.db")
        (tmp_path / name).unlink()


@pytest.mark.parametrize("content", [b"", b"no database at all" * 100])
def test_what_is_no_store_is_not_restored(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    with pytest.raises(BackupRefused):
        restore(file, tmp_path / "passport.db")
    assert {path.name for path in tmp_path.iterdir()} == {"file"}
