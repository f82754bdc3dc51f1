"""Edit the AWS configuration and credentials files line by line: what is not changed stays as it is, byte for byte.

The SDKs read them as INI (AWS SDKs guide, "Shared config and credentials files"). A file that they could not read is
not edited. What is replaced against somebody's setting stays in the file as a comment.
"""

import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from connector.access.store import write_private
from connector.errors import ProfileRefused

_SECTION = re.compile(r"\s*\[(?P<name>[^\]]*)\]\s*(?:[#;].*)?$")
_SETTING = re.compile(r"(?P<name>[^\s=:#;\[][^=:]*?)\s*[=:]\s*(?P<value>.*?)\s*$")
_LARGEST_FILE = 4_194_304


def config_file(environment: Mapping[str, str]) -> Path:
    """Return where the AWS configuration file is."""
    return _place(environment, "AWS_CONFIG_FILE", "config")


def credentials_file(environment: Mapping[str, str]) -> Path:
    """Return where the AWS credentials file is."""
    return _place(environment, "AWS_SHARED_CREDENTIALS_FILE", "credentials")


def _place(environment: Mapping[str, str], variable: str, name: str) -> Path:
    return Path(environment.get(variable) or f"~/.aws/{name}").expanduser()


@dataclass(slots=True)
class AwsFile:
    """One of the two files, as lines with their ends.

    Args:
        path: where it is; it need not exist.
        lines: of it.
    """

    path: Path
    lines: list[str]

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return a file's lines, none if there is no file.

        Raises:
            ProfileRefused: it cannot be read, or the SDKs could not read it.
        """
        try:
            with path.open(encoding="utf-8", newline="") as file:
                text = file.read(_LARGEST_FILE + 1)
        except FileNotFoundError:
            return cls(path, [])
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
            raise ProfileRefused(f"{path} cannot be read: {reason}.", remedy="Nothing was changed.") from None
        found = cls(path, re.findall(r"[^\n]*\n|[^\n]+$", text))
        found._check(len(text))
        return found

    def settings(self, section: str) -> dict[str, str]:
        """Return the settings of a section, their names in lower case; empty without the section."""
        found = {}
        for number in self._body(section):
            match = _setting(self.lines[number])
            if match:
                found[match["name"].lower()] = match["value"]
        return found

    def has(self, section: str) -> bool:
        """Say whether there is such a section."""
        return self._head(section) is not None

    def put(self, section: str, settings: Mapping[str, str]) -> None:
        """Give a section these settings, in place where they are there, else at its end; its others stay."""
        head = self._head(section)
        if head is None:
            self._append_section(section, settings)
            return
        left = dict(settings)
        for number in self._body(section):
            match = _setting(self.lines[number])
            if match and match["name"].lower() in left:
                name = match["name"].lower()
                self.lines[number] = f"{match['name']} = {left.pop(name)}{self._end(number)}"
        last = max((n for n in self._body(section) if self.lines[n].strip()), default=head)
        if left:
            self._end_line(last)
        self.lines[last + 1 : last + 1] = [f"{name} = {value}{self._newline}" for name, value in left.items()]

    def drop(self, section: str, names: set[str], *, keep_as_comment: bool) -> None:
        """Take settings out of a section.

        Args:
            section: its name.
            names: of the settings, in lower case.
            keep_as_comment: whether they stay as comments, for whoever set them.
        """
        for number in reversed(list(self._body(section))):
            match = _setting(self.lines[number])
            if match and match["name"].lower() in names:
                last = self._end_of_setting(number)
                kept = [f"# {line}" for line in self.lines[number:last]] if keep_as_comment else []
                self.lines[number:last] = kept

    def save(self) -> None:
        """Write the file as a whole, for its owner alone; a symbolic link stays one.

        Raises:
            ProfileRefused: it cannot be written; what was there still is.
        """
        target = Path(os.path.realpath(self.path))
        try:
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_private(target, "".join(self.lines))
        except OSError as error:
            raise ProfileRefused(
                f"{self.path} cannot be written: {error.strerror}.",
                remedy="Nothing was changed. Name another file with AWS_CONFIG_FILE or AWS_SHARED_CREDENTIALS_FILE.",
            ) from None

    @property
    def others_can_read(self) -> bool:
        """Whether somebody else may read what the file holds now."""
        try:
            return bool(self.path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))
        except OSError:
            return False

    @property
    def _newline(self) -> str:
        return "\r\n" if any(line.endswith("\r\n") for line in self.lines) else "\n"

    def _end(self, number: int) -> str:
        line = self.lines[number]
        return line[len(line.rstrip("\r\n")) :]

    def _end_line(self, number: int) -> None:
        if not self._end(number):
            self.lines[number] += self._newline

    def _append_section(self, section: str, settings: Mapping[str, str]) -> None:
        newline = self._newline
        if self.lines:
            self._end_line(len(self.lines) - 1)
            if self.lines[-1].strip():
                self.lines.append(newline)
        self.lines += [f"[{section}]{newline}", *(f"{name} = {value}{newline}" for name, value in settings.items())]

    def _heads(self) -> Iterator[tuple[int, str]]:
        for number, line in enumerate(self.lines):
            match = _SECTION.match(line)
            if match:
                yield number, _normal(match["name"])

    def _head(self, section: str) -> int | None:
        return next((number for number, name in self._heads() if name == _normal(section)), None)

    def _body(self, section: str) -> range:
        head = self._head(section)
        if head is None:
            return range(0)
        end = next((number for number, _ in self._heads() if number > head), len(self.lines))
        return range(head + 1, end)

    def _end_of_setting(self, number: int) -> int:
        """Return where a setting ends: indented lines below it belong to it (s3 = and its like)."""
        end = number + 1
        while end < len(self.lines) and self.lines[end][:1] in " \t" and self.lines[end].strip():
            end += 1
        return end

    def _check(self, size: int) -> None:
        if size > _LARGEST_FILE:
            raise ProfileRefused(f"{self.path} is too large to be an AWS file.", remedy="Nothing was changed.")
        seen: set[str] = set()
        for number, name in self._heads():
            if name in seen:
                raise self._broken(number, f"section [{name}] comes twice")
            seen.add(name)
        first = next((number for number, _ in self._heads()), len(self.lines))
        for number, line in enumerate(self.lines):
            text = line.strip()
            if not text or text[0] in "#;" or _SECTION.match(line) or (line[0] in " \t" and number > first):
                continue
            if number < first or not _setting(line):
                raise self._broken(number, "it is neither a section nor a setting of one")

    def _broken(self, number: int, why: str) -> ProfileRefused:
        return ProfileRefused(
            f"{self.path}, line {number + 1}: {why}; the AWS tools cannot read the file.",
            remedy="Nothing was changed. Correct that line first.",
        )


def _setting(line: str) -> re.Match[str] | None:
    return None if line[:1] in " \t" else _SETTING.match(line.rstrip("\r\n"))


def _normal(name: str) -> str:
    return re.sub(r"\s+", " ", name.strip().replace('"', "").replace("'", ""))
