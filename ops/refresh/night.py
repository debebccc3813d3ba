"""The steps of a refresh. After a killed run, each step can be repeated safely. A finished step is not repeated.

1. begin: the new ratings decide between update and training, and the version gets a name. The journal keeps both.
2. make: the update or the training, and the archive.
3. judge: the version is registered and answers the default's requests too. Both are measured on the newest ratings.
4. settle: the version is promoted if the verdict says so, otherwise unregistered. The journal ends.
5. prune: all but the newest few versions are unregistered and removed.

If no server runs, or only the ASGI server, whose versions are fixed, the versions are judged in this process. The next
start then serves the promoted version.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ops.build import commands, verbs
from ops.build.database import with_options
from ops.build.shelf import Shelf
from ops.canary.asked import DRAWN, requests_to_try
from ops.canary.compare import compare
from ops.canary.decision import PROMOTE
from ops.canary.trial import item_ids_of, try_version
from ops.canary.verdict import Verdict, judge, write_verdict
from ops.client import Client
from ops.process.locks import only_verb
from ops.refresh.inputs import RefreshError, data_of, training_of
from ops.refresh.journal import Journal, end_journal, now, read_journal, write_journal
from ops.refresh.log import Log
from ops.refresh.metrics import KEPT, PROMOTED, WAITED, Outcome
from ops.refresh.prune import outdated, remove
from ops.refresh.way import UPDATE, WAIT, Limits, choose_way
from ops.settings import ASGI, ServerSettings
from ops.store.archives import start_with
from ops.store.record import Record, change_record
from ops.versions.rollback import is_down
from ops.versions.rollout import Rollout

if TYPE_CHECKING:
    from model.artifact import Artifact


@dataclass(frozen=True)
class Wanted:
    """What a run is asked for. data: all ratings, old and new; by default where the default version's came from."""

    data: str | None = None
    requests: Path | None = None
    limits: Limits = field(default_factory=Limits)
    keep: int = 5


class Night:
    """One run."""

    def __init__(self, wanted: Wanted, shelf: Shelf, settings: ServerSettings, client: Client, log: Log) -> None:
        self._wanted = wanted
        self._shelf = shelf
        self._settings = settings
        self._client = client
        self._log = log

    def run(self) -> Outcome:
        """Does all steps, or goes on where an earlier run was cut off.

        Raises:
            CommandError, RolloutError, ClientError, ValueError, OSError, RefreshError: a step failed. The default is
                the one of before, or the promoted one, and the next run goes on from there.
        """
        journal = self._taken_up() or self._begun()
        if isinstance(journal, Journal):
            self._make(journal)
            outcome = self._settle(journal)
        else:
            outcome = Outcome(WAITED, journal, self._shelf.default())
        self._prune()
        return outcome

    def _taken_up(self) -> Journal | None:
        """The run that was cut off, unless another version became the default since."""
        journal = read_journal(self._shelf.build)
        if journal is None:
            return None
        if self._shelf.default() in (journal.base, journal.version):
            self._log.say(f"going on with version {journal.version}, begun {journal.begun}")
            return journal
        told = f"the default is {self._shelf.default()} now, no longer {journal.base}"
        self._log.say(f"leaving version {journal.version} as it is: {told}")
        end_journal(self._shelf.build, journal, "left")
        return None

    def _begun(self) -> Journal | int:
        """The journal of a new run, or the number of new ratings where they are too few."""
        base = self._shelf.default()
        if not self._shelf.artifact(base).is_file():
            raise RefreshError(
                f"{self._shelf.artifact(base)}: no such file: `make train package` makes a first version"
            )
        data = self._wanted.data or data_of(base, self._shelf)
        with_options({"RATINGS": data}, "RATINGS", "UPDATE_ARGS")  # refuses an address with a password
        news = commands.news(data, self._shelf.artifact(base))
        way = choose_way(news, self._wanted.limits)
        if way.name == WAIT:
            self._log.say(f"version {base} stays: {way.reason}")
            return int(news["new"])
        version = self._shelf.next_free(base)
        journal = Journal(version, base, way.name, way.reason, data, news["new"], way.held_out, now())
        write_journal(self._shelf.build, journal)
        self._log.say(f"version {version} from {base} by {way.name}: {way.reason}")
        return journal

    def _make(self, journal: Journal) -> None:
        """Makes the version and packs it, unless that was done."""
        if self._shelf.recipe(journal.version) is None:
            self._shelf.artifact(journal.version).unlink(missing_ok=True)  # it was killed before it was finished
            if journal.way == UPDATE:
                arguments = f"--hold-out {journal.held_out}"
                asked = {"RATINGS": journal.data, "FROM": journal.base, "UPDATE_ARGS": arguments}
                verbs.update({**asked, "VERSION": journal.version}, self._shelf)
            else:
                verbs.train(training_of(journal, self._shelf), self._shelf)
            self._log.say(f"made version {journal.version}")
        verbs.pack(journal.version, self._shelf, beside=True)

    def _settle(self, journal: Journal) -> Outcome:
        """Judges the version and does what the verdict says; a version that was promoted already stays so."""
        version, base = journal.version, journal.base
        fixed = self._is_fixed()
        if self._shelf.default() != version:
            verdict = self._verdict(journal, fixed)
            self._log.say(f"{verdict}\nwrote {write_verdict(verdict, self._shelf)}")
            if verdict.decision.verdict == PROMOTE:
                self._promote(version, fixed)
        promoted = self._shelf.default() == version
        if promoted:
            self._log.say(f"promoted version {version}" + (", for the next start" if fixed else ""))
        else:
            self._unregister(version, fixed)
            self._log.say(f"kept version {base}")
        end_journal(self._shelf.build, journal, "promoted" if promoted else f"kept {base}")
        return Outcome(PROMOTED if promoted else KEPT, journal.new_ratings, self._shelf.default())

    def _verdict(self, journal: Journal, fixed: bool) -> Verdict:
        version, shelf = journal.version, self._shelf
        if fixed:
            return compare(version, journal.base, shelf, journal.data, self._wanted.requests)
        self._register(version)
        item_ids = item_ids_of(self._client, version)
        bodies, told = requests_to_try(self._wanted.requests, lambda: _artifact(journal.base, shelf), item_ids)
        if len(bodies) > DRAWN:
            bodies, told = bodies[-DRAWN:], f"the last {DRAWN:,} of {told}"
        trial = try_version(self._client, version, bodies, item_ids, 1.0, "shadow")
        return judge(version, trial.default.version, shelf, journal.data, trial, told)

    def _register(self, version: str) -> None:
        if version not in self._registered():
            with only_verb(self._settings, f"register {version}"):
                Rollout(self._client, self._settings).register(version)
            self._log.say(f"registered version {version}")

    def _promote(self, version: str, fixed: bool) -> None:
        with only_verb(self._settings, f"promote {version}"):
            if fixed:
                start_with(self._shelf.store, version)
            else:
                Rollout(self._client, self._settings).promote(version)

    def _unregister(self, version: str, fixed: bool) -> None:
        with only_verb(self._settings, f"unregister {version}"):
            if fixed:
                change_record(self._shelf.store, lambda record: _without(record, version))
            elif version in self._registered():
                Rollout(self._client, self._settings).unregister(version)

    def _prune(self) -> None:
        for version in outdated(self._shelf, self._wanted.keep):
            self._unregister(version, self._is_fixed())
            remove(self._shelf, version)
            self._log.say(f"removed version {version}: older than the newest {self._wanted.keep}")

    def _is_fixed(self) -> bool:
        """Whether nothing can be changed while it runs: there is no server, or it is the ASGI server."""
        return self._settings.server == ASGI or is_down(self._client, self._settings)

    def _registered(self) -> list[str]:
        return [one["version"] for one in self._client.versions()]


def _artifact(version: str, shelf: Shelf) -> Artifact:
    from model.artifact import load_artifact  # torch, which recorded requests do not need

    return load_artifact(shelf.artifact(version))


def _without(record: Record, version: str) -> Record:
    return record.with_registered(name for name in record.registered if name != version)
