"""The keys of worktrees and of what changed, as rows of the table of all keys."""

from __future__ import annotations

from overmind_tui.actions import Action, Context, Danger, Needs

_W, _C = Context.WORKTREES, Context.CHANGES
_LIVE, _WORKTREE = Needs.LIVE, Needs.WORKTREE
_CHANGES, _ENDS = Danger.CHANGES, Danger.ENDS_WORK
_MOVES = "it only moves what is seen"

WORKTREE_ACTIONS: tuple[Action, ...] = (
    Action("changes", ("enter", "v"), "changes", "what changed in it, beside its base", _W, needs=_WORKTREE,
           verb="changes", hint=1),
    Action("land", ("L",), "land", "merge its work, after a look at what would come", _W, _CHANGES, _WORKTREE, "merge",
           hint=1),
    Action("commit", ("C",), "commit", "commit everything in it; asks for a message", _W, _CHANGES, _WORKTREE, "commit",
           hint=1),
    Action("push", ("P",), "push", "push its branch", _W, _CHANGES, _WORKTREE, "push", hint=3),
    Action("discard", ("ctrl+d",), "discard", "remove it, with its branch, ports and containers", _W, _ENDS, _WORKTREE,
           "discard", hint=3),
    Action("log", ("l",), "logs", "the log of its mission, on the main screen", _W, verb="logs", hint=3),
    Action("message", ("m",), "message", "write to its agent", _W, _CHANGES, _LIVE, "send", hint=5),
    Action("describe-row", ("d",), "describe", "everything known about its mission", _W, verb="info", hint=5),
    Action("shell-there", ("s",), "shell", "a shell in it", _W, _CHANGES, _WORKTREE, "shell", hint=5),
    Action("copy-path", ("c",), "copy path", "copy its path; of all marked ones", _W, needs=_WORKTREE,
           verb="worktrees", hint=5),
    Action("comment", ("c",), "comment", "write to the agent about the line; esc in the box keeps it for more", _C,
           _CHANGES, verb="send", hint=1),
    Action("message", ("m",), "message", "write to it, and send the comments that were kept", _C, _CHANGES, _LIVE,
           "send", hint=2),
    Action("land", ("L",), "land", "merge the work in its worktree, after a look at what would come", _C, _CHANGES,
           _WORKTREE, "merge", hint=3),
    Action("commit", ("C",), "commit", "commit everything in its worktree; asks for a message", _C, _CHANGES, _WORKTREE,
           "commit", hint=4),
    Action("push", ("P",), "push", "push the branch of its worktree", _C, _CHANGES, _WORKTREE, "push"),
    Action("next-file", ("n",), "next file", "to the next file, or with / to the next match", _C, alone=_MOVES),
    Action("previous-file", ("N",), "file before", "to the file before, or with / to the match before", _C,
           alone=_MOVES),
    Action("open-file", ("enter",), "its diff", "from the list of files to the diff", _C, alone=_MOVES),
    Action("copy", ("y",), "copy", "copy the whole diff", _C, verb="changes"),
)  # fmt: skip
