"""Text to a language model's tokens and back."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import date
from typing import Any

from nlp.generation.completion import Prompt
from nlp.generation.errors import GenerationError

_TODAY = date(2024, 7, 26)
"""What chat templates are told when they ask for the date, so that a prompt is the same tomorrow;
the date that Llama 3's template has where nobody tells one."""


class Codec:
    """A model's tokenizer.

    Attributes:
        tokenizer: as transformers has it.
        prefix: token that stands where there is no text: that of a text's beginning, or else end.
        ends: tokens that end a completion.
    """

    def __init__(self, tokenizer: Any, prefix: int, ends: frozenset[int]) -> None:
        """Take a tokenizer, the token of a text's beginning, and those that end completions."""
        self.tokenizer = tokenizer
        self.prefix = prefix
        self.ends = ends
        self._prefix_text = tokenizer.decode([prefix])
        self._special = _special_pattern(tokenizer)
        self._closing = ends & {int(token) for token in tokenizer.all_special_ids}

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens that each text takes in a prompt, special ones left out."""
        return [len(self.encode(self._break_names(text), special=False)) for text in texts]

    def count_markup(self) -> int:
        """Tokens that a prompt has beside those of its texts: special ones, and a chat's marks."""
        system, text = self.count(["a", "a"])
        return len(self.encode_prompt(Prompt("a", system="a"))) - system - text

    def encode(self, text: str, *, special: bool | None = None) -> list[int]:
        """Token ids; with the special ones of a text's beginning unless it already has them."""
        if not text:  # some tokenizers cannot take an empty one
            return []
        if special is None:
            special = not text.startswith(self._prefix_text)
        encoded = self.tokenizer(text, add_special_tokens=special, verbose=False)
        return [int(token) for token in encoded["input_ids"]]

    def encode_prompt(self, prompt: Prompt) -> list[int]:
        """Tokens of a prompt, at least one; through the chat template where there is one.

        A special token's name in a text is no special token: a note that says ``</s>`` does not
        end its prompt, nor does it speak in another's role. A space breaks the name. Nor does the
        end token stand last that some tokenizers put after every text.
        """
        system, text = self._break_names(prompt.system), self._break_names(prompt.text)
        if getattr(self.tokenizer, "chat_template", None):
            tokens = self.encode(self._chat(system, text), special=False)
        else:
            tokens = self.encode("\n\n".join(part for part in (system, text) if part))
            if len(tokens) > 1 and tokens[-1] in self._closing:
                tokens.pop()
        return tokens or [self.prefix]

    def encode_text(self, text: str) -> list[int]:
        """Tokens of a text as it is, no special one among them: their names are broken."""
        return self.encode(self._break_names(text), special=False)

    def _break_names(self, text: str) -> str:
        return self._special.sub(lambda name: f"{name[0][0]} {name[0][1:]}", text)

    def _chat(self, system: str, text: str) -> str:
        user = {"role": "user", "content": text}
        if not system:
            return self._render([user])
        try:
            return self._render([{"role": "system", "content": system}, user])
        except Exception:  # templates raise what they like where they know no system role
            return self._render([{"role": "user", "content": f"{system}\n\n{text}"}])

    def _render(self, messages: list[dict[str, str]]) -> str:
        return str(
            self.tokenizer.apply_chat_template(
                messages,
                tokenize=False,
                add_generation_prompt=True,
                chat_template=_without_clock(self.tokenizer.get_chat_template()),
            )
        )

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of tokens, special ones left out."""
        if not tokens:
            return ""
        return str(
            self.tokenizer.decode(
                list(tokens), skip_special_tokens=True, clean_up_tokenization_spaces=False
            )
        )

    def find_stop(self, tokens: Sequence[int], stop: Sequence[str]) -> str | None:
        """The text before the first stop string that the tokens spell; None where they do not.

        Meant to be called after every token. Stop strings may begin and end within tokens.
        """
        if not self._may_stop(tokens, stop):
            return None
        text = self.decode(tokens)
        places = [place for string in stop if (place := text.find(string)) >= 0]
        return text[: min(places)] if places else None

    def _may_stop(self, tokens: Sequence[int], stop: Sequence[str]) -> bool:
        """Whether the last tokens may spell a stop string: all would be decoded for every token.

        Rules about spaces may look far back, so spaces are not compared. Every token that counts
        gives at least a byte.
        """
        bare = ["".join(string.split()) for string in stop]
        longest = max(len(string.encode()) for string in bare)
        tail = "".join(self.decode(tokens[-(longest + 8) :]).split())
        return any(string in tail for string in bare)

    def encode_pair(self, context: str, continuation: str) -> tuple[list[int], list[int]]:
        """Tokens of a context and of what follows it, as lm-evaluation-harness has them.

        Source: ``_encode_pair`` and ``loglikelihood`` of EleutherAI's lm-evaluation-harness 0.4:
        white space that ends the context is moved to the continuation, both are encoded as one
        text, and what is longer than the context alone is the continuation. Without context the
        prefix token stands for it.

        Raises:
            GenerationError: the continuation has no token of its own.
        """
        if not context:
            following = self.encode(continuation, special=False)
            if following[:1] == [self.prefix]:
                first, following = following[:1], following[1:]
            else:
                first = [self.prefix]
        else:
            bare = context.rstrip()
            continuation = context[len(bare) :] + continuation
            first = self.encode(bare)
            following = self.encode(bare + continuation)[len(first) :]
            first = first or [self.prefix]
        if not following:
            raise GenerationError(
                "a continuation has no token of its own after its context; it is empty, or the "
                "tokenizer joins it with the context"
            )
        return first, following


def _without_clock(template: str) -> str:
    """A chat template whose ``strftime_now`` always tells the same day."""
    if "strftime_now" not in template:
        return template
    values = "".join(
        f" | replace('%{code}', '{_TODAY.strftime('%' + code)}')" for code in "aAbBdHIjmMpSyY"
    )
    return f"{{% macro strftime_now(form) %}}{{{{ form{values} }}}}{{% endmacro %}}{template}"


def _special_pattern(tokenizer: Any) -> re.Pattern[str]:
    """Matches the names of special tokens in a text."""
    added = getattr(tokenizer, "added_tokens_decoder", {}).values()
    names = {*map(str, tokenizer.all_special_tokens), *(str(t) for t in added if t.special)}
    longest_first = sorted((name for name in names if len(name) > 1), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")


def cut_middle(tokens: Sequence[int], limit: int) -> list[int]:
    """At most ``limit`` tokens: of longer rows the middle is left out, head and tail are kept."""
    if len(tokens) <= limit:
        return list(tokens)
    head = math.ceil(limit / 2)
    tail = limit - head
    return [*tokens[:head], *tokens[len(tokens) - tail :]]
