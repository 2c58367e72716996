"""A server that reads with a smaller HPACK table than the default gets what it must be told."""

from __future__ import annotations

import hpack
import pytest
from hyperframe.frame import DataFrame, HeadersFrame, SettingsFrame

from wire import talk
from wire.talk import BODY, Talk

UPDATE = b"\x20"
TABLE_SIZE = SettingsFrame.HEADER_TABLE_SIZE


def blocks(written: bytes) -> dict[int, bytes]:
    """Return the header blocks in *written* by stream; all of them fit into one frame."""
    found = {}
    view = memoryview(written.removeprefix(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
    while view:
        frame, length = HeadersFrame.parse_frame_header(view[:9])
        frame.parse_body(view[9 : 9 + length])
        view = view[9 + length :]
        if isinstance(frame, HeadersFrame):
            found[frame.stream_id] = bytes(frame.data)
        else:
            assert not isinstance(frame, DataFrame) or bytes(frame.data) == BODY
    return found


def shrunk(*sizes: int) -> Talk:
    """Return a conversation in which the server has announced these table sizes."""
    stage = Talk(judge=False)
    for size in sizes:
        stage.hear(talk.serial(SettingsFrame(0, settings={TABLE_SIZE: size})))
    stage.write()
    return stage


@pytest.mark.parametrize(
    ("sizes", "told"),
    [((0,), True), ((100, 50, 4096), True), ((4096,), False), ((65_536, 4096), False)],
)
def test_the_first_block_after_a_smaller_table_agrees_to_it(
    sizes: tuple[int, ...], told: bool
) -> None:
    """The size update comes once, and only where the table became smaller than the default."""
    stage = shrunk(*sizes)
    stage.push(3)

    found = blocks(stage.write())
    assert [told, False, False] == [block.startswith(UPDATE) for block in found.values()]
    judge = hpack.Decoder()
    judge.max_allowed_table_size = min(sizes[-1], 4096)
    assert all(judge.decode(block)[0] == (":method", "POST") for block in found.values())


def test_a_request_that_was_taken_back_leaves_the_agreement_to_the_next() -> None:
    """The request that carried it expires unwritten; the one behind it carries it then."""
    stage = shrunk(0)
    stage.push(1)
    stage.now = 20.0
    stage.push(2)
    stage.expire(40.0)

    found = blocks(stage.write())
    assert [True, False] == [block.startswith(UPDATE) for block in found.values()]
    stage.finish()


def test_nobody_behind_it_leaves_the_agreement_to_a_request_to_come() -> None:
    """All that was queued expires unwritten; the next request that is written says it."""
    stage = shrunk(0)
    stage.push(1)
    stage.expire(40.0)
    stage.push(1)

    assert [True] == [block.startswith(UPDATE) for block in blocks(stage.write()).values()]
    stage.finish()
