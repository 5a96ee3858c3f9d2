"""The one error tree: a sentence for people, a stable code for machines, one exit code and one HTTP status per class.

A sentence names the file, layer, feature and place where known, and what to do. ``details`` carries the same
facts as fields for ``--json``. The command line prints the sentence and never a traceback (unless ``--debug``).
"""

from __future__ import annotations

import json
import re
from typing import Any

# what a terminal obeys or a reader does not see: control characters, marks that turn or hide text, half characters
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)

_LIVE = re.compile("^[=+\\-@\t\r\n'\uff1d\uff0b\uff0d\uff20]")
_NUMBER = re.compile(r"^[+-]?\d+(\.\d+)?([eE][+-]?\d+)?$", re.ASCII)

_LONGEST = 3_000
"""Characters of a sentence: what a file or user gives as a name may be without end."""


def legible(text: str, keep: str = "") -> str:
    """Text out of a file as it may be shown: what a terminal would obey (ESC, newline, right-to-left) as ``\\u001b``.

    JSON stays JSON with ``keep="\\n"``, and says the same.
    """
    return _UNSEEN.sub(lambda m: m[0] if m[0] in keep else json.dumps(m[0])[1:-1], text)


def inert(text: str) -> str:
    """A text that no spreadsheet takes for a formula: one leading apostrophe, taken away again, gives the text back."""
    return "'" + text if _LIVE.match(text) and not _NUMBER.match(text) else text


class RivergisError(Exception):
    """Base of all errors that rivergis raises on purpose; on its own it means a fault of ours (exit 70)."""

    code = "internal"
    exit_code = 70
    http_status = 500
    zh = "程序自身故障"

    def __init__(self, sentence: str, **details: Any) -> None:
        super().__init__(sentence)
        self.sentence = legible(sentence if len(sentence) < _LONGEST else f"{sentence[:_LONGEST]} …")
        self.details = {k: v for k, v in details.items() if v is not None}

    def as_dict(self) -> dict[str, Any]:
        """Machine-readable form for ``--json`` and HTTP bodies."""
        return {"error": self.code, "message": self.sentence, "message_zh": self.zh, **self.details}


class UsageError(RivergisError):
    """The command or request was put wrongly."""

    code, exit_code, http_status, zh = "usage", 2, 400, "用法有误"


class InputError(RivergisError):
    """A file or value cannot be used: unreadable, wrong layer, missing or refused CRS."""

    code, exit_code, http_status, zh = "unusable_input", 3, 422, "输入无法使用"


class CrsRefused(InputError):
    """The coordinate reference system is unknown, undocumented or cannot be transformed without parameters."""

    code, zh = "crs_refused", "坐标系不明或不能采用"


class NotFound(InputError):
    """What was asked for by name or id does not exist (or may not be seen)."""

    code, http_status, zh = "not_found", 404, "没有找到"


class RuleError(InputError):
    """A rule file is malformed: unknown key, wrong unit, minimum above maximum, missing basis."""

    code, zh = "rule_error", "规则文件有误"


class PartlyDone(RivergisError):
    """The job ended, and something failed or was set aside; ``details`` lists it."""

    code, exit_code, http_status, zh = "partly_done", 4, 207, "部分完成"


class AlreadyRunning(RivergisError):
    """Another run holds the lock."""

    code, exit_code, http_status, zh = "already_running", 5, 409, "已有同类任务在运行"


class NotNow(RivergisError):
    """What was asked for does not go with how the thing stands now: somebody else was first, or another step comes before."""

    code, exit_code, http_status, zh = "not_now", 2, 409, "现在不能这样办理"


class TooMany(NotNow):
    """Asked for too often; ``details`` holds ``retry_after_s``."""

    code, http_status, zh = "too_many", 429, "请求过于频繁"


class Conflict(NotNow):
    """Others saved meanwhile what this edit touches; ``details`` holds both shapes of every segment in conflict."""

    code, zh = "conflict", "与他人的修改冲突"


class Cancelled(RivergisError):
    """Whoever asked has left before the answer was there."""

    code, http_status, zh = "cancelled", 499, "已取消"


class TooLong(RivergisError):
    """A question that takes longer than one may."""

    code, exit_code, http_status, zh = "too_long", 6, 503, "查询超时"


class NoPicture(RivergisError):
    """A base map from elsewhere did not give a tile; the sentence says nothing of its address or key."""

    code, exit_code, http_status, zh = "no_base_map", 6, 502, "底图暂不可用"


class NotReady(RivergisError):
    """The service lacks something that whoever runs it must add first: a program, a copy of a scene for tiles."""

    code, exit_code, http_status, zh = "not_ready", 6, 503, "服务尚未就绪"


class Outdated(Conflict):
    """An edit was made on an older edition of the thing; ``details`` holds both shapes where they are known."""

    code, http_status, zh = "outdated", 412, "内容已被他人更新"


class EditionMissing(UsageError):
    """An edit does not say which edition of the thing it was made on."""

    code, http_status, zh = "edition_missing", 428, "未说明所改的版次"


class EnvironmentFault(RivergisError):
    """Database gone, disk full, program missing: nothing the input could mend."""

    code, exit_code, http_status, zh = "environment", 6, 503, "运行环境有问题"


class NotPermitted(RivergisError):
    """The actor lacks the capability, or is the same person who did the work."""

    code, exit_code, http_status, zh = "not_permitted", 7, 403, "没有权限"


class NotSignedIn(NotPermitted):
    """No or no valid sign-in."""

    code, http_status, zh = "not_signed_in", 401, "请先登录"
