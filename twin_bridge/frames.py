"""Messages about devices, put together from devices that are JSON already; a test holds them against the models."""

from collections.abc import Collection, Iterable

from twin_bridge.outlet import Frame
from twin_bridge.state import Delta, DeviceTable


def snapshot_frame(table: DeviceTable, delta: Delta, part: int, parts: int) -> Frame:
    """A `snapshot`, or a part of one."""
    devices = ",".join(map(table.json, delta.devices))
    removed = ",".join(f'"{device_id}"' for device_id in delta.removed)
    full = "true" if delta.full else "false"
    return Frame(
        f'{{"v":1,"t":"snapshot","epoch":"{table.epoch}","seq":{delta.seq},"part":{part},"parts":{parts},'
        f'"full":{full},"devices":[{devices}],"removed":[{removed}]}}'
    )


def removed_frame(table: DeviceTable, removed: tuple[str, ...], news: Collection[str]) -> Frame:
    """A `snapshot` that says nothing but that these are gone, to clients that are told of `news` next.

    Its `seq` is the last one before the news: a client that is cut off in between resumes there and misses nothing.
    """
    seq = min(map(table.seq_of, news)) - 1 if news else table.seq
    return snapshot_frame(table, Delta(seq, full=False, devices=(), removed=removed), 1, 1)


def state_frame(table: DeviceTable, seq: int, skipped: int, device_ids: Iterable[str]) -> Frame:
    """A `state`."""
    devices = ",".join(map(table.json, device_ids))
    return Frame(f'{{"v":1,"t":"state","seq":{seq},"skipped":{skipped},"devices":[{devices}]}}')
