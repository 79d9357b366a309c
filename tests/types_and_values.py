"""Types as people annotate with, each with values of it: what the laws of payloads are tried on."""

import dataclasses
import datetime as dt
import decimal
import enum
import pathlib
import typing
import uuid
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Generic, Literal, NamedTuple, Optional, TypeVar

import pydantic
from hypothesis import strategies as st
from typing_extensions import TypedDict

T = TypeVar("T")
TEXT = st.text(st.characters(codec="utf-8"), max_size=8)


class Colour(enum.Enum):
    RED = "red"
    BLUE = 2
    ALIAS = "red"  # noqa: PIE796 - another name of it


class Word(enum.StrEnum):
    YES = "yes"
    NO = "2026-01-01"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2
    MOST = 2


class Permission(enum.Flag):
    READ = enum.auto()
    WRITE = enum.auto()


class Pair(NamedTuple):
    left: int
    right: str = "r"


class Address(TypedDict, total=False):
    street: str
    data: bytes


class Node(pydantic.BaseModel):
    name: str
    children: list["Node"] = []


class Base(pydantic.BaseModel):
    x: int


class Sub(Base):
    y: int = 0


class Aliased(pydantic.BaseModel):
    one: int = pydantic.Field(alias="theOne")
    two: int = pydantic.Field(validation_alias="in", serialization_alias="out", default=0)
    three: int = pydantic.Field(validation_alias=pydantic.AliasChoices("c", "d"), default=0)
    four: int = pydantic.Field(serialization_alias="vier", default=0)


class Swapped(pydantic.BaseModel):
    a: int = pydantic.Field(alias="b", default=0)
    b: int = pydantic.Field(alias="a", default=0)


class Computed(pydantic.BaseModel):
    x: int

    @pydantic.computed_field
    @property
    def double(self) -> int:
        return 2 * self.x


class Excluded(pydantic.BaseModel):
    x: int
    hidden: int = pydantic.Field(default=0, exclude=True)


class Reformatted(pydantic.BaseModel):
    when: dt.date

    @pydantic.field_serializer("when")
    def _written(self, when: dt.date) -> str:
        return when.strftime("%d/%m/%Y")


class Private(pydantic.BaseModel):
    x: int
    _seen: int = pydantic.PrivateAttr(default=0)


class Open(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")
    x: int = 0


class Loose(pydantic.BaseModel):
    it: Any


class Box(pydantic.BaseModel, Generic[T]):
    it: T


class Login(pydantic.BaseModel):
    user: str
    password: pydantic.SecretStr


class Blob(pydantic.BaseModel):
    data: bytes


@dataclasses.dataclass
class Derived:
    x: int
    y: int = dataclasses.field(init=False, default=0)


@dataclasses.dataclass
class Grown(Derived):
    z: int = 0


@dataclasses.dataclass
class Started:
    x: int
    seed: dataclasses.InitVar[int]
    grown: int = dataclasses.field(init=False, default=0)

    def __post_init__(self, seed):
        self.grown = seed + self.x


@dataclasses.dataclass(frozen=True)
class Money:
    amount: decimal.Decimal
    note: bytes = b""


@dataclasses.dataclass(eq=False)
class Plain:
    x: int


def _private(x, seen):
    made = Private(x=x)
    made._seen = seen
    return made


def _derived(kind, x, y):
    made = kind(x)
    made.y = y
    return made


def _mutated(x, wrong):
    made = Base(x=x)
    made.x = wrong
    return made


INTEGERS = st.integers() | st.integers(-(2**70), 2**70) | st.just(10**4000)
FLOATS = st.floats() | st.sampled_from([-0.0, 1e300, 5e-324])
ZONES = (
    st.none()
    | st.timezones()
    | st.builds(dt.timezone, st.timedeltas(dt.timedelta(hours=-23), dt.timedelta(hours=23)))
)
MOMENTS = st.datetimes(timezones=ZONES)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
ODD = st.one_of(
    JSON,
    st.dates(),
    MOMENTS,
    st.binary(max_size=4),
    st.tuples(st.integers()),
    st.sets(st.integers(), max_size=2),
    st.dictionaries(st.integers() | st.just("1"), st.integers(), max_size=2),
    st.sampled_from(
        [
            Colour.RED,
            Permission.READ,
            Base(x=1),
            Pair(1),
            Plain(1),
            decimal.Decimal(1),
            uuid.UUID(int=1),
            pathlib.Path("a"),
            object(),
            len,
        ]
    ),
)

SCALARS = {
    int: INTEGERS,
    str: TEXT | st.just("\ud800") | st.just("2026-01-01"),
    bool: st.booleans(),
    float: FLOATS,
    bytes: st.binary(max_size=6),
    type(None): st.none(),
    dt.date: st.dates(),
    dt.datetime: MOMENTS,
    dt.time: st.times(timezones=ZONES),
    dt.timedelta: st.timedeltas(),
    decimal.Decimal: st.decimals(),
    uuid.UUID: st.uuids(),
    pathlib.Path: TEXT.filter(lambda text: "\x00" not in text).map(pathlib.Path),
    Colour: st.sampled_from(Colour),
    Word: st.sampled_from(Word),
    Level: st.sampled_from(Level),
    Permission: st.sampled_from([*Permission, Permission.READ | Permission.WRITE]),
    Literal["a", 1, True]: st.sampled_from(["a", 1, True]),
    Annotated[int, pydantic.Field(gt=0)]: st.integers(1),
    Annotated[decimal.Decimal, pydantic.Field(allow_inf_nan=True)]: st.decimals(),
}
WHOLE = {
    Any: ODD,
    object: ODD,
    dict: st.dictionaries(TEXT | st.integers(), ODD, max_size=3),
    list: st.lists(ODD, max_size=3),
    Pair: st.builds(Pair, st.integers(), TEXT),
    Address: st.fixed_dictionaries({}, optional={"street": TEXT, "data": st.binary(max_size=3)}),
    Node: st.recursive(
        st.builds(Node, name=TEXT),
        lambda inner: st.builds(Node, name=TEXT, children=st.lists(inner, max_size=2)),
        max_leaves=3,
    ),
    Base: st.builds(Base, x=st.integers())
    | st.builds(Sub, x=st.integers(), y=st.integers())
    | st.builds(_mutated, st.integers(), st.sampled_from(["x", 1.5, None])),
    Base | Sub: st.builds(Base, x=st.integers()) | st.builds(Sub, x=st.integers()),
    Aliased: st.builds(
        lambda *n: Aliased(theOne=n[0], **{"in": n[1]}, c=n[2], four=n[3]), *[st.integers()] * 4
    ),
    Swapped: st.builds(lambda a, b: Swapped(b=a, a=b), st.integers(), st.integers()),
    Computed: st.builds(Computed, x=st.integers()),
    Excluded: st.builds(Excluded, x=st.integers(), hidden=st.integers(0, 1)),
    Reformatted: st.builds(Reformatted, when=st.dates()),
    Private: st.builds(_private, st.integers(), st.integers(0, 1)),
    Open: st.builds(lambda x, y: Open(x=x, y=y), st.integers(), ODD),
    Loose: st.builds(Loose, it=ODD),
    Login: st.builds(Login, user=TEXT, password=TEXT.map(pydantic.SecretStr)),
    Blob: st.builds(Blob, data=st.binary(max_size=4)),
    Derived: st.builds(_derived, st.just(Derived), st.integers(), st.integers(0, 1))
    | st.builds(Grown, st.integers()),
    Started: st.builds(Started, st.integers(), st.integers(0, 1)),
    Money: st.builds(Money, st.decimals(), st.binary(max_size=3)),
    Plain: st.builds(Plain, st.integers()),
    pydantic.SecretStr: TEXT.map(pydantic.SecretStr),
    pydantic.SecretBytes: st.binary(max_size=4).map(pydantic.SecretBytes),
    pydantic.JsonValue: JSON,
}
HASHABLE = [int, str, bytes, dt.date, uuid.UUID, Level, float, dt.datetime]


def _leaf():
    table = {**SCALARS, **WHOLE}
    return st.sampled_from(list(table)).flatmap(
        lambda kind: st.tuples(st.just(kind), st.just(table[kind]))
    )


def _keyed():
    return st.sampled_from(HASHABLE).map(lambda kind: (kind, SCALARS[kind]))


def _containers(inner):
    """Types made of others, each with the strategy of its values."""

    def of(one, other):
        (a, x), (b, y) = one, other
        few = st.lists(x, max_size=3)
        return st.sampled_from(
            [
                (list[a], few),
                (tuple[a, b], st.tuples(x, y)),
                (tuple[a, ...], few.map(tuple)),
                (deque[a], few.map(deque)),
                (Optional[a], st.none() | x),
                (typing.Union[a, b], x | y),  # noqa: UP007 - as older code writes it
                (typing.List[a], few),  # noqa: UP006 - as older code writes it
                (Iterable[a], few),
                (Sequence[a], few | few.map(tuple)),
                (dict[str, a], st.dictionaries(TEXT, x, max_size=3)),
                (Mapping[str, a], st.dictionaries(TEXT, x, max_size=3)),
                (Annotated[a, "note"], x),
                (Box[a], x.map(lambda value: Box[a].model_construct(it=value))),
                _dataclass(a, x),
            ]
        )

    def keyed(key, value):
        (k, x), (v, y) = key, value
        return st.sampled_from(
            [
                (dict[k, v], st.dictionaries(x, y, max_size=3)),
                (set[k], st.sets(x, max_size=3)),
                (frozenset[k], st.frozensets(x, max_size=3)),
            ]
        )

    both = st.tuples(inner, inner).flatmap(lambda pair: of(*pair))
    return both | st.tuples(_keyed(), inner).flatmap(lambda pair: keyed(*pair))


def _dataclass(kind, values):
    made = dataclasses.make_dataclass("Made", [("it", kind)])
    return made, values.map(made)


TYPES = st.recursive(_leaf(), _containers, max_leaves=4)


@st.composite
def typed_values(draw):
    """A type, and a value of it."""
    kind, values = draw(TYPES)
    return kind, draw(values)


def same(one, other):
    """Whether two values are equal and of the same type, all the way down."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        keys = {key: key for key in other}
        pairs = [(key, keys.get(key, instead)) for key, instead in zip(one, other, strict=False)]
        return len(one) == len(other) and all(
            same(k, o) and same(one[k], other[o]) for k, o in pairs
        )
    if isinstance(one, list | tuple | deque):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, set | frozenset):
        return {(type(x), x) for x in one} == {(type(x), x) for x in other}
    if isinstance(one, float):
        return repr(one) == repr(other)
    if isinstance(one, decimal.Decimal):
        return str(one) == str(other)
    if isinstance(one, dt.datetime | dt.time):
        zones = (one.tzinfo is None, one.utcoffset()), (other.tzinfo is None, other.utcoffset())
        return zones[0] == zones[1] and one.isoformat() == other.isoformat()
    if isinstance(one, pydantic.BaseModel):
        inner = [(m.__dict__, m.__pydantic_extra__, m.__pydantic_private__) for m in (one, other)]
        return same(*inner)
    if dataclasses.is_dataclass(one):
        return same(vars(one), vars(other))
    return one == other
