"""What a pickle would import and call, by going through its opcodes with a stack and a memo that hold no objects.

The stack holds texts, small numbers, names that were imported and short tuples of these; everything else is `OPAQUE`.
So a name that STACK_GLOBAL takes from the stack is the one that `pickle` would take, or it is known to be unknown: it
never depends on guessing which text stood where. Where `pickle` would stop with an error, the opcodes after it are
looked at all the same.
"""

from __future__ import annotations

import pickletools
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from audio_encoder_checker.archive.weights.opcodes import Literal, NotAPickleError, operations
from audio_encoder_checker.archive.weights.streams import CutOffError, TooMuchError
from audio_encoder_checker.archive.weights.walks import Name, Storage, Use, Walk

if TYPE_CHECKING:
    from collections.abc import Callable

    from audio_encoder_checker.archive.weights.opcodes import Argument
    from audio_encoder_checker.archive.weights.streams import Budget, Stream

MAX_TEXT = 1024
"""A longer text is no name of anything that can be imported."""
MAX_TUPLE = 8
"""The tuples that matter, those that name a storage, are shorter."""
MAX_NAMES = 10_000
MAX_STORAGES = 200_000
MAX_SPARSE_MEMO = 100_000
MAX_VALUES = 2_000_000
"""On the stack and in the memo together."""
MAX_HELD_BYTES = 64 << 20
"""Of texts, with what Python adds to each."""
TEXT_BYTES = 64
FEW_OPCODES = 4096
"""So many are paid for at once."""
LITERAL_OPCODES = 4
"""What looking at a text costs, in opcodes."""
UNTOLD = "?"
"""In place of a name that cannot be told from the bytes."""
GETTERS = {Name("builtins", "getattr"), Name("__builtin__", "getattr")}
CALLERS = {Name("torch._tensor", "_rebuild_from_type_v2")}
"""They call the first thing that they are given."""

OPAQUE = object()
"""A value that does not matter."""
SEEN = object()
"""A text or bytes that hold a pickle, which was gone through as well."""
WEIGHTS_ONLY_OPCODES = frozenset(
    {"APPEND", "APPENDS", "BINFLOAT", "BINGET", "BININT", "BININT1", "BININT2", "BINPERSID", "BINPUT", "BINUNICODE"}
    | {"BUILD", "EMPTY_DICT", "EMPTY_LIST", "EMPTY_SET", "EMPTY_TUPLE", "GLOBAL", "LONG1", "LONG_BINGET", "LONG_BINPUT"}
    | {"MARK", "NEWFALSE", "NEWOBJ", "NEWTRUE", "NONE", "PROTO", "REDUCE", "SETITEM", "SETITEMS", "SHORT_BINSTRING"}
    | {"STOP", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3"}
)
"""Those of torch 2.13's `_weights_only_unpickler`."""


class _Effect(NamedTuple):
    """What an opcode without a handler of its own does to the stack."""

    to_mark: bool
    pops: int
    pushes: int


def _effect(one: pickletools.OpcodeInfo) -> _Effect:
    before, after = one.stack_before, one.stack_after
    to_mark = pickletools.markobject in before
    kept = bool(before and after and before[0] is after[0])  # APPEND and its kin change what lies below
    if to_mark:
        return _Effect(to_mark=True, pops=0, pushes=0 if kept else len(after))
    return _Effect(to_mark=False, pops=len(before) - kept, pushes=len(after) - kept)


EFFECTS = {one.name: _effect(one) for one in pickletools.opcodes}


class Machine:
    """One pickle being gone through.

    Args:
        stream: stands at its first byte.
        budget: what may be spent.
        look: goes through the pickle that a text or bytes may hold, and says whether there was one.
    """

    def __init__(self, stream: Stream, budget: Budget, look: Callable[[Literal], bool]) -> None:
        self.walk = Walk()
        self._stream = stream
        self._budget = budget
        self._look = look
        self._stack: list[object] = []
        self._marks: list[int] = []
        self._floor = 0
        self._memo: list[object] = []
        self._sparse: dict[int, object] = {}
        self._held = 0

    def run(self) -> Walk:
        """Go through it to its STOP, or to where it breaks or becomes too long."""
        walk, spent, handlers = self.walk, 0, self._handlers
        try:
            for name, argument in operations(self._stream):
                if spent % FEW_OPCODES == 0:
                    self._pay(FEW_OPCODES)
                spent += 1
                if name not in WEIGHTS_ONLY_OPCODES:
                    walk.refused = walk.refused or name
                handler = handlers.get(name)
                if handler is None:
                    self._other(name, argument)
                else:
                    handler(self, argument)
        except CutOffError:
            walk.broken = f"the pickle breaks off after {self._stream.position} bytes"
        except NotAPickleError as error:
            walk.broken = str(error)
        except TooMuchError as error:
            walk.too_much = str(error)
        self._close()
        self._budget.opcodes += -spent % FEW_OPCODES  # what was paid and not used
        return walk

    def _close(self) -> None:
        """What is known of the names only at the end."""
        for use in self.walk.uses.values():
            use.blind = use.blind or use.pushes > use.calls or self.walk.blind_calls
            use.constructed = use.constructed or self.walk.blind_calls

    def _pay(self, opcodes: int) -> None:
        if self._budget.opcodes < opcodes:
            raise TooMuchError("its pickles are too long to be looked through")
        self._budget.opcodes -= opcodes
        if len(self._stack) + len(self._marks) + len(self._memo) > MAX_VALUES or self._held > MAX_HELD_BYTES:
            raise TooMuchError("its pickles hold too many values at once to be looked through")

    def _other(self, name: str, argument: Argument) -> None:
        """An opcode that pushes its argument, or does what the table says."""
        if isinstance(argument, Literal):
            self._literal(argument)
            return
        to_mark, pops, pushes = EFFECTS[name]
        if to_mark:
            self._pop_mark()
        for _ in range(pops):
            self._pop()
        if pushes:
            self._stack.append(OPAQUE if argument is None else argument)

    def _literal(self, literal: Literal) -> None:
        self._pay(LITERAL_OPCODES)
        if self._look(literal):
            self._stack.append(SEEN)
        elif literal.text is not None and len(literal.text) <= MAX_TEXT:
            self._held += TEXT_BYTES + len(literal.text)
            self._stack.append(literal.text)
        else:
            self._stack.append(OPAQUE)

    def _pop(self) -> object:
        return self._stack.pop() if len(self._stack) > self._floor else OPAQUE

    def _top(self) -> object:
        return self._stack[-1] if len(self._stack) > self._floor else OPAQUE

    def _pop_mark(self) -> list[object]:
        """What lies above the last mark, which goes."""
        start = self._drop_mark() if self._marks else len(self._stack)
        items = self._stack[start:]
        del self._stack[start:]
        return items

    def _drop_mark(self) -> int:
        start = self._marks.pop()
        self._floor = self._marks[-1] if self._marks else 0
        return start

    def _push(self, value: object) -> None:
        if isinstance(value, Name):
            self.walk.uses[value].pushes += 1
        self._stack.append(value)

    def _mark(self, _: object) -> None:
        self._floor = len(self._stack)
        self._marks.append(self._floor)

    def _pop_any(self, _: object) -> None:
        """A mark goes where nothing lies above it."""
        if self._marks and self._marks[-1] == len(self._stack):
            self._drop_mark()
        else:
            self._pop()

    def _dup(self, _: object) -> None:
        self._push(self._top())

    def _empty_tuple(self, _: object) -> None:
        self._stack.append(())

    def _tuple1(self, _: object) -> None:
        self._stack.append(_kept([self._pop()]))

    def _tuple2(self, _: object) -> None:
        last = self._pop()
        self._stack.append(_kept([self._pop(), last]))

    def _tuple3(self, _: object) -> None:
        last, middle = self._pop(), self._pop()
        self._stack.append(_kept([self._pop(), middle, last]))

    def _tuple_to_mark(self, _: object) -> None:
        self._stack.append(_kept(self._pop_mark()))

    def _put(self, index: object) -> None:
        value = self._top()
        if not isinstance(index, int):
            self._name(UNTOLD, UNTOLD)  # the memo cannot be followed any more
        elif 0 <= index < len(self._memo):
            self._memo[index] = value
        elif index == len(self._memo):
            self._sparse.pop(index, None)
            self._memo.append(value)
        else:
            self._sparse[index] = value
            if len(self._sparse) > MAX_SPARSE_MEMO:
                raise TooMuchError("the memo of its pickle is scattered too widely")

    def _memoize(self, _: object) -> None:
        self._put(len(self._memo) + len(self._sparse))

    def _get(self, index: object) -> None:
        if not isinstance(index, int):
            self._name(UNTOLD, UNTOLD)
            self._stack.append(OPAQUE)
        elif 0 <= index < len(self._memo):
            self._push(self._memo[index])
        else:
            self._push(self._sparse.get(index, OPAQUE))

    def _name(self, module: str, name: str) -> Name:
        """Note that something is imported."""
        found = Name(module, name)
        if found not in self.walk.uses:
            if len(self.walk.uses) == MAX_NAMES:
                raise TooMuchError(f"its pickles import more than {MAX_NAMES} names")
            self.walk.uses[found] = Use()
        return found

    def _global(self, argument: object) -> None:
        if isinstance(argument, tuple):
            self._push(self._name(argument[0], argument[1]))

    def _stack_global(self, _: object) -> None:
        name, module = self._pop(), self._pop()
        told = isinstance(name, str) and isinstance(module, str)
        self._push(self._name(str(module), str(name)) if told else self._name(UNTOLD, UNTOLD))

    def _extension(self, argument: object) -> None:
        """A number that Python's registry of extensions stands for a name: which, the bytes do not tell."""
        self._push(self._name(UNTOLD, f"extension {argument}"))

    def _call(self, function: object, arguments: object, *, constructs: bool = True) -> None:
        """Note that something is called, and push what comes of it."""
        known = arguments if type(arguments) is tuple else ()
        member = _member(known) if function in GETTERS else None
        if isinstance(function, Name) and member:
            self._take_member(self.walk.uses[function], member)
            return
        seen = known[:1] == (SEEN,)
        self._note_call(function, constructs=constructs, blind=not seen or len(known) != 1)
        if function in CALLERS:
            self._note_call(known[0] if known else OPAQUE, constructs=True, blind=True)
        same_bytes = function == Name("_codecs", "encode") and known[1:] == ("latin1",)
        self._stack.append(SEEN if seen and same_bytes else OPAQUE)

    def _note_call(self, function: object, *, constructs: bool, blind: bool) -> None:
        if isinstance(function, Name):
            use = self.walk.uses[function]
            use.calls += 1
            use.constructed = use.constructed or constructs
            use.blind = use.blind or blind
        else:
            self.walk.blind_calls = True

    def _take_member(self, getter: Use, member: Name) -> None:
        """What `getattr` finds in a class is what STACK_GLOBAL would find under the same dotted name."""
        getter.calls += 1
        getter.members += 1
        self._push(self._name(*member))

    def _reduce(self, _: object) -> None:
        arguments = self._pop()
        self._call(self._pop(), arguments)

    def _new_object(self, _: object) -> None:
        arguments = self._pop()
        self._call(self._pop(), arguments, constructs=False)

    def _new_object_ex(self, _: object) -> None:
        self._pop()
        self._new_object(None)

    def _instance(self, argument: object) -> None:
        self._pop_mark()
        if isinstance(argument, tuple):
            self._call(self._name(*argument), OPAQUE)

    def _object_of_class(self, _: object) -> None:
        items = self._pop_mark()
        self._call(items[0] if items else OPAQUE, OPAQUE)

    def _build(self, _: object) -> None:
        self._pop()
        changed = self._top()
        if isinstance(changed, Name):
            self.walk.uses[changed].changed = True

    def _persistent_text(self, _: object) -> None:
        self._stack.append(OPAQUE)

    def _persistent(self, _: object) -> None:
        """A storage of torch: its type, key, place and length; or a class, which torch's old format wraps so."""
        identity = self._pop()
        known = identity if type(identity) is tuple else ()
        self._push(known[1] if len(known) == 4 and known[0] == "module" else OPAQUE)
        if len(known) < 5 or known[0] != "storage":
            return
        kind, key, numbers = known[1], known[2], known[4]
        if isinstance(kind, Name) and isinstance(numbers, int) and isinstance(key, str | int):
            self.walk.storages.setdefault(str(key), Storage(kind.name, numbers))
            if len(self.walk.storages) > MAX_STORAGES:
                raise TooMuchError(f"it has more than {MAX_STORAGES} storages")

    def _stop(self, _: object) -> None:
        self.walk.result = self._pop()

    def _nothing(self, _: object) -> None:
        """PROTO and FRAME change nothing."""

    _handlers: ClassVar[dict[str, Callable[[Machine, object], None]]] = {
        "MARK": _mark,
        "POP": _pop_any,
        "DUP": _dup,
        "TUPLE": _tuple_to_mark,
        "EMPTY_TUPLE": _empty_tuple,
        "TUPLE1": _tuple1,
        "TUPLE2": _tuple2,
        "TUPLE3": _tuple3,
        **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), _put),
        **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), _get),
        "MEMOIZE": _memoize,
        "GLOBAL": _global,
        "STACK_GLOBAL": _stack_global,
        **dict.fromkeys(("EXT1", "EXT2", "EXT4"), _extension),
        "REDUCE": _reduce,
        "NEWOBJ": _new_object,
        "NEWOBJ_EX": _new_object_ex,
        "INST": _instance,
        "OBJ": _object_of_class,
        "BUILD": _build,
        "PERSID": _persistent_text,
        "BINPERSID": _persistent,
        "STOP": _stop,
        **dict.fromkeys(("PROTO", "FRAME"), _nothing),
    }


def _kept(items: list[object]) -> object:
    """A tuple as far as it matters: what lies in tuples inside it does not, so that none is deep."""
    if len(items) > MAX_TUPLE:
        return OPAQUE
    return tuple(OPAQUE if type(one) is tuple else one for one in items)


def _member(arguments: tuple[object, ...]) -> Name | None:
    """The name of a class's member, if `getattr` is told to take one: so are enums and nested classes pickled."""
    if len(arguments) != 2:
        return None
    owner, name = arguments
    return Name(owner.module, f"{owner.name}.{name}") if isinstance(owner, Name) and isinstance(name, str) else None
