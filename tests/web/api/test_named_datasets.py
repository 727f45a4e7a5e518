"""Data sets that are not in the list but have a name: mixtures, folders and files, over HTTP."""

import pytest

from tests.support.runs import TINY


def start(client, dataset):
    return client.post("/api/runs", json={"recipe": "quick", "overrides": {**TINY, "dataset": dataset}})


@pytest.mark.slow
def test_a_run_trains_on_a_mixture(client, ended):
    answer = start(client, "0.1*strokes")
    assert answer.status_code == 201
    run = ended(answer.json()["id"])
    assert run["state"] == "succeeded", run["error"]
    assert run["config"]["dataset"] == "0.1*strokes"


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        ("strokes + cats", "dataset: expected a data set: mnist, strokes"),
        ("strokes +", "dataset: term 2: expected a data set"),
        ("0*strokes", "dataset: term 1: expected a weight above 0"),
        ("mnist + kmnist", "dataset: expected data sets with the labels of mnist in a mixture; kmnist also has"),
        ("mnist + emnist-letters", "emnist-letters also has 'a', 'b', 'c' and 23 more"),
        ("folder:../../etc", "dataset: expected folder: and a path below DIGITPAD_DATA_DIR"),
        ("strokes + folder:/etc", "dataset: expected folder: and a path below DIGITPAD_DATA_DIR"),
        ("npz:mine.npz", "dataset: npz:mine.npz: set DIGITPAD_DATA_DIR"),
    ],
)
def test_what_cannot_be_trained_on_is_refused_in_words(shared_client, dataset, message):
    before = shared_client.get("/api/runs").json()
    answer = start(shared_client, dataset)
    assert answer.status_code == 422
    assert message in answer.json()["error"]
    assert shared_client.get("/api/runs").json() == before


def test_the_list_has_the_sets_of_others_with_their_labels(client):
    listed = {one["name"]: one for one in client.get("/api/datasets").json()["datasets"]}
    assert listed["kmnist"]["labels"][0] == "お"
    assert listed["emnist-letters"]["labels"] == list("abcdefghijklmnopqrstuvwxyz")
    assert (listed["fashion-mnist"]["state"], listed["fashion-mnist"]["train"]) == ("download", 60_000)
