import struct
import zipfile
import zlib

import pyarrow as pa
import pytest

from handan.costs.importers.zipped import open_zip, read_member
from handan.traces.errors import ImportFormatError


def packed(path, frames, crc=None):
    """Write a zip file of one Zstandard member; Python's zipfile can't, so it stores and is then patched."""
    content = b"".join(frames)
    body = b"".join(pa.Codec("zstd").compress(frame, asbytes=True) for frame in frames)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("one.json", body)
    stored = struct.pack("<III", zlib.crc32(body), len(body), len(body))
    real = struct.pack("<III", zlib.crc32(content) if crc is None else crc, len(body), len(content))
    raw = bytearray(path.read_bytes().replace(stored, real))
    for signature, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        start = raw.index(signature) + offset
        raw[start : start + 2] = struct.pack("<H", 93)
    path.write_bytes(raw)
    return path


@pytest.mark.parametrize("frames", [[b"hello"], [b"a" * 100_000, b"b" * 7, b"c" * 70_000]])
def test_zstandard_members_are_unpacked_over_all_their_frames(tmp_path, frames):
    with open_zip(packed(tmp_path / "x.eval", frames)) as archive:
        assert read_member(archive, "one.json") == b"".join(frames)


def test_a_damaged_member_is_named(tmp_path):
    wrong = pytest.raises(
        ImportFormatError, match=r"x.eval: one.json can't be unpacked: its checksum is wrong"
    )
    with open_zip(packed(tmp_path / "x.eval", [b"hello"], crc=1)) as archive, wrong:
        read_member(archive, "one.json")


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_other_methods_work_too(tmp_path, method):
    with zipfile.ZipFile(tmp_path / "x.zip", "w", method) as archive:
        archive.writestr("one.json", "hello")
    with open_zip(tmp_path / "x.zip") as archive:
        assert read_member(archive, "one.json") == b"hello"
