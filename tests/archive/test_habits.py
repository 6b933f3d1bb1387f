"""What works on the author's machine and may not elsewhere, found in sources."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.archive import habits as module
from audio_encoder_checker.archive.habits import find_habits
from audio_encoder_checker.archive.source import read_sources
from audio_encoder_checker.evidence.habits import Habit, HabitFacts, HabitKind
from tests.builders import write_tree

if TYPE_CHECKING:
    from pathlib import Path

ABSOLUTE, FOLDER, MISSING = HabitKind.ABSOLUTE_PATH, HabitKind.WORKING_FOLDER, HabitKind.MISSING_FILE
DEVICE, REMOTE, UNPINNED = HabitKind.DEVICE, HabitKind.REMOTE_CODE, HabitKind.UNPINNED
TOP = "import os, torch, numpy as np\nfrom pathlib import Path\nfrom transformers import AutoModel\n"
FILES: dict[str, bytes | str] = {"weights.pt": b"", "sub/weights.pt": b"", "model/config.json": "{}"}
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def habits(tmp_path: Path, files: dict[str, bytes | str], encoder: str | None = "a.py") -> tuple[Habit, ...]:
    return find_habits(read_sources(write_tree(tmp_path / "repo", files), encoder)).habits


def found(tmp_path: Path, body: str, top: str = "") -> tuple[Habit, ...]:
    """The habits of an encoder with a constructor of these lines, below these lines at its top."""
    lines = "".join(f"        {line}\n" for line in body.split("\n"))
    source = f"{TOP}{top}\nclass AEncoder(torch.nn.Module):\n    def __init__(self):\n{lines}"
    return habits(tmp_path, {"a.py": source, **FILES})


def kinds(tmp_path: Path, body: str, top: str = "") -> list[tuple[HabitKind, str, bool]]:
    return [(one.kind, one.what, one.sure) for one in found(tmp_path, body, top)]


@pytest.mark.parametrize(
    ("body", "kind", "what", "sure"),
    [
        ("torch.load('/home/me/w.pt')", ABSOLUTE, "/home/me/w.pt", True),
        ("torch.load(f='/home/me/w.pt')", ABSOLUTE, "/home/me/w.pt", True),
        ("torch.load('/home/my name/w.pt')", ABSOLUTE, "/home/my name/w.pt", True),
        (r"torch.load('C:\\Users\\me\\w.pt')", ABSOLUTE, r"C:\Users\me\w.pt", True),
        (r"torch.load('D:\\work\\w.pt')", ABSOLUTE, r"D:\work\w.pt", True),
        ("open('/data/w')", ABSOLUTE, "/data/w", True),
        ("np.load('/weights/w.npy')", ABSOLUTE, "/weights/w.npy", True),
        ("torch.load(os.path.expanduser('~/w.pt'))", ABSOLUTE, "~/w.pt", True),
        ("torch.load(Path.home() / 'w.pt')", ABSOLUTE, "~/w.pt", True),
        ("torch.load(Path('/mnt') / 'x' / 'w.pt')", ABSOLUTE, "/mnt/x/w.pt", True),
        ("torch.load(os.path.join('/mnt/x', 'w.pt'))", ABSOLUTE, "/mnt/x/w.pt", True),
        ("AutoModel.from_pretrained('/content/model')", ABSOLUTE, "/content/model", True),
        ("Path('/home/me/notes.txt').read_text()", ABSOLUTE, "/home/me/notes.txt", True),
        ("W = '/home/me/w.pt'\ntorch.load(W)", ABSOLUTE, "/home/me/w.pt", True),
        ("self.w = '/home/me/w.pt'\ntorch.load(self.w)", ABSOLUTE, "/home/me/w.pt", True),
        ("try:\n    torch.load('/home/me/w.pt')\nfinally:\n    pass", ABSOLUTE, "/home/me/w.pt", True),
        ("try:\n    torch.load('/home/me/w.pt')\nexcept OSError:\n    pass", ABSOLUTE, "/home/me/w.pt", False),
        ("if os.path.exists('/home/me/w.pt'):\n    torch.load('/home/me/w.pt')", ABSOLUTE, "/home/me/w.pt", False),
        ("x = torch.load('/home/me/w.pt') if os.environ else 0", ABSOLUTE, "/home/me/w.pt", False),
        ("x = os.environ.get('W') or torch.load('/home/me/w.pt')", ABSOLUTE, "/home/me/w.pt", False),
        ("self.load = lambda: torch.load('/home/me/w.pt')", ABSOLUTE, "/home/me/w.pt", False),
        ("def late():\n    torch.load('/home/me/w.pt')", ABSOLUTE, "/home/me/w.pt", False),
        ("urlretrieve(URL, '/root/w.pt')\ntorch.load('/root/w.pt')", ABSOLUTE, "/root/w.pt", False),
        ("self.path = '/home/me/w'", ABSOLUTE, "/home/me/w", False),
        ("self.path = Path('/data/librispeech/train')", ABSOLUTE, "/data/librispeech/train", False),
        ("self.path = '/data/w.pt'", ABSOLUTE, "/data/w.pt", False),
        (r"self.path = 'C:\\Users\\me'", ABSOLUTE, r"C:\Users\me", False),
        ("sys.path.append('/root/dasheng')", ABSOLUTE, "/root/dasheng", False),
        ("self.x = os.environ.get('DATA', '/scratch/me/data')", ABSOLUTE, "/scratch/me/data", False),
        ("self.x = f'/home/me/{name}'", ABSOLUTE, "/home/me/", False),
        ("torch.load('weights.pt')", FOLDER, "weights.pt", False),
        ("torch.load('./weights.pt')", FOLDER, "./weights.pt", False),
        ("torch.load(os.path.join('sub', 'weights.pt'))", FOLDER, "sub/weights.pt", False),
        ("torch.load(Path('sub') / 'weights.pt')", FOLDER, "sub/weights.pt", False),
        (r"torch.load('sub\\weights.pt')", FOLDER, r"sub\weights.pt", False),
        ("self.w = Path('weights.pt')", FOLDER, "weights.pt", False),
        ("with open('weights.pt', 'rb') as file: pass", FOLDER, "weights.pt", False),
        ("AutoModel.from_pretrained('model')", FOLDER, "model", False),
        ("AutoModel.from_pretrained('./model')", FOLDER, "./model", False),
        ("self.net = self.base.load_checkpoint('weights.pt')", FOLDER, "weights.pt", False),
        ("torch.load('weights/m.pt')", MISSING, "weights/m.pt", True),
        ("torch.load('m.ckpt', map_location='cpu')", MISSING, "m.ckpt", True),
        ("torch.jit.load('m.pt')", MISSING, "m.pt", True),
        ("with open('labels.json') as file: pass", MISSING, "labels.json", True),
        ("np.load(Path('stats') / 'mean.npy')", MISSING, "stats/mean.npy", True),
        ("Path('stats.json').read_text()", MISSING, "stats.json", True),
        ("self.net.cuda()", DEVICE, ".cuda()", False),
        ("torch.zeros(3).cuda(0)", DEVICE, ".cuda()", False),
        ("self.net.to('cuda')", DEVICE, "cuda", False),
        ("self.net.to(torch.device('cuda:1'))", DEVICE, "cuda:1", False),
        ("x = torch.zeros(3, device='cuda')", DEVICE, "cuda", False),
        ("x = torch.load(f, map_location='cuda')", DEVICE, "cuda", False),
        ("device = 'cuda'\nself.net.to(device)", DEVICE, "cuda", False),
        ("self.device = 'cuda:0'", DEVICE, "cuda:0", False),
        ("def run(x, device='cuda'): pass", DEVICE, "cuda", False),
        ("def run(x, *, device='cuda'): pass", DEVICE, "cuda", False),
        ("if fast:\n    self.net.cuda()", DEVICE, ".cuda()", False),
        ("if torch.cuda.is_available():\n    pass\nself.net.cuda()", DEVICE, ".cuda()", False),
        ("AutoModel.from_pretrained('a/b', trust_remote_code=True)", REMOTE, "a/b", False),
        ("AutoModel.from_pretrained('a/b', trust_remote_code=True, revision='main')", REMOTE, "a/b", False),
        ("N = 'a/b'\nAutoModel.from_pretrained(N, trust_remote_code=True)", REMOTE, "a/b", False),
        ("pipeline('feature-extraction', model='a/b', trust_remote_code=True)", REMOTE, "a/b", False),
        ("torch.hub.load('a/b', 'net')", REMOTE, "a/b", False),
        ("torch.hub.load('a/b:main', 'net')", REMOTE, "a/b:main", False),
        ("torch.hub.load('a/b:release/2.0', 'net')", REMOTE, "a/b:release/2.0", False),
        ("torch.hub.load(repo_or_dir='a/b', model='net')", REMOTE, "a/b", False),
        ("AutoModel.from_pretrained('a/b')", UNPINNED, "a/b", False),
        (
            f"AutoModel.from_pretrained('a/b', trust_remote_code=True, code_revision='{COMMIT}')",
            *(UNPINNED, "a/b", False),
        ),
        (f"AutoModel.from_pretrained('a/b', revision=0x{'f' * 5000})", UNPINNED, "a/b", False),
        ("AutoModel.from_pretrained('bert-base')", UNPINNED, "bert-base", False),
        ("AutoModel.from_pretrained('a/b', revision='main')", UNPINNED, "a/b", False),
    ],
)
def test_a_habit_is_found_and_is_sure_where_it_is(
    tmp_path: Path, body: str, kind: HabitKind, what: str, sure: bool
) -> None:
    assert kinds(tmp_path, body) == [(kind, what, sure)]


@pytest.mark.parametrize(
    "body",
    [
        "'''See /home/me/w.pt'''",
        "'/home/me/w.pt'",
        "raise OSError('/home/me/w.pt')",
        "print('/home/me/w.pt')",
        "parser.add_argument('--weights', default='/home/me/w.pt')",
        "self.help = 'put it into /home/me/w.pt'",
        "self.x = '/homepage/x.pt', '/database/x/y', '/rooted/x', '/mediator/x/y.pt', '/contents/x'",
        "self.x = 'https://example.org/home/me/w.pt', 's3://data/x'",
        "self.url = base + '/data/v1/items'",
        "self.url = f'{base}/content/x'",
        "self.x = file['/data/x/y'], file.get('/data/x/y'), file.create_dataset('/data/x/y')",
        "self.x = {'/data/x/y': 1}, '/data/x', '/media/x'",
        "if path == '/home/me' or path.startswith('/content/drive') or os.path.exists('/kaggle/input'): pass",
        "self.x = Path('/kaggle/input').exists()",
        r"self.pattern = r'a:\s+b'",
        "torch.load('/tmp/w.pt'), open('/dev/null'), open('/proc/cpuinfo')",
        "open('https://example.org/w.pt')",
        "torch.load(Path(__file__).parent / 'weights.pt')",
        "torch.load(HERE / 'weights.pt')",
        "torch.load(HERE.joinpath('weights.pt'))",
        "torch.load(HERE / Path('weights.pt'))",
        "torch.load(os.path.join(os.path.dirname(__file__), 'weights.pt'))",
        "torch.load(os.path.join(HERE, Path('weights.pt')))",
        "torch.load(f'{HERE}/weights.pt')",
        "torch.load(hf_hub_download('a/b', 'weights.pt', revision=COMMIT))",
        "torch.load(hf_hub_download(repo_id='a/b', filename='weights.pt', revision=COMMIT))",
        "Net.from_pretrained(repo_id='a/b', filename='weights.pt')",
        "os.chdir(HERE)\ntorch.load('weights.pt'), torch.load('m.pt')",
        "load_weights('weights.pt'), self.load('weights.pt'), load_state('weights.pt')",
        "open('weights.pt', 'w'), open('m.json', mode='a')",
        "torch.load('../weights.pt'), torch.load('')",
        "torch.load(name), torch.load(*names), torch.load()",
        "W = 'weights.pt'\nW = HERE / W\ntorch.load(W)",
        "for W in names: torch.load(W)\nW = 'weights.pt'",
        "x = ['', '/'.join(('sub', 'weights.pt'))], Path(), Path('.'), Path('sub')",
        "torch.load('m')",
        "if fast: torch.load('m.pt')",
        "def late(): torch.load('m.pt')",
        "try: torch.load('m.pt')\nexcept OSError: pass",
        "urlretrieve(URL, 'm.pt')\ntorch.load('m.pt')",
        "gdown.download(URL, 'm.pt')\ntorch.load('m.pt')",
        "subprocess.run(['wget', URL])\ntorch.load('m.pt')",
        "torch.save(x, 'm.pt')\ntorch.load('m.pt')",
        "open('m.pt', 'wb').write(x)\ntorch.load('m.pt')",
        "zipfile.ZipFile(HERE / 'x').open('m.json')",
        "archive.open('m.json')",
        "if __name__ == '__main__':\n    torch.load('/home/me/w.pt'); AutoModel.from_pretrained('a/b'); net.cuda()",
        "device = 'cuda' if torch.cuda.is_available() else 'cpu'\nself.net.to(device)",
        "self.net.to(torch.device('cuda' if torch.cuda.is_available() else 'cpu'))",
        "if torch.cuda.is_available(): self.net.cuda()",
        "if not torch.cuda.is_available(): return\nself.net.cuda()",
        "if use_gpu: x = torch.zeros(3, device='cuda')",
        "if device == 'cuda': self.net.to('cuda')",
        "self.fast = x.device == torch.device('cuda')",
        "try: self.net.cuda()\nexcept RuntimeError: pass",
        "device = 'cuda'\nif not torch.cuda.is_available(): device = 'cpu'",
        "x = torch.load(f, map_location={'cuda:0': 'cpu'}), torch.load(f, map_location='cpu')",
        "torch.autocast('cuda'), torch.cuda.get_device_name('cuda:0'), torch.cuda.synchronize(), x.to('cudas')",
        "def cuda(self, device=None): return self.to(torch.device('cuda'))",
        "net = load('a/b', trust_remote_code=False)",
        "AutoModel.from_pretrained('a/b', trust_remote_code=True, revision=COMMIT)",
        f"AutoModel.from_pretrained('a/b', trust_remote_code=True, revision='{COMMIT}')",
        "AutoModel.from_pretrained(HERE / 'model', trust_remote_code=True)",
        "AutoModel.from_pretrained(name, trust_remote_code=True)",
        "torch.hub.load('a/b:v0.10.0', 'net'), torch.hub.load('a/b:2.1', 'net')",
        f"torch.hub.load('a/b:{COMMIT[:8]}', 'net')",
        "torch.hub.load('a/b', 'net', source='local')",
        "torch.hub.load(HERE, 'net', source='local')",
        f"AutoModel.from_pretrained('a/b', revision='{COMMIT}')",
        f"open(name, 0x{'f' * 5000})",
    ],
)
def test_its_harmless_neighbour_is_not(tmp_path: Path, body: str) -> None:
    assert kinds(tmp_path, body, "HERE = Path(__file__).parent\ndef load_weights(name): return name\n") == []


@pytest.mark.parametrize("fetch", ["def get(): snapshot_download('a/b', revision=X)", "fetch_model()"])
def test_a_download_in_any_file_that_is_reached_may_bring_it(tmp_path: Path, fetch: str) -> None:
    source = "import torch\nimport fetch\nclass AEncoder:\n    x = torch.load('m.pt'), torch.load('/root/m.pt')\n"
    assert [(one.kind, one.sure) for one in habits(tmp_path, {"a.py": source, "fetch.py": fetch})] == [
        (ABSOLUTE, False)
    ]


@pytest.mark.parametrize(
    "line",
    [
        "from parts.loading import load",
        "import parts.loading\nload = parts.loading.load",
        "from parts import loading\nload = loading.load",
        "import parts.loading as loading\nload = loading.load",
        "from .parts.loading import load",
        "def load(name): return torch.load(HERE / name)",
        "from loading import *",
    ],
)
@pytest.mark.parametrize("name", ["weights.pt", "m.pt"])
def test_what_the_repository_defines_may_start_from_its_source(tmp_path: Path, line: str, name: str) -> None:
    source = f"import torch\n{line}\nclass AEncoder:\n    x = load('{name}')\n"
    files = {**FILES, "a.py": source, "parts/loading.py": "def load(name): pass\n", "loading.py": ""}
    assert habits(tmp_path, files) == ()


@pytest.mark.parametrize("line", ["from torch import load", "from torch import load as open", "import numpy as np"])
def test_what_a_package_defines_starts_from_the_working_folder(tmp_path: Path, line: str) -> None:
    name = {"load": "load", "open": "open", "np": "np.load"}[line.rpartition(" ")[2]]
    found = habits(tmp_path, {"a.py": f"{line}\nclass AEncoder:\n    x = {name}('m.pt')\n"})
    assert [one.kind for one in found] == [MISSING]


def test_files_that_the_encoder_reaches_are_read_and_no_other(tmp_path: Path) -> None:
    line = "import torch\ntorch.load('/home/me/w.pt')\n"
    files: dict[str, bytes | str] = {
        "a.py": "import net\ndef late():\n    import later\nclass AEncoder:\n    def forward(self, x): pass\n",
        "net.py": line,
        "later.py": line,
        "train.py": line,
        "broken.py": f"{line}(",
    }
    found = habits(tmp_path, files, None)
    assert [(one.at, one.sure, one.text) for one in found] == [
        ("net.py:2", True, "torch.load('/home/me/w.pt')"),
        ("later.py:2", False, "torch.load('/home/me/w.pt')"),
    ]


def test_defaults_of_other_files_are_for_their_callers(tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {
        "a.py": "import net\nclass AEncoder:\n    def forward(self, x): pass\n",
        "net.py": "class Net:\n    device: str = 'cuda'\n    def __init__(self, device='cuda'): self.x.cuda()\n",
    }
    assert [(one.kind, one.at, one.what) for one in habits(tmp_path, files)] == [(DEVICE, "net.py:3", ".cuda()")]


def test_without_an_encoder_every_file_is_read(tmp_path: Path) -> None:
    line = "import torch\ntorch.load('/home/me/w.pt')\n"
    assert [(one.at, one.sure) for one in habits(tmp_path, {"b.py": line, "a.py": line}, None)] == [
        ("a.py:2", False),
        ("b.py:2", False),
    ]


def test_one_path_is_told_where_it_is_opened_not_where_it_is_named(tmp_path: Path) -> None:
    source = "import torch\nW = '/home/me/w.pt'\nclass AEncoder:\n    x = torch.load(W)\n"
    assert [(one.at, one.sure) for one in habits(tmp_path, {"a.py": source})] == [("a.py:4", True)]


def test_code_from_elsewhere_without_a_commit_is_told_once(tmp_path: Path) -> None:
    call = "AutoModel.from_pretrained('a/b', trust_remote_code=True), AutoModel.from_pretrained('c/d')"
    assert kinds(tmp_path, call) == [(REMOTE, "a/b", False), (UNPINNED, "c/d", False)]


def test_of_too_many_the_sure_ones_stay_and_lines_are_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    body = "\n".join(["x.cuda()"] * 5 + ["torch.load('/home/me/w.pt')"])
    assert [(one.kind, one.line) for one in found(tmp_path, body)] == [(DEVICE, 7), (DEVICE, 8), (ABSOLUTE, 12)]


def test_the_place_of_a_habit_steers_no_terminal(tmp_path: Path) -> None:
    (one,) = habits(tmp_path, {"a\x1b[2J.py": "import torch\ntorch.load('/home/me/w.pt')"}, "a\x1b[2J.py")
    assert one.at == r"a\x1b[2J.py:2"


def test_one_kind_is_asked_for(tmp_path: Path) -> None:
    facts = HabitFacts(found(tmp_path, "x.cuda()\ntorch.load('/home/me/w.pt')"))
    assert [one.what for one in facts.of(ABSOLUTE)] == ["/home/me/w.pt"]


@pytest.mark.parametrize(
    "source",
    [
        "".join(f"torch.load('w{number}.pt')\n" for number in range(5_000)),
        "".join(f"x{number} = '/home/me/{number}'\n" for number in range(5_000)),
        "".join(f"import Model{number}\n" for number in range(5_000)),
        "".join(f"def f{number}(): f{number + 1}()\n" for number in range(5_000)) + "f0()\n",
        "class A(" + "A, " * 1_250 + "):\n def __init__(self):\n" + "  self.x()\n" * 5_000 + "A()\n",
        "x = [" + "'/home/me/w', " * 15_000 + "]",
        "x = [" + "torch.load('/home/me/w'), " * 7_500 + "]",
        "if a:\n x.cuda()\n" + "".join(f"elif cuda{number}:\n x.cuda()\n" for number in range(2_000)),
        "x = '" + "/home" * 200_000 + "'",
        "torch.load(" + "a.b" * 90_000 + ")",
    ],
    ids=["calls", "constants", "imports", "chain", "bases", "one line", "calls on a line", "branches", "long", "names"],
)
def test_large_files_take_a_second_or_so(tmp_path: Path, source: str) -> None:
    root = write_tree(tmp_path / "repo", {"a.py": f"import torch\n{source}\nclass AEncoder: pass\n", "model1.py": ""})
    sources = read_sources(root, "a.py")
    started = time.process_time()
    assert len(find_habits(sources).habits) <= module.MOST
    assert time.process_time() - started < 3
