"""Messages between a worker and its parent: a JSON header and raw bytes, framed by their lengths.

    frame = magic (4 bytes) | header length (u32) | payload length (u64) | header | payload

All lengths are little-endian. The header is a JSON object; its entry `buffers` lists the lengths
of the parts of the payload. Nothing is pickled, so a message can carry numbers and text but never
code, and each length is checked against a limit before memory is taken for it.
"""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from convcheck.runtime.deadline import Deadline

Buffer = bytes | bytearray | memoryview

MAGIC = b"ccf1"
HEADER_LIMIT = 16 * 2**20
PAYLOAD_LIMIT = 4 * 2**30
# Below this, header and payload go out in one system call; above, the payload is not copied.
_JOIN_LIMIT = 256 * 2**10
_PREFIX = struct.Struct("<4sIQ")


class ChannelClosedError(Exception):
    """The other side is gone."""


class DeadlinePassedError(Exception):
    """The message was not whole in time."""


class GarbledError(Exception):
    """What arrived is not a frame."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message.

    Attributes:
        header: JSON values.
        buffers: Raw bytes, in the order in which they were sent.
    """

    header: Mapping[str, Any]
    buffers: Sequence[Buffer] = ()


def send(channel: socket.socket, message: Message, deadline: Deadline) -> None:
    """Sends `message` whole.

    Raises:
        ChannelClosedError: The other side is gone.
        DeadlinePassedError: The other side did not read it in time.
    """
    parts = [memoryview(buffer).cast("B") for buffer in message.buffers]
    lengths = [part.nbytes for part in parts]
    header = json.dumps({**message.header, "buffers": lengths}).encode()
    if len(header) > HEADER_LIMIT or sum(lengths) > PAYLOAD_LIMIT:
        raise ValueError(f"a message of {len(header)} + {sum(lengths)} bytes is too large to send")
    chunks: list[Buffer] = [_PREFIX.pack(MAGIC, len(header), sum(lengths)), header, *parts]
    if sum(lengths) <= _JOIN_LIMIT:
        chunks = [b"".join(chunks)]
    try:
        for chunk in chunks:
            if len(chunk):
                _limit(channel, deadline)
                channel.sendall(chunk)
    except TimeoutError:
        raise DeadlinePassedError from None
    except OSError:
        raise ChannelClosedError from None


def receive(
    channel: socket.socket, deadline: Deadline, payload_limit: int = PAYLOAD_LIMIT
) -> Message:
    """Returns the next message.

    Raises:
        ChannelClosedError: The other side is gone, perhaps in the middle of a message.
        DeadlinePassedError: No whole message arrived in time.
        GarbledError: What arrived is not a frame, or is larger than the limits allow.
    """
    magic, header_length, payload_length = _PREFIX.unpack(_take(channel, _PREFIX.size, deadline))
    if magic != MAGIC:
        raise GarbledError(f"a frame cannot begin with {magic!r}")
    if header_length > HEADER_LIMIT or payload_length > payload_limit:
        raise GarbledError(f"a frame of {header_length} + {payload_length} bytes is too large")
    try:
        header = json.loads(bytes(_take(channel, header_length, deadline)))
        lengths = header.pop("buffers")
        whole = sum(lengths) == payload_length and min(lengths, default=0) >= 0
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
        raise GarbledError(f"the header cannot be read: {type(error).__name__}") from None
    if not whole:
        raise GarbledError(f"buffers of {lengths} bytes do not make up {payload_length}")
    payload = _take(channel, payload_length, deadline)
    buffers, start = [], 0
    for length in lengths:
        buffers.append(payload[start : start + length])
        start += length
    return Message(header, tuple(buffers))


def _take(channel: socket.socket, length: int, deadline: Deadline) -> memoryview:
    whole = memoryview(bytearray(length))
    filled = 0
    while filled < length:
        try:
            _limit(channel, deadline)
            count = channel.recv_into(whole[filled:])
        except TimeoutError:
            raise DeadlinePassedError from None
        except OSError:
            raise ChannelClosedError from None
        if count == 0:
            raise ChannelClosedError
        filled += count
    return whole


def _limit(channel: socket.socket, deadline: Deadline) -> None:
    """Gives the next system call what time is left; a timeout of 0 would mean "do not block"."""
    remaining = deadline.remaining()
    if remaining == 0.0:
        raise DeadlinePassedError
    channel.settimeout(None if remaining == float("inf") else remaining)
