"""The corpus file and the canonical lines: see corpus.rs for both formats."""

import zlib
from typing import NamedTuple, Optional

SHOWN_BYTES_MAX = 256


class Entry(NamedTuple):
    """One record to write."""

    key: Optional[bytes]
    value: Optional[bytes]
    timestamp: int
    headers: list


def read(path):
    with open(path, encoding="ascii") as lines:
        return [_entry(line.rstrip("\n")) for line in lines]


def line(topic, offset, key, value, timestamp, headers):
    shown_headers = ",".join(f"{name.encode().hex()}={_shown(body)}" for name, body in headers or ())
    return f"{topic}\t{offset}\t{_shown(key)}\t{_shown(value)}\t{timestamp}\t{shown_headers}\n"


def _entry(text):
    key, value, timestamp, headers = text.split("\t")
    pairs = [header.split("=") for header in headers.split(",")] if headers else []
    return Entry(
        _bytes(key),
        _bytes(value),
        int(timestamp),
        [(_bytes(name).decode(), _bytes(body)) for name, body in pairs],
    )


def _bytes(field):
    return None if field == "-" else bytes.fromhex(field)


def _shown(data):
    if data is None:
        return "-"
    if len(data) <= SHOWN_BYTES_MAX:
        return data.hex()
    return f"#{len(data)}:{zlib.crc32(data):08x}"
