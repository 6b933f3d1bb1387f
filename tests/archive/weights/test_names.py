"""The allowlist: what is on it, and what everything else is taken for."""

from __future__ import annotations

import pytest
from torch import _weights_only_unpickler

from audio_encoder_checker.archive.weights.names import DATA, LOADERS, WEIGHTS_ONLY, safety_of
from audio_encoder_checker.archive.weights.walks import Use
from audio_encoder_checker.evidence.weights import Safety

MENTIONED = Use(pushes=1, blind=True)
CALLED = Use(pushes=1, calls=1, constructed=True, blind=True)
EMPTY_OBJECT = Use(pushes=1, calls=1, blind=True)
TAKES_MEMBERS = Use(pushes=2, calls=2, members=2)
PASSED_ON = Use(pushes=1, constructed=True, blind=True)
SEEN_THROUGH = Use(pushes=1, calls=1, constructed=True)


def safety(name: str, use: Use = CALLED) -> Safety:
    module, _, last = name.partition(":")
    return safety_of(module, last, use, {"mynet", "parser", "cgi"})


def test_the_list_of_weights_only_is_torchs() -> None:
    ours = {f"{module}.{name}" for module, name in WEIGHTS_ONLY}
    theirs = set(_weights_only_unpickler._get_allowed_globals())
    assert not theirs - ours  # an older torch knows fewer formats


def test_the_lists_do_not_overlap() -> None:
    assert not (DATA & WEIGHTS_ONLY) | (LOADERS & (DATA | WEIGHTS_ONLY))


@pytest.mark.parametrize(
    "name",
    [
        *("os:system", "posix:system", "nt:system", "builtins:eval", "builtins:getattr", "builtins:print"),
        *("__builtin__:exec", "subprocess:Popen", "importlib:import_module", "runpy:run_path", "pip:main"),
        *("operator:attrgetter", "functools:reduce", "ctypes:CDLL", "commands:getoutput", "lib2to3.x:Y", "?:?"),
        *("torch.hub:load", "torch.jit:load", "torch:load", "numpy:load", "numpy.f2py.crackfortran:getlincoef"),
        *("torch.nn.modules.module:Module.load_state_dict", "torch:os.system", "collections:OrderedDict.fromkeys"),
        *("mynet:run.me", "unheard.of:function", "pickle:loads", "_pickle:loads", "a b:C", "joblib:load"),
        *("cloudpickle.cloudpickle:_make_function", "torch.utils.data:Dataset", "torch.serialization:load"),
    ],
)
def test_what_is_not_on_the_list_and_called_is_code(name: str) -> None:
    assert safety(name) is Safety.CODE


@pytest.mark.parametrize("name", ["os:system", "builtins:eval", "torch.hub:load", "pip:main", "?:?"])
def test_what_is_sharp_is_code_even_if_it_is_only_mentioned(name: str) -> None:
    assert safety(name, MENTIONED) is Safety.CODE


@pytest.mark.parametrize(
    ("name", "use", "expected"),
    [
        ("collections:OrderedDict", CALLED, Safety.WEIGHTS_ONLY),
        ("__builtin__:set", CALLED, Safety.WEIGHTS_ONLY),
        ("copy_reg:_reconstructor", CALLED, Safety.DATA),
        ("numpy:ndarray", MENTIONED, Safety.DATA),
        ("torch.nn.modules.linear:Linear", EMPTY_OBJECT, Safety.DATA),
        ("torch.nn.modules.linear:Linear", CALLED, Safety.UNKNOWN),
        ("torch.nn.modules.module:os", MENTIONED, Safety.UNKNOWN),
        ("numpy.dtypes:Float32DType", CALLED, Safety.DATA),
        ("scipy.sparse._csr:csr_matrix", CALLED, Safety.DATA),
        ("__torch__.net:Net", CALLED, Safety.DATA),
        ("mynet.layers:Block", CALLED, Safety.OWN),
        ("mynet:build", CALLED, Safety.OWN),
        ("parser:Parser", CALLED, Safety.OWN),
        ("cgi:Parser", CALLED, Safety.CODE),
        ("symbol:Parser", CALLED, Safety.CODE),
        ("gevent.subprocess:Popen", CALLED, Safety.CODE),
        ("__main__:Net", CALLED, Safety.UNKNOWN),
        ("unheard.of:Class", CALLED, Safety.UNKNOWN),
        ("unheard.of:function", MENTIONED, Safety.UNKNOWN),
        ("torch.storage:_load_from_bytes", SEEN_THROUGH, Safety.DATA),
        ("torch.storage:_load_from_bytes", CALLED, Safety.CODE),
        ("torch.storage:_load_from_bytes", MENTIONED, Safety.CODE),
        ("builtins:getattr", TAKES_MEMBERS, Safety.DATA),
        ("__builtin__:getattr", TAKES_MEMBERS, Safety.DATA),
        ("builtins:getattr", Use(pushes=2, calls=2, members=1), Safety.CODE),
        ("builtins:getattr", Use(pushes=3, calls=2, members=2), Safety.CODE),
        ("builtins:getattr", Use(pushes=2, calls=2, members=2, blind=True), Safety.CODE),
        ("builtins:getattr", MENTIONED, Safety.CODE),
        ("operator:or_", CALLED, Safety.DATA),
        ("mynet.layers:Kind.RED", MENTIONED, Safety.OWN),
        ("mynet.layers:Kind.red", MENTIONED, Safety.OWN),
        ("mynet.layers:Kind.red", CALLED, Safety.CODE),
        ("mynet.layers:Net.Inner", CALLED, Safety.OWN),
        ("mynet.layers:net.inner", MENTIONED, Safety.CODE),
        ("unheard.of:Kind.red", MENTIONED, Safety.UNKNOWN),
        ("unheard.of:Kind.red", PASSED_ON, Safety.CODE),
        ("unheard.of:Kind.__init__", MENTIONED, Safety.CODE),
        ("unheard.of:function", PASSED_ON, Safety.CODE),
        ("__main__:Kind.red", MENTIONED, Safety.UNKNOWN),
        ("__main__:build", CALLED, Safety.UNKNOWN),
        ("torchvision.models.x:Mode.bilinear", MENTIONED, Safety.DATA),
        ("torch.utils.x:Mode.RED", MENTIONED, Safety.CODE),
        ("http:HTTPStatus.OK", MENTIONED, Safety.CODE),
    ],
)
def test_the_rest_is_told_apart(name: str, use: Use, expected: Safety) -> None:
    assert safety(name, use) is expected


def test_a_class_that_is_given_other_contents_is_code() -> None:
    assert safety("collections:OrderedDict", Use(pushes=1, changed=True)) is Safety.CODE
