"""Downloads and archives, with files of this machine as their origin."""

import hashlib
import io
import pathlib
import tarfile
import zipfile

import pytest

from lamina.errors import ConfigError, FileError, NetworkError, UnsafeFileError
from lamina.utils import archives, get_file


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


def text(path):
    return pathlib.Path(path).read_text()


def tar(path, *members):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            if isinstance(content, bytes):
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
            else:
                info.type, info.linkname = content
                archive.addfile(info)
    return path.as_uri()


@pytest.fixture
def origin(tmp_path):
    return tar(tmp_path / "set.tar.gz", ("set/a.txt", b"first"), ("set/in/b.txt", b"second"))


def test_a_file_is_fetched_once(tmp_path, cache):
    (tmp_path / "x.txt").write_text("old")
    uri = (tmp_path / "x.txt").as_uri()
    path = get_file(origin=uri, cache_dir=cache)
    assert path == str(cache / "datasets" / "x.txt")
    (tmp_path / "x.txt").write_text("new")
    assert text(get_file(origin=uri, cache_dir=cache)) == "old"
    assert text(get_file(origin=uri, cache_dir=cache, force_download=True)) == "new"
    assert get_file("y", uri, cache_subdir=tmp_path / "z", cache_dir=cache) == str(tmp_path / "z" / "y")


def test_the_cache_is_that_of_keras(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    (tmp_path / "x.txt").write_text("x")
    assert get_file(origin=(tmp_path / "x.txt").as_uri()) == str(tmp_path / "home" / "datasets" / "x.txt")


@pytest.mark.parametrize("algorithm", ["md5", "sha256"])
def test_the_hash_is_checked(tmp_path, cache, algorithm):
    (tmp_path / "x").write_bytes(b"good")
    digest = hashlib.new(algorithm, b"good").hexdigest()
    arguments = {"origin": (tmp_path / "x").as_uri(), "cache_dir": cache, "file_hash": digest.upper()}
    path = get_file(**arguments)
    (cache / "datasets" / "x").write_bytes(b"spoilt")
    assert text(get_file(**arguments, hash_algorithm=algorithm)) == "good"
    with pytest.raises(FileError, match="should have the hash"):
        get_file("other", **{**arguments, "file_hash": "0" * len(digest)})
    assert [file.name for file in (cache / "datasets").iterdir()] == ["x"] and path.endswith("x")


@pytest.mark.parametrize(
    "arguments, folder, archive",
    [
        ({"extract": True}, "set.tar.gz", "set.tar.gz_archive"),
        ({"extract": True, "fname": "mine"}, "mine", "mine_archive"),
        ({"untar": True, "fname": "mine"}, "mine", "mine_archive"),
        ({"extract": True, "fname": "mine.tar.gz", "archive_format": "tar"}, "mine_extracted", "mine.tar.gz"),
    ],
)
def test_places_of_archives_are_those_of_keras(origin, cache, arguments, folder, archive):
    path = get_file(origin=origin, cache_dir=cache, **arguments)
    assert path == str(cache / "datasets" / folder)
    assert {file.name for file in (cache / "datasets").iterdir()} == {folder, archive}
    assert text(f"{path}/set/in/b.txt") == "second"


def test_an_archive_is_taken_apart_once(origin, cache):
    path = get_file("mine", origin, extract=True, cache_dir=cache)
    pathlib.Path(path, "marker").touch()
    assert get_file("mine", origin, extract=True, cache_dir=cache) == path
    assert text(f"{path}/marker") == ""
    get_file("mine", origin, extract=True, cache_dir=cache, force_download=True)
    with pytest.raises(FileNotFoundError):
        text(f"{path}/marker")


@pytest.mark.parametrize(
    "name, content",
    [
        ("../out", b"x"),
        ("/out", b"x"),
        ("//tmp/lamina_out", b"x"),  # pathlib takes "//" for a root of its own
        ("link", (tarfile.SYMTYPE, "//etc/passwd")),
        ("in/../../out", b"x"),
        ("C:/out", b"x"),
        ("..\\out", b"x"),
        ("link", (tarfile.SYMTYPE, "../../secret")),
        ("link", (tarfile.SYMTYPE, "/etc/passwd")),
        ("link", (tarfile.LNKTYPE, "/etc/passwd")),
        ("pipe", (tarfile.FIFOTYPE, "")),
        ("device", (tarfile.CHRTYPE, "")),
    ],
)
def test_hostile_tars(tmp_path, cache, name, content):
    (tmp_path / "secret").write_text("secret")
    origin = tar(tmp_path / "bad.tar.gz", ("good", b"x"), (name, content))
    with pytest.raises(FileError):
        get_file("bad", origin, extract=True, cache_dir=cache)
    assert {file.name for file in (cache / "datasets").iterdir()} == {"bad_archive"}
    assert {file.name for file in tmp_path.iterdir()} == {"cache", "secret", "bad.tar.gz"}


def test_tars_that_would_fill_the_memory(tmp_path, cache):
    """Headers that are read whole, sparse files, links to themselves."""
    sparse = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "s", "GNU.sparse.realsize": "9"}
    long_name, loop, header = tarfile.TarInfo("n"), tarfile.TarInfo("loop"), tarfile.TarInfo("sparse")
    long_name.type, long_name.size = tarfile.GNUTYPE_LONGNAME, 50 << 20
    loop.type, loop.linkname = tarfile.SYMTYPE, "loop"
    header.pax_headers = sparse
    for number, entry in enumerate((long_name, loop, header)):
        path = tmp_path / f"{number}.tar.gz"
        with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT) as archive:
            archive.addfile(entry, io.BytesIO(bytes(entry.size)))
        with pytest.raises((UnsafeFileError, ConfigError)):  # from Python 3.13 on the first is no archive at all
            get_file(f"set{number}", path.as_uri(), extract=True, cache_dir=cache)


def test_zips_packed_in_other_ways(tmp_path, cache):
    with zipfile.ZipFile(tmp_path / "z.zip", "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("a", "x")
    with pytest.raises(UnsafeFileError, match="neither stored nor deflated"):
        get_file("z", (tmp_path / "z.zip").as_uri(), extract=True, cache_dir=cache)


def test_a_zip_with_a_member_of_no_name_is_refused(tmp_path, cache):
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr("a", "x")
        archive.filelist[0].filename = ""
    with pytest.raises(UnsafeFileError, match="no name"):
        get_file("z", (tmp_path / "z.zip").as_uri(), extract=True, cache_dir=cache)


def test_a_zip_with_a_name_that_is_not_utf_8_is_refused(tmp_path, cache):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("éé", "x")
    damaged = (tmp_path / "x.zip").read_bytes().replace("éé".encode(), b"\xff\xfe\xff\xfe")
    (tmp_path / "x.zip").write_bytes(damaged)
    with pytest.raises(FileError, match="cannot be unpacked: 'utf-8' codec"):
        get_file(origin=(tmp_path / "x.zip").as_uri(), extract=True, cache_dir=cache)


def test_links_inside_are_copies(tmp_path, cache):
    origin = tar(
        tmp_path / "t.tar.gz", ("d/a", b"text"), ("d/b", (tarfile.SYMTYPE, "a")), ("c", (tarfile.LNKTYPE, "d/a"))
    )
    path = get_file("t", origin, extract=True, cache_dir=cache)
    assert text(f"{path}/d/b") == text(f"{path}/c") == "text"
    assert not (cache / "datasets" / "t" / "d" / "b").is_symlink()


def test_zips(tmp_path, cache, monkeypatch):
    for name, entry, size in (("good", "d/a", 3), ("bad", "../a", 3), ("bomb", "a", 2_000_000)):
        with zipfile.ZipFile(tmp_path / f"{name}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(entry, b"0" * size)
    uri = {name: (tmp_path / f"{name}.zip").as_uri() for name in ("good", "bad", "bomb")}
    assert text(get_file("good", uri["good"], extract=True, cache_dir=cache) + "/d/a") == "000"
    with pytest.raises(FileError, match="leads out"):
        get_file("bad", uri["bad"], extract=True, cache_dir=cache)
    monkeypatch.setattr(archives, "MIN_BYTES", 1000)
    with pytest.raises(FileError, match="bomb"):
        get_file("bomb", uri["bomb"], extract=True, cache_dir=cache)
    monkeypatch.setattr(archives, "MAX_ENTRIES", 0)
    with pytest.raises(FileError, match="entries"):
        get_file("good2", uri["good"], extract=True, cache_dir=cache)
    assert not list((cache / "datasets").glob(".*"))


def test_damaged_archives(tmp_path, cache, origin):
    whole = (tmp_path / "set.tar.gz").read_bytes()
    with zipfile.ZipFile(packed := io.BytesIO(), "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", bytes(range(256)) * 20)
    wrong = bytearray(packed.getvalue())
    wrong[40:60] = bytes(20)
    for number, data in enumerate((whole[:-30], whole[:20], bytes(wrong), whole[:40] + bytes(40) + whole[80:])):
        (tmp_path / "cut").write_bytes(data)
        with pytest.raises((FileError, ConfigError), match="cannot be unpacked|not an archive"):
            get_file(f"cut{number}", (tmp_path / "cut").as_uri(), extract=True, cache_dir=cache)


@pytest.mark.parametrize("name", ["C:x", "a/C:x", "a/C:/x", "a\\b\\D:\\x", "a:stream"])
def test_drives_of_windows_are_no_folders(name, tmp_path, cache):
    """There, the rest of a path begins at a drive, wherever it stands."""
    with pytest.raises(UnsafeFileError, match="leads out"):
        get_file("t", tar(tmp_path / "t.tar", (name, b"text")), extract=True, cache_dir=cache)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"fname": "x"}, "address"),
        ({"fname": "../x", "origin": "file:///x"}, "not a path"),
        ({"origin": "file:///"}, "not a path"),
        ({"origin": "file:///x", "file_hash": "ab"}, "hexadecimal"),
        ({"origin": "file:///x", "file_hash": "0" * 32, "hash_algorithm": "sha256"}, "hexadecimal"),
        ({"origin": "file:///x", "hash_algorithm": "crc"}, "hash_algorithm"),
    ],
)
def test_refusals(cache, arguments, message):
    with pytest.raises(ConfigError, match=message):
        get_file(cache_dir=cache, **arguments)


def test_what_is_no_archive(tmp_path, cache, origin):
    with pytest.raises(ConfigError, match="not an archive"):
        get_file("a", origin, extract=True, archive_format="zip", cache_dir=cache)
    with pytest.raises(ConfigError, match="archive_format"):
        get_file("a", origin, extract=True, archive_format="rar", cache_dir=cache)
    with pytest.raises(NetworkError):
        get_file(origin=(tmp_path / "absent").as_uri(), cache_dir=cache)
