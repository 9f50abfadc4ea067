"""Settings of language models: generation, retrieval, relations, endpoints."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class GenerationSettings(BaseModel):
    """Which language model writes, and how."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str | None = Field(
        None,
        description="causal language model: a folder, `hub:owner/name@revision`, or "
        "`endpoint:NAME` for the model of that name behind `endpoint.url`",
    )
    prompt: str | None = Field(
        None,
        description="prompt template: a name from the box or a TOML file; by default the task's",
    )
    max_new_tokens: int = Field(
        0, ge=0, description="tokens of a text at most; 0 = what the prompt template says"
    )
    temperature: float = Field(
        0.0, ge=0, description="0 always takes the likeliest token; above, tokens are drawn"
    )
    top_p: float = Field(
        1.0, gt=0, le=1, description="draw from the likeliest tokens of this probability together"
    )
    top_k: int = Field(0, ge=0, description="draw from so many likeliest tokens; 0 = all")
    repetition_penalty: float = Field(
        1.0, gt=0, description="above 1 tokens that stand there already become less likely"
    )
    seed: int = Field(0, ge=0, description="of drawn tokens; each text has draws of its own")
    max_input_tokens: int = Field(
        0, ge=0, description="tokens of a prompt at most; 0 = what the model's context leaves"
    )
    batch_tokens: int = Field(
        0,
        ge=0,
        description="tokens in flight at once, padding and room for the answer included; 0 = by "
        "device; no part of the generation_id",
    )
    device: str = Field("auto", description="auto, cpu, cuda or cuda:N; no part of the id")
    precision: Literal["auto", "bf16", "fp32"] = Field(
        "auto", description="number format of the forward pass; auto is fp32 on CPU, bf16 on GPU"
    )


class EndpointSettings(BaseModel):
    """A server inside the network that speaks OpenAI's protocol: vLLM, llama.cpp and others."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str | None = Field(
        None, description="base of the API, for example `http://127.0.0.1:8000/v1`"
    )
    revision: str | None = Field(
        None,
        description="what you call the version of the weights behind it, which nobody here can "
        "see: with another one all texts are written anew",
    )
    allow_hosts: tuple[str, ...] = Field(
        ("localhost", "127.0.0.1", "::1"),
        description="hosts that may be sent texts; any other is refused, since notes are private",
    )
    any_host: bool = Field(False, description="send texts to whatever host the URL names")
    chat: bool = Field(
        True, description="ask /chat/completions; false asks /completions with the bare prompt"
    )
    key_variable: str | None = Field(
        None, description="environment variable that holds the API key; its name, not the key"
    )
    key_file: Path | None = Field(
        None, description="file that holds the API key instead, readable by its owner only"
    )
    parallel: int = Field(8, ge=1, description="requests under way at once")
    timeout_seconds: float = Field(300.0, gt=0, description="for one request")
    retries: int = Field(4, ge=0, description="times a request is repeated that the server refused")
    context: int = Field(4096, ge=64, description="tokens that the server's model takes")


class RetrievalSettings(BaseModel):
    """Which passages of the warehouse an answer is given to read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    passages: int = Field(5, ge=1, description="passages in a prompt at most")
    passage_characters: int = Field(
        1200, ge=100, description="a passage has whole sentences of so many characters at most"
    )
    concepts: bool = Field(
        True, description="also look for the concepts that the question names, and narrower ones"
    )
    concept_weight: float = Field(
        1.0, ge=0, description="how much shared concepts count beside words"
    )
    k1: float = Field(1.2, ge=0, description="BM25: how fast a repeated word stops counting")
    b: float = Field(0.75, ge=0, le=1, description="BM25: how much long passages are held down")


class RelationSettings(BaseModel):
    """What finds relations between mentions."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str | None = Field(
        None,
        description="`bundled`, a relation classifier's folder or `hub:owner/name@revision`, or a "
        "causal model that was trained to write relations as sentences; none = the one in the box",
    )
    threshold: float | None = Field(
        None, ge=0, le=1, description="least probability of a relation; none = the model's own"
    )
    statements: str | None = Field(
        None,
        description="how a causal model's sentences are read: a name from the box or a TOML file",
    )
