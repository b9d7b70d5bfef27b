"""Members of a zip file, also those packed with Zstandard, which Python reads only from 3.14 on."""

from __future__ import annotations

import struct
import zipfile
import zlib
from pathlib import Path

from handan.traces.errors import ImportFormatError

_ZSTANDARD = 93
_LOCAL_HEADER = 30  # bytes, of which the last four are the lengths of what follows


def open_zip(path: Path) -> zipfile.ZipFile:
    """Open a zip file.

    Raises
    ------
    ImportFormatError
        When it is none, or lacks its end.
    """
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as error:
        raise ImportFormatError(f"{path} is no zip file, or is torn: {error}") from None


def read_member(archive: zipfile.ZipFile, name: str) -> bytes:
    """Read one member, whatever it is packed with.

    Raises
    ------
    ImportFormatError
        When it is damaged, or nothing is installed that can unpack it.
    """
    member = archive.getinfo(name)
    try:
        return _zstandard(archive, member) if member.compress_type == _ZSTANDARD else archive.read(name)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError) as error:
        raise ImportFormatError(f"{archive.filename}: {name} can't be unpacked: {error}") from None


def _zstandard(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    try:
        import pyarrow as pa
    except ImportError:
        raise ImportFormatError(
            f"{archive.filename} is packed with Zstandard; pip install 'handan[traces]' to read it"
        ) from None
    with Path(str(archive.filename)).open("rb") as file:
        file.seek(member.header_offset)
        name_length, extra_length = struct.unpack("<HH", file.read(_LOCAL_HEADER)[-4:])
        file.seek(name_length + extra_length, 1)
        packed = file.read(member.compress_size)
    with pa.CompressedInputStream(pa.BufferReader(packed), "zstd") as stream:
        content = bytes(stream.read())
    if zlib.crc32(content) != member.CRC:
        raise zipfile.BadZipFile("its checksum is wrong")
    return content
