"""What the demo did, what came of it, and whether that was as expected."""

from dataclasses import dataclass, field

from rich.markup import escape
from rich.table import Table


@dataclass(frozen=True)
class Outcome:
    """One line of the demo's table."""

    what: str
    expected: str
    seen: str

    @property
    def as_expected(self) -> bool:
        """Whether the platform did what it promises."""
        return self.expected == self.seen


@dataclass
class Outcomes:
    """Everything the demo looked at, in order."""

    lines: list[Outcome] = field(default_factory=list[Outcome])

    def note(self, what: str, *, expected: str, seen: str) -> None:
        """Remember what was expected and what was seen."""
        self.lines.append(Outcome(what, expected, seen))

    @property
    def all_as_expected(self) -> bool:
        """Whether nothing went differently; a demo that looked at nothing has shown nothing."""
        return bool(self.lines) and all(line.as_expected for line in self.lines)

    def table(self) -> Table:
        """Return the table to print."""
        table = Table(title="What happened", title_justify="left", box=None, pad_edge=False, header_style="dim")
        for heading in ("", "what was done", "what came of it"):
            table.add_column(heading, overflow="fold")
        for line in self.lines:
            if line.as_expected:
                table.add_row("[green]ok[/green]", escape(line.what), escape(line.seen))
            else:
                seen = f"[red]{escape(line.seen)}[/red], expected {escape(line.expected)}"
                table.add_row("[red]no[/red]", escape(line.what), seen)
        return table
