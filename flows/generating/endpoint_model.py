"""A language model behind a server that speaks OpenAI's protocol: vLLM, llama.cpp and others."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from flows.generating.endpoint_address import EndpointAddress
from flows.generating.endpoint_requests import EndpointClient, EndpointError, Failure
from nlp.generation.completion import (
    LENGTH,
    STOP,
    Completion,
    Likelihood,
    Progress,
    Prompt,
    Sampling,
)
from nlp.generation.errors import GenerationError
from nlp.language_settings import EndpointSettings

PREFIX = "endpoint:"
"""Begins ``generation.model`` where the model is behind an endpoint."""

_CHARACTERS_A_TOKEN = 3
"""Of clinical English there are about four to a token: rather fewer words than too many."""

_GAP = " [...] "


class EndpointModel:
    """A :class:`~nlp.generation.completion.TextModel` that asks a server.

    Requests run in parallel; each is repeated where the server was busy or the connection broke.
    """

    def __init__(self, name: str, address: EndpointAddress, settings: EndpointSettings) -> None:
        """Prepare; nothing is sent yet. ``name`` is the model's name there."""
        self.name = PREFIX + name
        self._served = name
        self._settings = settings
        self._client = EndpointClient(
            address,
            timeout=settings.timeout_seconds,
            retries=settings.retries,
            parallel=settings.parallel,
        )

    @property
    def context(self) -> int:
        """Tokens that prompt and completion may have together, as the settings say."""
        return self._settings.context

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """An estimate, rather too high: a token for every three characters."""
        return [-(-len(text) // _CHARACTERS_A_TOKEN) for text in texts]

    def generate(
        self, prompts: Sequence[Prompt], sampling: Sampling, progress: Progress | None = None
    ) -> list[Completion]:
        """Complete each prompt, in input order; see :meth:`complete_each`.

        Raises:
            GenerationError: a request failed; says how many and why, without text.
        """
        results = self.complete_each(prompts, sampling, progress)
        failed = [result for result in results if isinstance(result, Failure)]
        if failed:
            raise GenerationError(
                f"{len(failed)} of {len(results)} requests failed: {failed[0].reason}"
            )
        return [result for result in results if isinstance(result, Completion)]

    def complete_each(
        self, prompts: Sequence[Prompt], sampling: Sampling, progress: Progress | None = None
    ) -> list[Completion | Failure]:
        """Complete each prompt, in input order; a request that fails alone gives its reason.

        A prompt longer than the settings' context by the estimate of :meth:`count_tokens` loses its
        middle part. ``top_k`` and ``repetition_penalty`` are no part of OpenAI's protocol: they are
        sent where they are set, and servers other than vLLM may pass over them.

        Raises:
            EndpointError: the server cannot be used, whatever is asked.
        """
        lock, done = threading.Lock(), 0

        def ask(prompt: Prompt) -> Completion | Failure:
            nonlocal done
            result = self._ask(prompt, sampling)
            with lock:
                done += 1
                if progress is not None:
                    progress(done)
            return result

        pool = ThreadPoolExecutor(max_workers=self._settings.parallel)
        try:
            results = list(pool.map(ask, prompts))
        except EndpointError:
            self._client.stop()
            pool.shutdown(wait=True, cancel_futures=True)
            self._client.close()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
        blamed = [r for r in results if isinstance(r, Failure) and r.is_server]
        if blamed and not self._client.is_alive():
            raise EndpointError(f"the endpoint does not answer any more: {blamed[0].reason}")
        return results

    def log_likelihoods(
        self, pairs: Sequence[tuple[str, str]], progress: Progress | None = None
    ) -> list[Likelihood]:
        """Endpoints cannot tell.

        Raises:
            GenerationError: always.
        """
        raise GenerationError(
            f"model {self.name}: an endpoint tells no likelihoods of given texts; name a folder or "
            "hub:owner/name@revision"
        )

    def check(self) -> None:
        """See that the server answers and takes the model, before texts are sent.

        Raises:
            EndpointError: it does not.
        """
        models = self._client.models()
        if models is None or self._served in models:
            return
        # Some servers take models that they do not list. The answer does not matter.
        try:
            taken = not isinstance(self._post(Prompt("."), Sampling(max_new_tokens=1)), Failure)
        except EndpointError:
            taken = False
        if not taken:
            raise EndpointError(
                f"the endpoint has no model {self._served}; it has {', '.join(models) or 'none'}"
            )

    def _ask(self, prompt: Prompt, sampling: Sampling) -> Completion | Failure:
        prompt, lost = self._fit(prompt, sampling)
        answer = self._post(prompt, sampling)
        if isinstance(answer, Failure):
            return answer
        return self._completion(answer, prompt, sampling, lost)

    def _post(self, prompt: Prompt, sampling: Sampling) -> dict[str, Any] | Failure:
        body: dict[str, Any] = {
            "model": self._served,
            "max_tokens": sampling.max_new_tokens,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "seed": _seed(sampling.seed, prompt.key),
            "stream": False,
        }
        if sampling.stop:
            body["stop"] = list(sampling.stop)
        if sampling.top_k:
            body["top_k"] = sampling.top_k
        if sampling.repetition_penalty != 1.0:
            body["repetition_penalty"] = sampling.repetition_penalty
        if self._settings.chat:
            system = [{"role": "system", "content": prompt.system}] if prompt.system else []
            body["messages"] = [*system, {"role": "user", "content": prompt.text}]
            return self._client.post("/chat/completions", body)
        body["prompt"] = f"{prompt.system}\n\n{prompt.text}" if prompt.system else prompt.text
        return self._client.post("/completions", body)

    def _fit(self, prompt: Prompt, sampling: Sampling) -> tuple[Prompt, int]:
        """The prompt without its middle part where it is too long, and tokens that it lost."""
        room = self._settings.context - sampling.max_new_tokens
        room = min(room, sampling.max_input_tokens or room)
        allowed = room * _CHARACTERS_A_TOKEN - len(prompt.system) - len(_GAP)
        if allowed < 2:
            raise GenerationError(
                "no room is left for prompts; raise endpoint.context or generation."
                "max_input_tokens, or lower generation.max_new_tokens"
            )
        lost = len(prompt.text) - allowed
        if lost <= len(_GAP):
            return prompt, 0
        half = allowed // 2
        text = prompt.text[: allowed - half] + _GAP + prompt.text[-half:]
        return Prompt(text, prompt.system, prompt.key), -(-lost // _CHARACTERS_A_TOKEN)

    def _completion(
        self, answer: dict[str, Any], prompt: Prompt, sampling: Sampling, lost: int
    ) -> Completion | Failure:
        try:
            choice = answer["choices"][0]
            text = choice["message"]["content"] if self._settings.chat else choice["text"]
            reason = choice.get("finish_reason")
            text = "" if text is None else str(text)
            usage = answer.get("usage") or {}
            given, made = self.count_tokens([prompt.system + prompt.text, text])
            given = int(usage.get("prompt_tokens") or given)
            made = int(usage.get("completion_tokens") or made)
        except (KeyError, IndexError, TypeError, ValueError, AttributeError):
            return Failure("the endpoint's answer has not the form of OpenAI's protocol")
        if reason == "content_filter":
            return Failure("the endpoint withheld its text (content_filter)")
        finish = LENGTH if reason == LENGTH else STOP
        if reason is None and made >= sampling.max_new_tokens:
            finish = LENGTH
        # Not every server stops where it is told to.
        ends = [place for stop in sampling.stop if (place := text.find(stop)) >= 0]
        if ends:
            text, finish = text[: min(ends)], STOP
        return Completion(text, finish, given, made, lost)


def _seed(seed: int, key: str) -> int:
    """A seed of a prompt's own, whatever is asked beside it; 31 bits, as all servers take."""
    digest = hashlib.sha256(f"{seed}\0{key}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:4], "little") >> 1
