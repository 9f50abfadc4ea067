"""Models behind an endpoint: where texts may go, and what comes of each request."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flows.cli.doctor import Finding, _endpoint
from flows.errors import CharthouseError
from flows.generating import endpoint_requests
from flows.generating.endpoint import (
    check_endpoint,
    endpoint_fingerprint,
    open_endpoint,
)
from flows.generating.endpoint_address import endpoint_address
from flows.generating.endpoint_model import EndpointModel
from flows.generating.endpoint_requests import EndpointError, Failure
from nlp.generation.completion import LENGTH, STOP, Completion, Prompt, Sampling
from nlp.generation.errors import GenerationError
from nlp.language_settings import EndpointSettings
from tests.flows.generating.served import Served, chat, failing, serve

SECRET = "aspirin for Mr Smith"
PLAIN = Sampling()


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setattr(endpoint_requests, "_FIRST_PAUSE", 0.01)
    with serve() as served:
        yield served


def settings_of(served: Served, **more: Any) -> EndpointSettings:
    return EndpointSettings.model_validate({"url": served.url, "retries": 2, **more})


def asked(
    served: Served, *prompts: str, sampling: Sampling = PLAIN, **more: Any
) -> list[Completion | Failure]:
    model = open_endpoint("endpoint:m", settings_of(served, **more))
    try:
        return model.complete_each([Prompt(text, key=text) for text in prompts], sampling)
    finally:
        model.close()


@pytest.mark.parametrize(
    "url",
    [
        "http://evil.com/v1",
        "http://localhost.evil.com/v1",
        "http://127.0.0.1.evil.com/v1",
        "http://evil.com:8000/localhost",
        "http://localhost@evil.com/v1",
        "http://localhost:80@evil.com/v1",
        "http://user:password@localhost/v1",
        "http://evil.com#@localhost/v1",
        "http://evil.com?@localhost/v1",
        "http://evil.com\\@localhost/v1",
        "http://localhost\\.evil.com/v1",
        "http://localhost /v1",
        "http://localhost\t.evil.com/v1",
        "http://localhost./v1",
        "http://localhost../v1",
        "http://xlocalhost/v1",
        "http://ⓛocalhost/v1",
        "http://localhost%00.evil.com/v1",
        "http://localhost%2eevil.com/v1",
        "http://127.1/v1",
        "http://2130706433/v1",
        "http://0x7f000001/v1",
        "http://0177.0.0.1/v1",
        "http://127.0.0.2/v1",
        "http://0.0.0.0/v1",
        "http://[::ffff:127.0.0.1]/v1",
        "http://[::1%25eth0]/v1",
        "http://[::2]/v1",
        "http:///v1",
        "//localhost/v1",
        "localhost:8000/v1",
        "ftp://localhost/v1",
        "file:///etc/passwd",
        "http://localhost/v1?key=1",
        "",
    ],
)
def test_texts_go_nowhere_else(url: str) -> None:
    with pytest.raises(CharthouseError, match=r"endpoint\.url") as caught:
        endpoint_address(EndpointSettings(url=url))
    assert "password" not in str(caught.value).replace("user name or password", "")


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("http://localhost:8000/v1", "http://localhost:8000/v1"),
        ("http://LOCALHOST:8000/v1/", "http://localhost:8000/v1"),
        ("HTTP://127.0.0.1/v1", "http://127.0.0.1/v1"),
        ("http://[::1]:8000/v1", "http://[::1]:8000/v1"),
        ("http://[0:0:0:0:0:0:0:1]:8000/v1", "http://[0:0:0:0:0:0:0:1]:8000/v1"),
        ("https://127.0.0.1", "https://127.0.0.1"),
    ],
)
def test_allowed_addresses(url: str, base: str) -> None:
    address = endpoint_address(EndpointSettings(url=url))
    assert (address.url, address.warnings) == (base, ())


def test_other_hosts_when_told_to() -> None:
    named = EndpointSettings(url="https://GPU.hospital.org/v1", allow_hosts=["gpu.Hospital.org"])
    assert endpoint_address(named).warnings == ()
    for url in ("https://gpu.hospital.org.evil.com/v1", "https://x.gpu.hospital.org/v1"):
        with pytest.raises(CharthouseError, match="may not be sent"):
            endpoint_address(named.model_copy(update={"url": url}))
    wide = EndpointSettings(url="http://gpu.hospital.org/v1", any_host=True)
    sent, plain = endpoint_address(wide).warnings
    assert "is sent to gpu.hospital.org" in sent
    assert "unencrypted" in plain
    with pytest.raises(CharthouseError, match="password"):
        endpoint_address(EndpointSettings(url="http://u:p@evil.com/v1", any_host=True))


def test_key_is_sent_and_never_shown(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODEL_KEY", "sk-hidden")
    asked(served, "x", key_variable="MODEL_KEY")
    file = tmp_path / "key"
    file.write_text("sk-filed\n")
    file.chmod(0o600)
    asked(served, "x", key_file=file)
    keys = [headers.get("Authorization") for path, _, headers in served.requests]
    assert keys == ["Bearer sk-hidden", "Bearer sk-filed"]
    settings = settings_of(served, key_variable="MODEL_KEY")
    assert "hidden" not in repr(endpoint_address(settings))
    served.reply = lambda path, body, turn: failing(401)
    with pytest.raises(EndpointError, match="refuses the key") as caught:
        asked(served, "x", key_variable="MODEL_KEY")
    assert "hidden" not in str(caught.value)
    file.chmod(0o644)
    with pytest.raises(CharthouseError, match="read by others"):
        endpoint_address(settings_of(served, key_file=file))
    monkeypatch.setenv("MODEL_KEY", "sk hidden\nX: y")
    with pytest.raises(CharthouseError, match="no key has") as caught_key:
        endpoint_address(settings)
    assert "hidden" not in str(caught_key.value)
    monkeypatch.delenv("MODEL_KEY")
    with pytest.raises(CharthouseError, match="MODEL_KEY"):
        endpoint_address(settings)


def test_chat_request_and_answer(served: Served) -> None:
    served.reply = lambda path, body, turn: chat("Yes. END more", "length", prompt_tokens=7)
    sampling = Sampling(
        max_new_tokens=9, temperature=0.5, top_p=0.9, seed=3, stop=("END",), top_k=4
    )
    model = open_endpoint("endpoint:m", settings_of(served))
    (answer,) = model.generate([Prompt("text", "be brief", "k")], sampling)
    assert answer == Completion("Yes. ", STOP, 7, 5)
    ((path, body, _),) = served.requests
    assert path == "/v1/chat/completions"
    seed = body["seed"]
    assert 0 <= seed < 2**31
    assert body == {
        "seed": seed,
        "model": "m",
        "messages": [
            {"role": "system", "content": "be brief"},
            {"role": "user", "content": "text"},
        ],
        "max_tokens": 9,
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 4,
        "stop": ["END"],
        "stream": False,
    }
    model.generate([Prompt("text", "be brief", "other"), Prompt("text", "", "k")], sampling)
    seeds = sorted(body["seed"] for body in served.bodies)
    assert len(set(seeds)) == 2 and seed in seeds
    model.close()


def test_bare_completions(served: Served) -> None:
    served.reply = lambda path, body, turn: (
        200,
        {},
        {"choices": [{"text": "more", "finish_reason": None}], "usage": {"completion_tokens": 4}},
    )
    model = open_endpoint("endpoint:m", settings_of(served, chat=False))
    (answer,) = model.generate([Prompt("text", "first")], Sampling(max_new_tokens=4))
    assert (answer.text, answer.finish_reason) == ("more", LENGTH)
    ((path, body, _),) = served.requests
    assert (path, body["prompt"]) == ("/v1/completions", "first\n\ntext")
    model.close()


def test_order_and_progress_of_many(served: Served) -> None:
    def reply(path: str, body: dict[str, Any], turn: int) -> Any:
        text = body["messages"][0]["content"]
        time.sleep(0.002 * (10 - int(text) % 10))
        return chat(text)

    served.reply = reply
    told: list[int] = []
    model = open_endpoint("endpoint:m", settings_of(served, parallel=5))
    answers = model.generate([Prompt(str(n)) for n in range(30)], Sampling(), told.append)
    assert [answer.text for answer in answers] == [str(n) for n in range(30)]
    assert told == list(range(1, 31))
    model.close()


@pytest.mark.parametrize("status", [429, 500, 503])
def test_busy_server_is_asked_again(served: Served, status: int) -> None:
    served.reply = lambda path, body, turn: failing(status) if turn < 3 else chat("late")
    (answer,) = asked(served, "x")
    assert isinstance(answer, Completion) and answer.text == "late"
    assert len(served.bodies) == 3


def test_retry_after_is_respected(served: Served) -> None:
    served.reply = lambda path, body, turn: (
        failing(429, Retry_After="1") if turn == 1 else chat("late")
    )
    began = time.monotonic()
    asked(served, "x")
    assert time.monotonic() - began >= 1.0


def test_one_request_that_fails_fails_alone(served: Served) -> None:
    def reply(path: str, body: dict[str, Any], turn: int) -> Any:
        return {
            "long": failing(400),
            "crash": failing(500),
            "odd": (200, {}, {"choices": []}),
            "text": (200, {}, "no JSON, but " + SECRET),
            "withheld": chat(None, "content_filter"),
        }.get(body["messages"][0]["content"], chat("fine"))

    served.reply = reply
    answers = asked(served, "a", "long", "crash", "odd", "text", "withheld", "b")
    assert [isinstance(answer, Completion) for answer in answers] == [True, *[False] * 5, True]
    reasons = [answer.reason for answer in answers if isinstance(answer, Failure)]
    assert "400" in reasons[0] and "500" in reasons[1] and "content_filter" in reasons[4]
    assert not [reason for reason in reasons if "Smith" in reason]
    model = open_endpoint("endpoint:m", settings_of(served))
    with pytest.raises(GenerationError, match="1 of 2 requests") as caught:
        model.generate([Prompt("a"), Prompt("long")], Sampling())
    assert "Smith" not in str(caught.value)
    model.close()


def test_slow_answer_is_a_failure_of_one(served: Served) -> None:
    def reply(path: str, body: dict[str, Any], turn: int) -> Any:
        if body["messages"][0]["content"] == "slow":
            time.sleep(0.6)
        return chat("fine")

    served.reply = reply
    slow, fast = asked(served, "slow", "x", timeout_seconds=0.2)
    assert isinstance(slow, Failure) and "no answer within 0.2 s" in slow.reason
    assert isinstance(fast, Completion)


@pytest.mark.parametrize(
    ("status", "words"),
    [(401, "refuses the key"), (403, "refuses the key"), (404, "no such path or model")],
)
def test_what_no_request_would_pass_ends_it(served: Served, status: int, words: str) -> None:
    served.reply = lambda path, body, turn: failing(status)
    with pytest.raises(EndpointError, match=words) as caught:
        asked(served, *map(str, range(50)), parallel=2)
    assert "Smith" not in str(caught.value)
    assert len(served.bodies) < 20


def test_busy_for_good_ends_it(served: Served) -> None:
    served.reply = lambda path, body, turn: failing(503)
    with pytest.raises(EndpointError, match="too busy 3 times"):
        asked(served, "x")


def test_redirects_are_not_followed(served: Served) -> None:
    with serve() as other:
        target = other.url + "/chat/completions"
        for status in (301, 302, 307, 308):
            served.reply = lambda path, body, turn, s=status: (s, {"Location": target}, {})
            with pytest.raises(EndpointError, match="sends elsewhere"):
                asked(served, SECRET)
        assert other.requests == []


def test_proxies_of_the_environment_are_passed_over(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url.removesuffix("/v1"))
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        asked(served, SECRET)
        assert proxy.requests == []
    assert len(served.requests) == 1


def test_nobody_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
        settings = EndpointSettings(url=url, retries=0)
        with pytest.raises(CharthouseError, match="no connection; is it running"):
            check_endpoint("endpoint:m", settings)
        model = open_endpoint("endpoint:m", settings)
        with pytest.raises(EndpointError, match="no connection"):
            model.generate([Prompt(SECRET)] * 5, Sampling())


def test_door(served: Served) -> None:
    assert check_endpoint("endpoint:m", settings_of(served)) == ()
    served.models = None
    assert check_endpoint("endpoint:other", settings_of(served)) == ()
    served.models = ["m", "n"]
    assert served.bodies == []
    served.reply = lambda path, body, turn: failing(404)
    with pytest.raises(CharthouseError, match="no model other; it has m, n"):
        check_endpoint("endpoint:other", settings_of(served))
    served.reply = lambda path, body, turn: chat("x")  # one that takes what it does not list
    check_endpoint("endpoint:other", settings_of(served))
    with pytest.raises(CharthouseError, match="names no model"):
        check_endpoint("endpoint:", settings_of(served))


def test_nothing_is_logged(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    served.reply = lambda path, body, turn: failing(500)
    asked(served, SECRET)
    assert "Smith" not in caplog.text
    assert not [record for record in caplog.records if record.name.startswith("http")]


def test_long_prompt_loses_its_middle_part(served: Served) -> None:
    text = "begin " + "x" * 2000 + " end"
    (answer,) = asked(served, text, sampling=Sampling(max_new_tokens=28), context=128)
    ((_, body, _),) = served.requests
    sent = body["messages"][0]["content"]
    assert sent.startswith("begin") and sent.endswith("end")
    assert len(sent) <= 300
    assert isinstance(answer, Completion)
    assert answer.truncated_tokens == -(-(len(text) - (300 - len(" [...] "))) // 3)
    with pytest.raises(GenerationError, match="no room"):
        asked(served, text, sampling=Sampling(max_new_tokens=128), context=128)


def test_fingerprint_is_of_name_and_revision_alone() -> None:
    plain = EndpointSettings(url="http://localhost:1/v1")
    moved = EndpointSettings(url="http://localhost:2/v1", parallel=2)
    revised = EndpointSettings(url="http://localhost:1/v1", revision="2026-11")
    first = endpoint_fingerprint("endpoint:m", plain)
    assert endpoint_fingerprint("endpoint:m", moved) == first
    assert endpoint_fingerprint("endpoint:m", revised) != first
    assert endpoint_fingerprint("endpoint:n", plain) != first


def test_likelihoods_cannot_be_told(served: Served) -> None:
    model: EndpointModel = open_endpoint("endpoint:m", settings_of(served))
    assert (model.name, model.context) == ("endpoint:m", 4096)
    with pytest.raises(GenerationError, match="no likelihoods"):
        model.log_likelihoods([("a", "b")])
    model.close()


def test_doctor_asks_the_endpoint(served: Served, tmp_path: Path) -> None:
    config = tmp_path / "c.toml"

    def findings(model: str, url: str = "") -> list[Finding]:
        endpoint = f'[endpoint]\nurl = "{url or served.url}"\nretries = 0\n'
        config.write_text(f'[generation]\nmodel = "{model}"\n{endpoint}')
        return list(_endpoint(config))

    (well,) = findings("endpoint:m")
    assert (well.fix, well.found) == ("", "answers, has m")
    (listed,) = findings("models/m")
    assert listed.found == "answers, has m"
    served.reply = lambda path, body, turn: failing(404)
    (other,) = findings("endpoint:other")
    assert other.fix and "it has m" in other.found
    (far,) = findings("endpoint:m", "http://far.away/v1")
    assert far.fix and "may not be sent" in far.found
    assert list(_endpoint(None)) == []
