"""Names follow from what they name, so that asking twice names the same thing, in every release."""

from __future__ import annotations

import re
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.ids import allow_digest, exposure_id, pack, resource_name, run_id, unpack

plain = st.text("abcdefghijklmnopqrstuvwxyzABCDEF0123456789_-", min_size=1, max_size=64)


def test_ids_are_the_same_in_every_release() -> None:
    """What is in the cloud already is found by these: a change here loses every exposure."""
    assert exposure_id("p", "i") == "499b2973303737de3b0a"
    assert exposure_id("p", "i", "10.0.0.1:6379") == "afd8230a26056e65e958"
    assert run_id("p", "r") == "819225e8-b8e8-5138-af73-2ba0392bd74d"
    assert allow_digest(["10.0.0.0/8"]) == "93997fe8a812"


@given(plain, plain, st.none() | plain)
def test_an_exposures_id_depends_on_each_of_project_instance_and_node(
    project: str, instance: str, node: str | None
) -> None:
    whole = exposure_id(project, instance, node)
    others = {
        exposure_id(project + "x", instance, node),
        exposure_id(project, instance + "x", node),
        exposure_id(project, instance, (node or "") + "x"),
        exposure_id(instance + "x", project, node),
    }
    assert whole == exposure_id(project, instance, node)
    assert whole not in others


@given(plain, plain)
def test_names_and_tags_keep_to_the_shortest_limits(project: str, instance: str) -> None:
    exposure = exposure_id(project, instance)
    assert len(resource_name(exposure)) <= 64
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,43}", exposure)


@given(plain, plain)
def test_a_run_is_named_by_project_and_request(project: str, request: str) -> None:
    assert run_id(project, request) == run_id(project, request)
    assert run_id(project, request) != run_id(project, request + "x")
    assert run_id(project, request) != run_id(project + "x", request)
    assert uuid.UUID(run_id(project, request)).version == 5


@given(
    st.lists(st.ip_addresses(v=4).map(str), max_size=6).flatmap(
        lambda one: st.tuples(st.just(one), st.permutations(one))
    )
)
def test_an_allow_lists_digest_knows_no_order(lists: tuple[list[str], list[str]]) -> None:
    assert allow_digest(lists[0]) == allow_digest(lists[1])


@given(st.uuids().map(str) | plain)
def test_what_is_packed_is_unpacked(identifier: str) -> None:
    assert unpack(pack(identifier)) == identifier


@given(st.uuids())
def test_a_uuid_packs_into_22_characters_but_only_in_its_usual_form(identifier: uuid.UUID) -> None:
    assert len(pack(str(identifier))) == 22
    assert pack(identifier.hex) == "~" + identifier.hex


@pytest.mark.parametrize("text", ["", "short", "x" * 23, "ä" * 22])
def test_what_was_never_packed_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        unpack(text)
