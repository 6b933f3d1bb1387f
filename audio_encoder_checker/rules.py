"""One edition's rule book, read from TOML: numbers and names, no logic."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.machines import Machine, machine_of

DEFAULT_PROFILE = "icme-2025"
RESOURCES = Path(__file__).parent / "resources"


@dataclass(frozen=True)
class ArchiveRules:
    """What an archive may hold; sizes in bytes, ratios are unpacked over packed."""

    max_entries: int
    max_unpacked_bytes: int
    max_entry_ratio: float
    max_total_ratio: float


@dataclass(frozen=True)
class ContractRules:
    """The calls an encoder has to survive: lengths in seconds, batches in clips.

    `batches` are compared with one another; `lengths_s` by `survival_batches` is the survival map, whose batches of
    more than one clip may take `survival_s` seconds together. `second_process` is whether it is started twice.
    """

    official_batch: int
    official_samples: int
    batches: tuple[int, ...]
    lengths_s: tuple[float, ...]
    survival_batches: tuple[int, ...]
    survival_s: float
    second_process: bool


@dataclass(frozen=True)
class Budget:
    """What the organisers allow.

    Attributes:
        machine: where encoders have to run.
        ram_bytes: of RAM, enforced by the box.
        calls: `(clips, seconds)` that have to fit into the machine's GPU.
    """

    machine: Machine
    ram_bytes: int
    calls: tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class NetworkRules:
    """What encoders may reach, and how they are tried.

    Attributes:
        hosts: names; `.suffix` for all below it.
        quota_hosts: of these, the ones that refuse after some downloads, or ask whether a human is there.
        requests: to the Hub in one start that are still reasonable.
        restarts: names of `evidence.network.Condition` under which encoders that download are started once more.
    """

    hosts: tuple[str, ...]
    quota_hosts: tuple[str, ...]
    requests: int
    restarts: tuple[str, ...]


@dataclass(frozen=True)
class LimitRules:
    """What a box enforces: seconds, bytes and counts."""

    load_s: float
    call_s: float
    contract_s: float
    download_s: float
    budget_s: float
    search_s: float
    evaluate_s: float
    data_s: float
    cpu_s: float
    tasks: int
    output_bytes: int
    scratch_bytes: int
    scratch_files: int
    home_bytes: int
    home_files: int
    answer_bytes: int

    def for_data(self) -> LimitRules:
        """The limits of a run over real data, which may take `data_s` seconds, and as much processor time."""
        return replace(self, evaluate_s=self.data_s, cpu_s=self.data_s)


@dataclass(frozen=True)
class EvaluationRules:
    """Constants of both tracks."""

    knn_neighbours: int
    knn_temperature: float


@dataclass(frozen=True)
class Rules:
    """A whole profile; `sha256` is of what it says, whatever its comments and layout."""

    name: str
    title: str
    archive: ArchiveRules
    contract: ContractRules
    network: NetworkRules
    budget: Budget
    limits: LimitRules
    evaluation: EvaluationRules
    sha256: str = ""


def load_rules(profile: str = DEFAULT_PROFILE, machine: str = "") -> Rules:
    """Read a profile by its name, or from a TOML file.

    Args:
        profile: name or file.
        machine: name or file of a machine in place of the profile's; empty for that.

    Raises:
        UsageError: there is no such profile or machine, or the file is no valid one.
    """
    data = _read("profile", profile, "rules")
    budget = data["budget"]
    return Rules(
        name=data["name"],
        title=data["title"],
        archive=ArchiveRules(**data["archive"]),
        contract=ContractRules(**_frozen(data["contract"])),
        network=NetworkRules(**_frozen(data["network"])),
        budget=Budget(
            machine=load_machine(machine or budget["machine"]),
            ram_bytes=budget["ram_bytes"],
            calls=tuple((clips, seconds) for clips, seconds in budget["calls"]),
        ),
        limits=LimitRules(**data["limits"]),
        evaluation=EvaluationRules(**data["evaluation"]),
        sha256=hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest(),
    )


def _frozen(table: dict[str, Any]) -> dict[str, Any]:
    """A table whose lists are tuples."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}


def load_machine(name: str) -> Machine:
    """Read a machine by its name, or from a TOML file.

    Raises:
        UsageError: there is no such machine, or the file is no valid one.
    """
    return machine_of(_read("budget", name, "budget"))


def _read(kind: str, name: str, schema_name: str) -> dict[str, Any]:
    """The data of a file that comes with the tool, or of a user's own, which is validated."""
    from audio_encoder_checker import toml

    path = Path(name)
    folder = RESOURCES / f"{kind}s"
    own = path.suffix == ".toml"
    known = sorted(file.stem for file in folder.glob("*.toml"))
    if not own and name not in known:
        raise UsageError(f"there is no {kind} {name!r}", f"choose one of {', '.join(known)}, or name a .toml file")
    try:
        data: dict[str, Any] = toml.loads((path if own else folder / f"{name}.toml").read_text(encoding="utf-8"))
    except toml.BrokenTomlError as error:
        raise UsageError(f"{path} is not valid TOML: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the {kind} {path}: {error}") from None
    wrong = complaint(data, schema_name) if own else ""
    if wrong:
        raise UsageError(f"{name}: {wrong}", f"compare with `aecc-check --print-schema {schema_name}`")
    return data


def schema(name: str) -> dict[str, Any]:
    """One of the published JSON Schemas: `report`, `rules`, `budget`, `settings`, `manifest`, `receipt` or `task`."""
    text = (RESOURCES / f"{name}.schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def complaint(data: object, name: str) -> str:
    """Where data does not fit one of the published schemas most, and why; empty if it fits."""
    import jsonschema

    worst = jsonschema.exceptions.best_match(jsonschema.Draft202012Validator(schema(name)).iter_errors(data))
    if worst is None:
        return ""
    where = ".".join(str(part) for part in worst.absolute_path) or "top level"
    return f"{where}: {worst.message}"
