"""The devices that this machine has, and for those it lacks the reason and the remedy."""

from __future__ import annotations

from dataclasses import dataclass

from .device import find_device
from .libraries import libraries
from .library import Library


@dataclass(frozen=True)
class DeviceRecord:
    """A device that answers, or a library none of whose devices do.

    name: what use() takes. free_bytes, total_bytes: the device's own memory, None where it is the
    host's. reason, remedy: why it does not answer, and what to do; "" where it does.
    """

    name: str
    library: str
    version: str
    available: bool
    description: str = ""
    free_bytes: int | None = None
    total_bytes: int | None = None
    reason: str = ""
    remedy: str = ""

    def details(self) -> str:
        """The last column of the table: what the device is, or why it is not here."""
        if not self.available:
            return f"{self.reason}; {self.remedy}"
        if self.free_bytes is None or self.total_bytes is None:
            return self.description
        memory = f"{self.free_bytes / 2**30:.1f} of {self.total_bytes / 2**30:.1f} GiB free"
        return f"{self.description}, {memory}" if self.description else memory


class DeviceTable(tuple[DeviceRecord, ...]):
    """DeviceRecords that print as a table."""

    __slots__ = ()

    def __repr__(self) -> str:
        rows = [("device", "library", "answers", "details")]
        for record in self:
            library = f"{record.library} {record.version}".strip()
            answers = "yes" if record.available else "no"
            rows.append((record.name, library, answers, record.details()))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [zip(row, widths, strict=True) for row in rows]
        return "\n".join(
            "  ".join(cell.ljust(width) for cell, width in line).rstrip() for line in lines
        )


def devices() -> DeviceTable:
    """A record for every device that answers and for every library that has none, the CPU first.

    Imports every installed array library: a look at the machine, not for a program's fast path.
    """
    records = [record for library in libraries() for record in _records(library)]
    return DeviceTable(sorted(records, key=lambda record: not record.available))


def _records(library: Library) -> list[DeviceRecord]:
    """The records of one library."""
    reason = library.why_unavailable()
    if reason:
        version = library.version()
        return [
            DeviceRecord(
                library.prefix, library.name, version, False, reason=reason, remedy=library.remedy()
            )
        ]
    return [_record(library, name) for name in library.device_names()]


def _record(library: Library, name: str) -> DeviceRecord:
    """The record of a device that answers."""
    raw = find_device(name).raw
    free_bytes, total_bytes = library.memory(raw) or (None, None)
    description = library.describe(raw)
    return DeviceRecord(
        name, library.name, library.version(), True, description, free_bytes, total_bytes
    )
