"""Messages arrive whole, or as a named failure; nothing that arrives is trusted."""

import json
import socket
import struct
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcheck.runtime.deadline import Deadline
from convcheck.runtime.frames import (
    MAGIC,
    ChannelClosedError,
    DeadlinePassedError,
    GarbledError,
    Message,
    receive,
    send,
)

SOON = 5


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def frame(header, payload=b"", magic=MAGIC, header_length=None, payload_length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    lengths = header_length or len(text), payload_length or len(payload)
    return struct.pack("<4sIQ", magic, *lengths) + text + payload


@given(
    header=st.dictionaries(st.text().filter(lambda key: key != "buffers"), st.integers()),
    buffers=st.lists(st.binary(), max_size=4),
)
def test_a_message_arrives_as_it_was_sent(header, buffers):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        send(ours, Message(header, buffers), Deadline.after(SOON))
        arrived = receive(theirs, Deadline.after(SOON))
    assert arrived.header == header
    assert [bytes(buffer) for buffer in arrived.buffers] == buffers


def test_a_large_message_arrives(pair):
    ours, theirs = pair
    data = bytes(range(256)) * 40_000
    sender = threading.Thread(
        target=send, args=(ours, Message({}, [data, data[:7]]), Deadline.after(SOON))
    )
    sender.start()
    arrived = receive(theirs, Deadline.after(SOON))
    sender.join()
    assert [bytes(buffer) for buffer in arrived.buffers] == [data, data[:7]]


@pytest.mark.parametrize(
    "garbage",
    [
        b"a line of text that is long enough\n",
        frame({"buffers": []}, magic=b"ccf0"),
        frame(b"not json"),
        frame(b"[]"),
        frame(b"[" * 100_000),
        frame({}),
        frame({"buffers": [3]}, b"four"),
        frame({"buffers": [-4, 8]}, b"four"),
        frame({"buffers": "four"}, b"four"),
        frame({"buffers": []}, payload_length=2**62),
        frame({"buffers": []}, header_length=2**32 - 1),
    ],
)
def test_garbage_is_named(pair, garbage):
    ours, theirs = pair
    ours.sendall(garbage)
    with pytest.raises(GarbledError):
        receive(theirs, Deadline.after(SOON))


def test_the_end_of_the_other_side_is_named(pair):
    ours, theirs = pair
    ours.sendall(frame({"buffers": [4]}, b"four")[:-1])
    ours.close()
    with pytest.raises(ChannelClosedError):
        receive(theirs, Deadline.after(SOON))
    with pytest.raises(ChannelClosedError):
        send(theirs, Message({}, [b"x" * 10**6]), Deadline.after(SOON))


def test_a_late_message_is_named(pair):
    ours, theirs = pair
    with pytest.raises(DeadlinePassedError):
        receive(theirs, Deadline.after(0.01))
    with pytest.raises(DeadlinePassedError):
        send(ours, Message({}, [b"x" * 10**7]), Deadline.after(0.05))


def test_what_is_too_large_is_not_sent(pair):
    with pytest.raises(ValueError, match="too large"):
        send(pair[0], Message({"text": "x" * 2**24}), Deadline.after(SOON))
