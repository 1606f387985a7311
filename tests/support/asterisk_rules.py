"""How Asterisk takes our bytes apart, re-told in Python for tests.

Reads: the bytes of an AGI command line, or of AMI actions.
Gives: the words, or the headers, that Asterisk 22 would see.
Knows nothing of: our encoders.

Sources: parse_args and run_agi in res/res_agi.c; get_input, do_message, astman_get_header and
man_do_variable_value in main/manager.c.
"""

AGI_PARTS_MAX = 127
AMI_LINE_MAX = 1024
AMI_HEADERS_MAX = 128


def agi_words(stream: bytes) -> list[list[str]]:
    """The words of each command in these bytes; the last must end in LF, else Asterisk would spin."""
    *lines, rest = stream.split(b"\n")
    assert rest == b"", "no line end: Asterisk would wait for more"
    return [_words(line) for line in lines]


def _words(line: bytes) -> list[str]:
    assert len(line) < 2048
    assert not line.lower().startswith(b"failure")
    words: list[bytearray] = []
    is_quoted = is_escaped = False
    is_between = True
    for byte in line.partition(b"\0")[0]:  # a C string ends at NUL
        if byte == 0x22 and not is_escaped:
            is_quoted = not is_quoted
            if is_quoted and is_between:
                words.append(bytearray())
                is_between = False
        elif byte in (0x20, 0x09) and not is_quoted and not is_escaped:
            is_between = True
        elif byte == 0x5C and not is_escaped:
            is_escaped = True
        else:
            if is_between:
                words.append(bytearray())
                is_between = False
            words[-1].append(byte)
            is_escaped = False
    assert len(words) <= AGI_PARTS_MAX
    return [word.decode() for word in words]


class AmiAction:
    """One action as the manager sees it."""

    def __init__(self, lines: list[bytes]) -> None:
        """`lines` without their ends, as get_input gives them."""
        self.lines = lines

    def header(self, name: str) -> str | None:
        """astman_get_header: the first match, without regard to case, leading blanks skipped."""
        for line in self.lines:
            start = name.encode().lower() + b":"
            if line.lower().startswith(start):
                return line[len(start) :].lstrip(bytes(range(1, 33))).decode()
        return None

    def variables(self) -> dict[str, str]:
        """Each Variable header, split at commas and then at the first equals sign."""
        found: dict[str, str] = {}
        for line in self.lines:
            if line.lower().startswith(b"variable:"):
                for item in line.partition(b":")[2].decode().strip(" ").split(","):
                    name, equals, value = item.partition("=")
                    if equals and name:
                        found[name] = value.replace('"', "").replace("\\", "")
        return found


def ami_actions(stream: bytes) -> list[AmiAction]:
    """The actions in these bytes: lines end at LF, with or without CR; NUL cuts a line."""
    actions: list[AmiAction] = []
    lines: list[bytes] = []
    *whole, rest = stream.split(b"\n")
    assert rest == b""
    for raw in whole:
        assert len(raw) < AMI_LINE_MAX
        line = raw.removesuffix(b"\r").partition(b"\0")[0]
        if line:
            lines.append(line)
            continue
        assert len(lines) <= AMI_HEADERS_MAX
        actions.append(AmiAction(lines))
        lines = []
    assert not lines
    return actions
