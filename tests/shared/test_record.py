"""The record of an exposure fits a description, whatever it says, and is read back as it was."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.ids import allow_digest, exposure_id
from shared.record import LIMIT, Mark, Mode, Record, read_mark, read_record

uuids = st.uuids().map(str)
nodes = st.tuples(st.ip_addresses(v=4), st.integers(1, 65535)).map(lambda pair: f"{pair[0]}:{pair[1]}")
records = st.builds(
    Record,
    exposure=st.tuples(uuids, uuids).map(lambda pair: exposure_id(*pair)),
    run=uuids,
    instance=uuids,
    node=st.none() | nodes,
    port=st.integers(1, 65535),
    vpc=uuids,
    subnet=uuids,
    peer_vpc=uuids,
    mode=st.sampled_from(Mode),
    allow=st.lists(st.ip_addresses(v=4).map(str)).map(allow_digest),
    expires_at=st.none() | st.integers(0, 253_402_300_799),
    repair=st.booleans(),
    taken=st.booleans(),
)
LONGEST = Record(
    exposure="f" * 20,
    run=str(uuid.UUID(int=2**128 - 1)),
    instance=str(uuid.UUID(int=1)),
    node="192.168.100.100:65535",
    port=65535,
    vpc=str(uuid.UUID(int=2)),
    subnet=str(uuid.UUID(int=3)),
    peer_vpc=str(uuid.UUID(int=4)),
    mode=Mode.DOCUMENTED,
    allow="f" * 12,
    expires_at=253_402_300_799,
    repair=True,
    taken=True,
)


@given(records)
def test_a_record_is_read_back_as_it_was_written(record: Record) -> None:
    assert read_record(record.text()) == record
    assert read_mark(record.text()) == Mark(record.exposure, record.run)


@given(records)
def test_a_record_fits_a_description(record: Record) -> None:
    text = record.text()
    assert len(text) <= LIMIT
    assert not set(text) & set("<>")
    assert text.isascii()
    assert text.isprintable()


def test_the_longest_record_fits() -> None:
    assert len(LONGEST.text()) <= LIMIT == 255


def test_a_record_that_does_not_fit_is_an_error_and_never_cut() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        Record(**{**vars(LONGEST), "vpc": "v" * 64}).text()


@given(st.text(max_size=255))
def test_what_others_wrote_is_no_record_and_no_mark(text: str) -> None:
    assert read_record(text) is None
    assert read_mark(text) is None


@given(records, st.data())
def test_a_record_cut_anywhere_is_never_misread_as_another_instances(record: Record, data: st.DataObject) -> None:
    text = record.text()
    cut = text[: data.draw(st.integers(0, len(text)))]
    read = read_record(cut)
    assert read is None or (read.exposure, read.run, read.instance) == (record.exposure, record.run, record.instance)


@pytest.mark.parametrize("text", [None, "", "dcs-access/1", "dcs-access/2 e=1 r=~x", "dcs-access/1 e=1 r=notpacked"])
def test_nothing_and_other_versions_are_not_ours(text: str | None) -> None:
    assert read_mark(text) is None
    assert read_record(text) is None
