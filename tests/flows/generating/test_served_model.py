"""A real server of OpenAI's protocol, ``transformers serve``, with a small model that is taught."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from flows.generating.endpoint import check_endpoint, open_endpoint
from nlp.generation.completion import STOP, Prompt, Sampling
from nlp.language_settings import EndpointSettings
from tests.flows.retrieval.conftest import searched_warehouse
from tests.flows.runs import charthouse, query
from tests.language_models import make_gpt2, teach

__all__ = ["searched_warehouse"]

pytestmark = pytest.mark.slow

QUESTION = "Question: Can I take aspirin?\nAnswer:"
ANSWER = "Ask your doctor first."


@dataclass(frozen=True)
class Server:
    """Where it is, and the name of its model."""

    url: str
    model: str


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server; its process ends with the tests."""
    folder = tmp_path_factory.mktemp("served")
    model = make_gpt2(folder / "model", context=1024)
    teach(model, [f"{QUESTION} {ANSWER}"], steps=80)
    (model / "chat_template.jinja").write_text(
        "{% for message in messages %}{{ message.content }}{% endfor %}"
    )
    (folder / "home" / "hub").mkdir(parents=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = shutil.which("transformers", path=Path(sys.executable).parent)
    if command is None:
        pytest.skip("transformers has no command here")
    where = ("--host", "127.0.0.1", "--port", str(port))
    process = subprocess.Popen(
        [command, "serve", str(model), *where, "--device", "cpu"],
        env=os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(folder / "home")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(process, f"http://127.0.0.1:{port}/health")
        yield Server(f"http://127.0.0.1:{port}/v1", str(model))
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], url: str) -> None:
    for _ in range(240):
        if process.poll() is not None:
            pytest.fail(f"the server ended with {process.returncode}")
        try:
            if httpx.get(url, trust_env=False).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.5)
    pytest.fail("the server did not come up")


@pytest.mark.parametrize("chat", [False, True])
def test_server_answers(server: Server, chat: bool) -> None:
    settings = EndpointSettings(url=server.url, chat=chat, parallel=3)
    name = f"endpoint:{server.model}"
    assert check_endpoint(name, settings) == ()  # it takes a model that it does not list
    model = open_endpoint(name, settings)
    answers = model.generate([Prompt(QUESTION)] * 4, Sampling(max_new_tokens=40))
    assert [answer.text.strip() for answer in answers] == [ANSWER] * 4
    assert {answer.finish_reason for answer in answers} == {STOP}
    assert all(answer.prompt_tokens and answer.completion_tokens for answer in answers)
    model.close()


def test_answers_come_into_the_warehouse(
    server: Server, searched_warehouse: Path, tmp_path: Path, prefect_address: str
) -> None:
    warehouse = tmp_path / "w.duckdb"
    warehouse.write_bytes(searched_warehouse.read_bytes())
    config = tmp_path / "c.toml"
    config.write_text(f'[endpoint]\nurl = "{server.url}"\nchat = false\ncontext = 1024\n')
    questions = tmp_path / "q.csv"
    questions.write_text("question_id,question\nq1,Was there a heart attack?\nz,Zebra stripes?\n")
    command: list[str | Path] = ["generate", "answer", "--warehouse", warehouse, "--config", config]
    command += ["--model", f"endpoint:{server.model}", "--questions", questions]
    command += ["--prompt", "cited-answer", "--max-new-tokens", "20"]
    shared = {"PREFECT_API_URL": prefect_address}
    run = charthouse(tmp_path, *command, **shared)
    assert run.returncode == 3, run.stderr  # nothing is said of zebras
    assert query(warehouse, "SELECT item_id, question, calls FROM generations") == [
        ("question:q1", "Was there a heart attack?", 1)
    ]
    sources = query(
        warehouse,
        "SELECT s.number, substr(d.text, s.start_char + 1, s.end_char - s.start_char) "
        "FROM generation_sources s JOIN documents d USING (document_id) ORDER BY 1",
    )
    assert [number for number, _ in sources] == [1, 2, 3]
    assert all("heart attack" in str(text) or "infarction" in str(text) for _, text in sources)
    ((path, reason),) = query(warehouse, "SELECT path, reason FROM rejects")
    assert path == "item:question:z" and "no passage" in str(reason)
    again = charthouse(tmp_path, *command, **shared)
    assert again.returncode == 0, again.stderr
    assert "skipped" in again.stdout
    config.write_text('[endpoint]\nurl = "http://localhost.evil.com/v1"\n')
    refused = charthouse(tmp_path, *command, **shared)
    assert refused.returncode not in (0, 3)
    assert "may not be sent to localhost.evil.com" in refused.stderr
