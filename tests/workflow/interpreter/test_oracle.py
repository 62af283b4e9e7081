"""The interpreter beside the plainest reading of the language: the order of paths, and what branches take and give."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.workflow.running import one, run, task

KEYS = st.sampled_from("abc")
DOCUMENTS = st.dictionaries(
    KEYS, st.recursive(st.integers(0, 9), lambda inner: st.dictionaries(KEYS, inner, max_size=3), max_leaves=5)
)
PATHS = st.lists(KEYS, max_size=2).map(lambda keys: "".join(["$", *(f".{key}" for key in keys)]))
NULLABLE = st.one_of(st.none(), PATHS)
TEMPLATES = st.dictionaries(KEYS.map(lambda key: f"{key}.$"), PATHS, min_size=1, max_size=2)


class WrongError(Exception):
    """The language says that the state fails."""


def at(path, data):
    for key in path.split(".")[1:]:
        if not isinstance(data, dict) or key not in data:
            raise WrongError("States.Runtime")
        data = data[key]
    return data


def filled(template, data):
    return {key.removesuffix(".$"): at(path, data) for key, path in template.items()}


def put(raw, keys, result):
    if not keys:
        return result
    if not isinstance(raw, dict):
        raise WrongError("States.ResultPathMatchFailure")
    return raw | {keys[0]: put(raw.get(keys[0], {}), keys[1:], result)}


def flowed(fields, raw):
    """What comes out of a Task that gives back its parameters."""
    data = {} if fields["InputPath"] is None else at(fields["InputPath"], raw)
    for template in ("Parameters", "ResultSelector"):
        data = filled(fields[template], data) if template in fields else data
    placed = raw if fields["ResultPath"] is None else put(raw, fields["ResultPath"].split(".")[1:], data)
    return {} if fields["OutputPath"] is None else at(fields["OutputPath"], placed)


FIELDS = st.fixed_dictionaries(
    {"InputPath": NULLABLE, "ResultPath": NULLABLE, "OutputPath": NULLABLE},
    optional={"Parameters": TEMPLATES, "ResultSelector": TEMPLATES},
)


@given(FIELDS, DOCUMENTS)
def test_data_flows_from_input_to_output_in_the_order_of_the_language(fields, raw):
    result = run(one(task(**fields)), raw)
    assert (result.status, result.error or result.output) == expected(fields, raw)


def expected(fields, raw):
    try:
        return "SUCCEEDED", flowed(fields, raw)
    except WrongError as wrong:
        return "FAILED", str(wrong)


LEAVES = st.builds(lambda seconds, good: {"nap": seconds, "good": good}, st.integers(0, 5), st.booleans())
RETRIES = st.tuples(st.integers(0, 2), st.integers(1, 3))
TREES = st.recursive(
    LEAVES,
    lambda inner: st.builds(
        lambda branches, retry: {"branches": branches, "retry": retry}, st.lists(inner, min_size=1, max_size=3), RETRIES
    ),
    max_leaves=6,
)


def flow(tree, name):
    """The machine of a tree: a leaf naps and ends well or badly, the rest are Parallels that retry."""
    if "nap" in tree:
        end = {"Type": "Succeed"} if tree["good"] else {"Type": "Fail", "Error": name}
        nap = {"Type": "Wait", "Seconds": tree["nap"], "Next": f"{name}e"}
        return {"StartAt": name, "States": {name: nap, f"{name}e": end}}
    most, interval = tree["retry"]
    retry = {"ErrorEquals": ["States.ALL"], "MaxAttempts": most, "IntervalSeconds": interval}
    branches = [flow(branch, f"{name}{index}") for index, branch in enumerate(tree["branches"])]
    return {
        "StartAt": name,
        "States": {name: {"Type": "Parallel", "Branches": branches, "Retry": [retry], "End": True}},
    }


def ending(tree, name):
    """How long a tree takes, and the names of the errors it may end with: several if they come at once."""
    if "nap" in tree:
        return tree["nap"], set() if tree["good"] else {name}
    ends = [ending(branch, f"{name}{index}") for index, branch in enumerate(tree["branches"])]
    broken = [took for took, errors in ends if errors]
    if not broken:
        return max(took for took, _ in ends), set()
    first = min(broken)
    most, interval = tree["retry"]
    delays = sum(interval * 2**count for count in range(most))
    return first * (most + 1) + delays, set().union(*(errors for took, errors in ends if took == first))


@given(TREES, st.one_of(st.none(), st.integers(1, 40)))
def test_branches_end_with_the_last_or_fail_with_the_first_and_all_of_it_in_time(tree, limit):
    machine = flow(tree, "s") | ({} if limit is None else {"TimeoutSeconds": limit})
    result = run(machine)
    took, errors = ending(tree, "s")
    lasted = result.history[-1].at - result.history[0].at
    if limit is not None and took >= limit:
        assert (result.status, lasted) == ("TIMED_OUT", limit)
    else:
        assert (lasted, result.status) == (took, "FAILED" if errors else "SUCCEEDED")
        assert result.error in (errors or {None})
