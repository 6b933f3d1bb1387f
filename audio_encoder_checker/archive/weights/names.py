"""What a pickle may import: an allowlist, and everything that is not on it.

What is allowed stays harmless in every combination: none of it imports, looks up or runs what a text names. The list
of `weights_only` is that of torch 2.13; older versions lack the number formats that came later.
"""

from __future__ import annotations

import sys
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from typing import TYPE_CHECKING

from audio_encoder_checker.evidence.weights import Safety

if TYPE_CHECKING:
    from collections.abc import Collection

    from audio_encoder_checker.archive.weights.walks import Use

FORMATS = "BFloat16 Bool Byte Char Double Float Half Int Long Short"
QUANTISED = "QInt32 QInt8 QUInt2x4 QUInt4x2 QUInt8"
SPARSE = "BFloat16 Byte Char Double Float Half Int Long Short"
SPARSE_FORMATS = ("bsr", "coo", "csc", "csr", "dia")
SIZES = (8, 16, 32, 64)


def _words(module: str, words: str, *, end: str = "") -> set[tuple[str, str]]:
    return {(module, word + end) for word in words.split()}


WEIGHTS_ONLY = (
    _words("torch", f"{FORMATS} {QUANTISED} ComplexDouble ComplexFloat", end="Storage")
    | _words("torch.cuda", f"{FORMATS} ComplexDouble ComplexFloat", end="Storage")
    | _words("torch", FORMATS, end="Tensor")
    | _words("torch.cuda", FORMATS, end="Tensor")
    | _words("torch.sparse", SPARSE, end="Tensor")
    | _words("torch.cuda.sparse", SPARSE, end="Tensor")
    | {("torch", f"{kind}{bits}") for kind in ("int", "uint") for bits in (*range(1, 8), *SIZES)}
    | _words("torch", "bfloat16 bool complex32 complex64 complex128 float16 float32 float64 qint32 qint8")
    | _words("torch", "quint8 quint2x4 quint4x2 bits8 bits16 bits1x8 bits2x4 bits4x2 float4_e2m1fn_x2")
    | _words("torch", "float8_e4m3fn float8_e4m3fnuz float8_e5m2 float8_e5m2fnuz float8_e8m0fnu")
    | _words("torch", "per_channel_affine per_channel_affine_float_qparams per_channel_symmetric")
    | _words("torch", "per_tensor_affine per_tensor_symmetric Size Tensor device")
    | _words("torch.storage", "TypedStorage UntypedStorage")
    | _words("torch._utils", "_rebuild_device_tensor_from_cpu_tensor _rebuild_device_tensor_from_numpy")
    | _words("torch._utils", "_rebuild_meta_tensor_no_storage _rebuild_nested_tensor _rebuild_parameter")
    | _words("torch._utils", "_rebuild_parameter_with_state _rebuild_qtensor _rebuild_sparse_tensor _rebuild_tensor")
    | _words("torch._utils", "_rebuild_tensor_v2 _rebuild_tensor_v3 _rebuild_wrapper_subclass")
    | _words("torch.nn.parameter", "Parameter")
    | _words("torch._tensor", "_rebuild_from_type_v2")
    | _words("torch.serialization", "_get_layout")
    | _words("collections", "Counter OrderedDict")
    | _words("builtins", "bytearray complex set")
    | _words("_codecs", "encode")
)
DATA = (
    _words("builtins", "bool bytes dict float frozenset int list object range slice str tuple")
    | _words("collections", "defaultdict deque")
    | _words("copyreg", "_reconstructor __newobj__ __newobj_ex__")
    | _words("datetime", "date datetime time timedelta timezone")
    | _words("pathlib", "Path PosixPath PurePath PurePosixPath PureWindowsPath WindowsPath")
    | _words("pathlib._local", "Path PosixPath PurePath PurePosixPath PureWindowsPath WindowsPath")
    | _words("typing", "Any Callable Dict Iterable List Mapping Optional Sequence Set Tuple Union")
    | {("argparse", "Namespace"), ("types", "SimpleNamespace"), ("functools", "partial"), ("decimal", "Decimal")}
    | {("fractions", "Fraction"), ("uuid", "UUID"), ("re", "_compile"), ("logging", "getLogger")}
    | {("array", "_array_reconstructor"), ("array", "array"), ("time", "struct_time"), ("string", "Template")}
    | _words("numpy", "dtype ndarray bool_ float16 float32 float64 int8 int16 int32 int64 uint8 uint16 uint32 uint64")
    | _words("numpy.random._pickle", "__bit_generator_ctor __generator_ctor __randomstate_ctor")
    | _words("numpy.random._mt19937", "MT19937")
    | _words("numpy.random._pcg64", "PCG64 PCG64DXSM")
    | {("numpy.random._philox", "Philox"), ("numpy.random._sfc64", "SFC64")}
    | _words("numpy.random.bit_generator", "SeedSequence __pyx_unpickle_SeedSequence")
    | _words("numpy.ma.core", "_mareconstruct MaskedArray")
    | {(f"{core}.multiarray", name) for core in ("numpy.core", "numpy._core") for name in ("_reconstruct", "scalar")}
    | {(f"{core}.numeric", "_frombuffer") for core in ("numpy.core", "numpy._core")}
    | {(f"{core}._internal", "_reconstruct") for core in ("numpy.core", "numpy._core")}
    | {(f"scipy.sparse.{dot}{form}", f"{form}_matrix") for dot in ("", "_") for form in SPARSE_FORMATS}
    | {(f"scipy.sparse.{dot}{form}", f"{form}_array") for dot in ("", "_") for form in SPARSE_FORMATS}
    | _words("torch._utils", "_rebuild_xla_tensor")
    | _words("torch", "relu sigmoid tanh float int long double half strided sparse_coo contiguous_format")
    | _words("torch.nn.functional", "celu elu gelu glu hardswish hardtanh leaky_relu log_softmax mish normalize prelu")
    | _words("torch.nn.functional", "relu relu6 selu sigmoid silu softmax softplus tanh")
    | _words("torch._C._nn", "gelu silu elu leaky_relu hardtanh softplus mish")
    | _words("torch._C", "Generator _VariableFunctions.relu _VariableFunctions.tanh _VariableFunctions.sigmoid")
    | _words("torch.torch_version", "TorchVersion")
    | _words("torch.jit._pickle", "build_boollist build_doublelist build_intlist build_tensorlist")
    | _words("torch.jit._pickle", "build_tensor_from_id restore_type_tag")
    | _words("omegaconf.dictconfig", "DictConfig")
    | _words("omegaconf.listconfig", "ListConfig")
    | _words("omegaconf.base", "ContainerMetadata Metadata")
    | _words("omegaconf.nodes", "AnyNode BooleanNode BytesNode EnumNode FloatNode IntegerNode PathNode StringNode")
    | _words("fairseq.data.dictionary", "Dictionary")
    | {("joblib.numpy_pickle", "NumpyArrayWrapper"), ("joblib.numpy_pickle", "NDArrayWrapper")}
    | {("_operator", "or_"), ("operator", "or_")}  # flags that are set together
    | _words("easydict", "EasyDict")
    | _words("yacs.config", "CfgNode")
)
DATA_CLASSES = (
    "numpy.dtypes.",
    "sklearn.decomposition.",
    "sklearn.preprocessing.",
    "torch.nn.modules.",
    "torch.nn.parallel.data_parallel.",
    "torch.nn.utils.parametrizations.",
    "torch.nn.utils.parametrize.",
    "torch.nn.utils.spectral_norm.",
    "torch.nn.utils.weight_norm.",
    "torch.nn.parameter.",
    "torch.ao.nn.quantized.modules.",
    "torch.optim.",
    "torchaudio.models.",
    "torchaudio.transforms.",
    "torchvision.models.",
    "transformers.activations.",
    "transformers.configuration_utils.",
    "transformers.generation.configuration_utils.",
    "transformers.models.",
)
"""Modules whose classes keep weights or settings: an object of one of them that unpickling makes does nothing yet."""
PLAIN_CLASSES = ("numpy.dtypes.", "torch.nn.parameter.")
"""Those of them whose constructors do nothing either."""
LOADERS = frozenset({("torch.storage", "_load_from_bytes")})
"""They unpickle the bytes that they are given: data if those were looked through as well."""
GETTERS = frozenset({("builtins", "getattr")})
"""They take a member of what they are given: harmless where both are told, and what is taken is looked at."""
TORCHSCRIPT_ROOT = "__torch__."
"""Under this no Python module can be found; TorchScript makes its own types of it."""

GONE = {"commands", "dummy_threading", "macpath", "parser", "popen2", "symbol"}
REMOVED = GONE | {"__builtin__", "asynchat", "asyncore", "cgi", "crypt", "distutils", "imp", "lib2to3", "nt", "pipes"}
REMOVED |= {"posix", "smtpd", "telnetlib"}
STANDARD = frozenset(sys.stdlib_module_names) | REMOVED
"""Modules of Python's library, in whatever version; those that are gone from all of today's may be a repository's."""
WORKSHOPS = {"IPython", "_distutils_hack", "_pytest", "aiohttp", "billiard", "cffi", "cloudpickle", "dill"}
WORKSHOPS |= {"eventlet", "execnet", "fabric", "fsspec", "gevent", "httpx", "ipykernel", "jinja2", "joblib", "keras"}
WORKSHOPS |= {"mako", "numba", "numexpr", "pandas", "paramiko", "pexpect", "pip", "pkg_resources", "plumbum"}
WORKSHOPS |= {"psutil", "ptyprocess", "py", "pytest", "requests", "rpyc", "sarge", "setuptools", "sh", "sympy"}
WORKSHOPS |= {"tensorflow", "twisted", "urllib3", "uv", "wheel"}
"""Libraries with a way to run code or to reach the disk or the network."""
SHARP = (
    *("numpy.ctypeslib.", "numpy.distutils.", "numpy.f2py.", "numpy.lib.", "numpy.testing."),
    *("torch._C.", "torch._dynamo.", "torch._export.", "torch._inductor.", "torch._ops.", "torch.compiler."),
    *("torch.distributed.", "torch.export."),
    *("torch.fx.", "torch.hub.", "torch.jit.", "torch.library.", "torch.multiprocessing.", "torch.onnx."),
    *("torch.package.", "torch.serialization.", "torch.testing.", "torch.utils."),
)
"""Parts of numpy and torch that build, load or run code."""


def safety_of(module: str, name: str, use: Use, own: Collection[str]) -> Safety:
    """What importing a name, and using it as a pickle does, may do.

    Args:
        module: as the pickle names it; names of Python 2 are translated as `pickle` does.
        name: same.
        use: what the pickle does with it.
        own: the top-level modules of the submission's repository.
    """
    module, name = _modern(module, name)
    if use.changed:
        return Safety.CODE  # it gives a class or function other contents than its library did
    if (module, name) in WEIGHTS_ONLY:
        return Safety.WEIGHTS_ONLY
    if (module, name) in DATA or f"{module}.".startswith(TORCHSCRIPT_ROOT):
        return Safety.DATA
    if (module, name) in GETTERS and 0 < use.members == use.calls == use.pushes and not use.blind:
        return Safety.DATA  # what it takes is among the names
    if f"{module}.".startswith(DATA_CLASSES) and (_is_class(name) if "." not in name else _is_member(name, use)):
        harmless = not use.constructed or f"{module}.".startswith(PLAIN_CLASSES)
        return Safety.DATA if harmless else Safety.UNKNOWN  # constructors may read files that they are told of
    return _unlisted(module, name, use, own)


def _modern(module: str, name: str) -> tuple[str, str]:
    """The name in Python 3, as `pickle` finds it for pickles of Python 2."""
    if (module, name) in NAME_MAPPING:
        return NAME_MAPPING[module, name]
    return IMPORT_MAPPING.get(module, module), name


def is_importable(module: str, name: str) -> bool:
    """Whether a name is one that Python code could write."""
    return all(part.isidentifier() for part in f"{module}.{name}".split("."))


def _is_class(name: str) -> bool:
    """Whether a name is written as classes are, every part of it."""
    return all(part.isidentifier() and part.lstrip("_")[:1].isupper() for part in name.split("."))


def _is_member(name: str, use: Use) -> bool:
    """Whether a dotted name is a member of a class that is merely mentioned, as enums are."""
    owner, _, member = name.rpartition(".")
    return _is_class(owner) and not member.startswith("_") and not (use.calls or use.constructed)


def _is_sharp(module: str, own: Collection[str]) -> bool:
    """Whether a module is one that can run code or reach the machine."""
    top = module.partition(".")[0]
    standard = top in STANDARD and not (top in GONE and top in own)
    return standard or top in WORKSHOPS or f"{module}.".startswith(SHARP)


def _unlisted(module: str, name: str, use: Use, own: Collection[str]) -> Safety:
    if (module, name) in LOADERS:
        return Safety.CODE if use.blind else Safety.DATA
    if not is_importable(module, name) or _is_sharp(module, own):
        return Safety.CODE
    top, plain = module.partition(".")[0], "." not in name
    classy = _is_class(name) or _is_member(name, use)
    if top in own and (plain or classy):
        return Safety.OWN
    mentioned = not (use.calls or use.constructed)
    return Safety.UNKNOWN if classy or (plain and (mentioned or top == "__main__")) else Safety.CODE
