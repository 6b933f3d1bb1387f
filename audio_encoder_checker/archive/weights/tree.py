"""What a checkpoint holds, as a tree: dictionaries, lists, texts, and of every tensor where its numbers lie.

The opcodes are gone through as `pickle` would, but nothing is imported and nothing is called: what torch's own
functions would make of their arguments is written down, everything else is `Opaque`. A pickle that breaks a rule has
no tree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NoReturn

from audio_encoder_checker.archive.weights.opcodes import Literal, NotAPickleError, operations
from audio_encoder_checker.archive.weights.rebuilt import made, shown, stored
from audio_encoder_checker.archive.weights.streams import CutOffError, TooMuchError
from audio_encoder_checker.archive.weights.values import UNTOLD, Opaque, Table
from audio_encoder_checker.archive.weights.walks import Name

if TYPE_CHECKING:
    from collections.abc import Callable

    from audio_encoder_checker.archive.weights.opcodes import Argument
    from audio_encoder_checker.archive.weights.streams import Budget, Stream

MAX_TEXT = 1024
"""A longer text is no key of a state dict."""
MAX_VALUES = 2_000_000
"""That a tree may hold, and again on the stack."""
MAX_HELD_BYTES = 64 << 20
TEXT_BYTES = 64
FEW_OPCODES = 4096
"""So many are paid for at once."""
PUSHING = frozenset(
    {"INT", "LONG", "LONG1", "LONG4", "BININT", "BININT1", "BININT2", "FLOAT", "BINFLOAT"}
    | {"BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"}
)
"""They put a number or bytes on the stack, which `operations` does not always tell."""


class NoTreeError(Exception):
    """The pickle breaks a rule, or holds more than is looked at; its message says what."""


def read_tree(stream: Stream, budget: Budget) -> object:
    """The value that the pickle at the stream's place returns; the stream then stands behind it.

    Returns:
        What `values` tells of: a `Table` most often. It may hold itself.

    Raises:
        NoTreeError: the pickle breaks a rule, or holds more than is looked at.
    """
    try:
        return _Builder(stream, budget).run()
    except CutOffError:
        raise NoTreeError(f"its pickle breaks off after {stream.position} bytes") from None
    except (NotAPickleError, TooMuchError) as error:
        raise NoTreeError(str(error)) from None


class _Builder:
    """One pickle becoming a tree."""

    def __init__(self, stream: Stream, budget: Budget) -> None:
        self._stream = stream
        self._budget = budget
        self._stack: list[object] = []
        self._marks: list[int] = []
        self._memo: dict[int, object] = {}
        self._made = 0
        self._held = 0

    def run(self) -> object:
        """Go through it to its STOP."""
        spent, handlers = 0, self._handlers
        for name, argument in operations(self._stream):
            if spent % FEW_OPCODES == 0:
                self._pay()
            spent += 1
            handler = handlers.get(name)
            if handler is not None:
                handler(self, argument)
            elif isinstance(argument, Literal):
                self._literal(argument)
            elif name in PUSHING:
                self._push(UNTOLD if argument is None else argument)
            else:
                self._break(f"the opcode {name}, which checkpoints do not have,")
        self._budget.opcodes += -spent % FEW_OPCODES
        return self._pop()

    def _pay(self) -> None:
        self._budget.spend(FEW_OPCODES)
        if self._made > MAX_VALUES or len(self._stack) + len(self._memo) > MAX_VALUES or self._held > MAX_HELD_BYTES:
            raise TooMuchError("its pickle holds too many values to be looked through")

    def _break(self, what: str) -> NoReturn:
        raise NotAPickleError(f"{what} stands before byte {self._stream.position} of its pickle")

    def _push(self, value: object) -> None:
        self._made += 1
        self._stack.append(value)

    def _literal(self, literal: Literal) -> None:
        if literal.text is None or len(literal.text) > MAX_TEXT:
            self._push(UNTOLD)
            return
        self._held += TEXT_BYTES + len(literal.text)
        self._push(literal.text)

    def _pop(self) -> object:
        if len(self._stack) <= (self._marks[-1] if self._marks else 0):
            self._break("an opcode that takes from an empty stack")
        return self._stack.pop()

    def _top(self) -> object:
        value = self._pop()
        self._stack.append(value)
        return value

    def _pop_mark(self) -> list[object]:
        if not self._marks:
            self._break("an opcode that lacks its mark")
        start = self._marks.pop()
        items = self._stack[start:]
        del self._stack[start:]
        return items

    def _mark(self, _: object) -> None:
        self._marks.append(len(self._stack))

    def _pop_any(self, _: object) -> None:
        if self._marks and self._marks[-1] == len(self._stack):
            self._marks.pop()
        else:
            self._pop()

    def _drop_to_mark(self, _: object) -> None:
        self._pop_mark()

    def _dup(self, _: object) -> None:
        self._stack.append(self._top())

    def _constant(self, value: object) -> None:
        self._push(value)

    def _tuple(self, _: object) -> None:
        self._push(tuple(self._pop_mark()))

    def _few(self, count: int) -> None:
        items = [self._pop() for _ in range(count)]
        self._push(tuple(reversed(items)))

    def _list(self, _: object) -> None:
        self._push(self._pop_mark())

    def _dict(self, _: object) -> None:
        self._push(Table(self._paired(self._pop_mark())))

    def _paired(self, items: list[object]) -> list[tuple[object, object]]:
        if len(items) % 2:
            self._break("a dictionary with a key that has no value")
        return list(zip(items[::2], items[1::2], strict=True))

    def _set_item(self, _: object) -> None:
        value = self._pop()
        self._extend([(self._pop(), value)])

    def _set_items(self, _: object) -> None:
        self._extend(self._paired(self._pop_mark()))

    def _extend(self, pairs: list[tuple[object, object]]) -> None:
        target = self._top()
        if isinstance(target, Table):
            target.pairs.extend(pairs)
        elif isinstance(target, Opaque):
            target.parts.extend(part for pair in pairs for part in pair)
        else:
            self._break("a pair for what is no dictionary")

    def _append(self, _: object) -> None:
        self._add([self._pop()])

    def _appends(self, _: object) -> None:
        self._add(self._pop_mark())

    def _add(self, items: list[object]) -> None:
        target = self._top()
        if isinstance(target, Opaque):
            target.parts.extend(items)
        elif isinstance(target, list):
            target.extend(items)
        else:
            self._break("an item for what is no list")

    def _frozen_set(self, _: object) -> None:
        self._push(Opaque("a set", self._pop_mark()))

    def _put(self, index: object) -> None:
        if not isinstance(index, int) or index < 0:
            self._break("a place of the memo that is none")
        self._memo[index] = self._top()

    def _memoize(self, _: object) -> None:
        self._memo[len(self._memo)] = self._top()

    def _get(self, index: object) -> None:
        if not isinstance(index, int) or index not in self._memo:
            self._break("an empty place of the memo")
        self._stack.append(self._memo[index])

    def _global(self, argument: object) -> None:
        if isinstance(argument, tuple):
            self._push(Name(*argument))

    def _stack_global(self, _: object) -> None:
        name, module = self._pop(), self._pop()
        told = isinstance(name, str) and isinstance(module, str)
        self._push(Name(str(module), str(name)) if told else Opaque("what is not told"))

    def _reduce(self, _: object) -> None:
        arguments = self._pop()
        function = self._pop()
        self._push(made(function, arguments if type(arguments) is tuple else (arguments,)))

    def _new_object_ex(self, _: object) -> None:
        named = self._pop()
        arguments, function = self._pop(), self._pop()
        self._push(Opaque(shown(function), [arguments, named]))

    def _instance(self, argument: object) -> None:
        items = self._pop_mark()
        self._push(Opaque(shown(Name(*argument)) if isinstance(argument, tuple) else "?", items))

    def _object_of_class(self, _: object) -> None:
        items = self._pop_mark()
        self._push(Opaque(shown(items[0]) if items else "?", items[1:]))

    def _build(self, _: object) -> None:
        state = self._pop()
        target = self._top()
        if isinstance(target, Table):
            target.others.append(state)
        elif isinstance(target, Opaque):
            target.parts.append(state)

    def _persistent(self, _: object) -> None:
        identity = self._pop()
        self._push(stored(identity) or Opaque("what lies outside the pickle", [identity]))

    def _nothing(self, _: object) -> None:
        """PROTO and FRAME change nothing."""

    _handlers: ClassVar[dict[str, Callable[[_Builder, Argument], None]]] = {
        "MARK": _mark,
        "POP": _pop_any,
        "POP_MARK": _drop_to_mark,
        "DUP": _dup,
        "NONE": lambda self, _: self._constant(None),
        "NEWTRUE": lambda self, _: self._constant(value=True),
        "NEWFALSE": lambda self, _: self._constant(value=False),
        "EMPTY_TUPLE": lambda self, _: self._constant(()),
        "EMPTY_LIST": lambda self, _: self._constant([]),
        "EMPTY_DICT": lambda self, _: self._constant(Table()),
        "EMPTY_SET": lambda self, _: self._constant(Opaque("a set")),
        "TUPLE": _tuple,
        "TUPLE1": lambda self, _: self._few(1),
        "TUPLE2": lambda self, _: self._few(2),
        "TUPLE3": lambda self, _: self._few(3),
        "LIST": _list,
        "DICT": _dict,
        "SETITEM": _set_item,
        "SETITEMS": _set_items,
        "APPEND": _append,
        **dict.fromkeys(("APPENDS", "ADDITEMS"), _appends),
        "FROZENSET": _frozen_set,
        **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), _put),
        **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), _get),
        "MEMOIZE": _memoize,
        "GLOBAL": _global,
        "STACK_GLOBAL": _stack_global,
        **dict.fromkeys(("REDUCE", "NEWOBJ"), _reduce),
        "NEWOBJ_EX": _new_object_ex,
        "INST": _instance,
        "OBJ": _object_of_class,
        "BUILD": _build,
        "BINPERSID": _persistent,
        **dict.fromkeys(("PROTO", "FRAME", "STOP"), _nothing),
    }
