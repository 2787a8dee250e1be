"""openapi.json as Postman takes it in: its own converter makes a collection, its own runner sends every request."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.api.contract import assert_conforms
from tests.api.operator import Operator, Owner, owner
from tests.service import REPOSITORY, RunningService
from tests.voices import PASSPORT, STORY, recording

OPTIONS = "folderStrategy=Tags,parametersResolution=Example,enableOptionalParameters=false"
NAME = "a-group"
"""Of the group that an owner has, and of a key that the requests make."""


def made(nightly: Path, folder: Path) -> Any:
    file = folder / "collection.json"
    convert = nightly / "node_modules" / ".bin" / "openapi2postmanv2"
    subprocess.run([convert, "-s", REPOSITORY / "openapi.json", "-o", file, "-O", OPTIONS], check=True, timeout=60)
    return json.loads(file.read_text(encoding="utf-8"))


def requests(item: Mapping[str, Any]) -> Iterator[Any]:
    for one in item.get("item", [item]):
        yield from requests(one) if "item" in one else [one]


def filled(request: Any, values: Mapping[str, str]) -> Any:
    """What a person fills in: ids, names, the key, and a file where a recording is sent."""
    url = request["url"]
    for part in (*url.get("variable", []), *url.get("query", [])):
        part["value"] = values.get(part["key"], part["value"])
    content_type = next((header for header in request["header"] if header["key"] == "Content-Type"), {"value": ""})
    if content_type["value"] == "audio/wav" or url["path"][-1].endswith("identifyTurns"):
        content_type["value"] = "audio/wav"  # in the place of a recording's URL
        request["body"] = {"mode": "file", "file": {"src": values["recording"]}}
    text = json.dumps(request).replace("{{profileId}}", values["profileId"])
    return json.loads(text.replace("{{apiKey}}", values["functionKey"]) if url["path"][0] == "manage" else text)


def rank(one: Any) -> tuple[int, ...]:
    """What takes things away comes last: what lies in something before the thing, the subscription at the very end."""
    path = one["request"]["url"]["path"]
    if one["request"]["method"] == "DELETE":
        return 2, path == ["manage", "subscriptions", ":subscriptionId"], -len(path)
    return (int(path[-1].endswith("reset")),)


@pytest.fixture
def spoken(tmp_path: Path) -> Mapping[str, str]:
    """Kind of speech to a file."""
    files = {"phrase": recording(PASSPORT), "story": recording(STORY)}
    for name, content in files.items():
        (tmp_path / f"{name}.wav").write_bytes(content)
    return {name: str(tmp_path / f"{name}.wav") for name in files}


def values_for(path: str, own: Owner, spoken: Mapping[str, str]) -> dict[str, str]:
    if "text-dependent" in path or "verificationProfiles" in path or path.endswith("v1.0/verify"):
        return {"profileId": own.by_phrase, "recording": spoken["phrase"]}
    identified = "identification" in path or path.startswith("groups")
    return {"profileId": own.identified if identified else own.by_speech, "recording": spoken["story"]}


@pytest.mark.local_host("what the service says is tried on both hosts")
def test_every_request_of_the_collection_is_answered_as_described(
    service: RunningService, nightly: Path, spoken: Mapping[str, str], tmp_path: Path
) -> None:
    customer = Operator(service.url, service.management_key).customer()
    own = owner(customer.primary)
    everywhere = {
        "operationId": own.operation,
        "identificationProfileIds": own.identified,
        "profileIds": own.identified,
        "verificationProfileId": own.by_phrase,
        "subscriptionId": customer.subscription_id,
        "name": NAME,
        "functionKey": service.management_key,
    }
    collection = made(nightly, tmp_path)
    sent = sorted(requests(collection), key=rank)
    for one in sent:
        values = values_for("/".join(one["request"]["url"]["path"]), own, spoken)
        one["request"] = filled(one["request"], everywhere | values)
    refused = set()
    for execution in run(nightly, tmp_path, {**collection, "item": sent}, service.url, customer.primary.key or ""):
        method, response = execution["request"]["method"], execution["response"]
        path = "/" + "/".join(execution["request"]["url"]["path"])
        headers = {header["key"].lower(): header["value"] for header in response["header"]}
        assert_conforms(method, path, response["code"], headers, bytes(response["stream"]["data"]))
        if response["code"] >= 400 and not path.startswith("/operations/"):  # there is none: no URL was sent
            refused.add((method, path, response["code"]))
    # Profiles are the same in each generation: the first that deletes leaves the others nothing.
    assert [one for one in refused if (one[0], one[2]) != ("DELETE", 404)] == []


def run(nightly: Path, folder: Path, collection: Any, url: str, key: str) -> Any:
    """What newman did, a request each."""
    file, report = folder / "filled.json", folder / "report.json"
    file.write_text(json.dumps(collection), encoding="utf-8")
    newman = str(nightly / "node_modules" / ".bin" / "newman")
    variables = ["--env-var", f"baseUrl={url}", "--env-var", f"apiKey={key}"]
    command = [newman, "run", str(file), *variables, "-r", "json", "--reporter-json-export", str(report)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    executions = json.loads(report.read_text(encoding="utf-8"))["run"]["executions"]
    assert len(executions) == len(collection["item"])
    return executions
