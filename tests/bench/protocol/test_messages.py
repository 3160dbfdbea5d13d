"""Requests and outcomes cross a pipe as JSON and come back as they were."""

from __future__ import annotations

import json

import pytest

from imgstore_tui.bench.protocol.messages import Step, TrialOutcome, TrialRequest, TrialResult
from imgstore_tui.core.json_values import from_json, to_json
from imgstore_tui.core.operations import CacheState, Operation, Payload, SyncLevel
from imgstore_tui.plugins.registry import resolve_spec


@pytest.mark.parametrize(
    "message",
    [
        TrialRequest(Step.HELLO, resolve_spec("lmdb")),
        TrialRequest(
            Step.TRIAL, resolve_spec("disk+jpeg:codec.quality=90"), Operation.READ_RANDOM, 100, "/a", "/b", "/c",
            Payload.ENCODED, CacheState.COLD, True, SyncLevel.END, 4, 64, "0/1", ("lmdb",),
        ),
        TrialOutcome(True),
        TrialOutcome(False, "It failed.", start="fresh", cancelled=True, skipped=True, hung=True),
        TrialOutcome(True, result=TrialResult(seconds=1.0, samples=(1.0, 2.0), verified=True, files=3)),
        TrialOutcome(True, result=TrialResult(probe_images=2, probe_values={"a_s": (0.5,), "b_count": ()})),
    ],
)  # fmt: skip
def test_a_message_comes_back_as_it_was(message: TrialRequest | TrialOutcome) -> None:
    assert from_json(type(message), json.loads(json.dumps(to_json(message)))) == message


def test_an_outcome_of_the_wrong_kind_is_refused() -> None:
    values = to_json(TrialOutcome(True)) | {"result": {"seconds": "soon"}}
    with pytest.raises(TypeError, match="seconds"):
        from_json(TrialOutcome, values)
