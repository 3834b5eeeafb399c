"""What the system says of a file, in words of the catalogue."""

from __future__ import annotations

import errno
from typing import Any

from xattn.i18n.sentence import Quoted

__all__ = ["system_reason"]

PHRASES = {
    errno.EACCES: "no_permission",
    errno.EISDIR: "is_folder",
    errno.ENAMETOOLONG: "long_name",
    errno.ENOENT: "no_such_file",
    errno.ENOSPC: "disk_full",
    errno.ENOTDIR: "no_folder",
    errno.EPERM: "not_permitted",
    errno.EROFS: "read_only",
    errno.ESPIPE: "a_device_or_pipe",
}


def system_reason(problem: Exception) -> dict[str, Any]:
    """The fields that word `problem`, for a text with the placeholder ``{why:phrase}``.

    >>> system_reason(FileNotFoundError(errno.ENOENT, "No such file or directory"))
    {'why': 'no_such_file', 'reason': No such file or directory}
    """
    if not isinstance(problem, OSError):  # as Python says of a zero byte in a name
        return {"why": "bad_name"}
    reason = Quoted(problem.strerror or type(problem).__name__)
    return {"why": PHRASES.get(problem.errno or 0, "system"), "reason": reason}
