"""Artifacts: saved by whoever has a manager, with levels, trees and metadata."""

import asyncio
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from rotulus.errors import ArtifactError, ArtifactNotFoundError, StoreBusyError, StoreClosedError
from rotulus.service import (
    ArtifactHierarchy,
    ArtifactIn,
    ArtifactManager,
    ArtifactRepository,
    Base,
    Database,
)

HIERARCHY = ArtifactHierarchy(name="task_results", level_labels={0: "task_run", 1: "step"})


@pytest.fixture
def manager(db):
    """A manager whose session is over, as that of an executor's factory."""

    async def factory():
        async with db.session() as session:
            return ArtifactManager(ArtifactRepository(session), hierarchy=HIERARCHY)

    return asyncio.run(factory())


@pytest.mark.requirement("C-41")
def test_C_41_a_hierarchy_names_levels_and_a_manager_takes_it(manager):
    """Levels that it does not name are called by their number."""
    labels = [HIERARCHY.label(level) for level in range(4)]

    assert ["task_run", "step", "level_2", "level_3"] == labels
    assert HIERARCHY is manager.hierarchy
    assert "task_results" == HIERARCHY.name


@pytest.mark.requirement("C-42")
def test_C_42_a_manager_outlives_the_block_that_made_it(manager, db):
    """Here its event loop, too; and what it saves is committed."""

    async def main():
        saved = await manager.save(ArtifactIn(data={"n": 1}))
        async with db.session() as session:
            count = await session.scalar(text("SELECT count(*) FROM rotulus_artifacts"))
        return saved, await manager.get(saved.id), count

    saved, found, count = asyncio.run(main())
    assert saved == found
    assert 1 == count


@pytest.mark.requirement("C-48")
def test_C_48_what_is_saved_has_an_id_and_metadata_that_may_be_left_out(manager):
    """As the document's task saves them."""

    async def main():
        results = {"dataset": "churn", "metrics": {"accuracy": 0.95}}
        first = await manager.save(ArtifactIn(data=results, metadata={"dataset": "churn"}))
        second = await manager.save(ArtifactIn(data=results))
        third = await manager.save(ArtifactIn(data=results, metadata=None))
        return [await manager.get(str(one.id)) for one in (first, second, third)]

    first, second, third = asyncio.run(main())
    assert 36 == len(str(first.id))
    assert {"dataset": "churn", "metrics": {"accuracy": 0.95}} == first.data
    assert [{"dataset": "churn"}, {}, {}] == [first.metadata, second.metadata, third.metadata]


@pytest.mark.requirement("C-50")
def test_C_50_background_coroutines_save_at_once_after_the_request(manager):
    """Through one manager: each has what it saved."""

    async def main():
        async def step(number):
            config = await manager.save(ArtifactIn(data=number))
            kept = ArtifactIn(data=[number], parent_id=config.id, metadata={"step": number})
            return await manager.save(kept)

        steps = [asyncio.create_task(step(n)) for n in range(40)]
        return [await s for s in steps]

    saved = asyncio.run(main())
    assert [[n] for n in range(40)] == [one.data for one in saved]
    assert {1} == {one.level for one in saved}
    assert 40 == len({one.id for one in saved})


def test_a_sync_body_saves_from_an_event_loop_of_its_own(manager):
    """In a thread, while the loop of the requests saves, too."""

    async def main():
        def body():
            return asyncio.run(manager.save(ArtifactIn(data="thread")))

        threads = [asyncio.to_thread(body) for _ in range(4)]
        await asyncio.gather(*threads, *[manager.save(ArtifactIn(data=n)) for n in range(10)])
        return await manager.list(limit=100)

    assert 14 == len(asyncio.run(main()))


@pytest.mark.requirement("C-51")
def test_C_51_progress_is_saved_in_a_loop(manager):
    """And listed with the newest first, page by page."""

    async def main():
        for n in range(25):
            await manager.save(ArtifactIn(data={"step": n}, metadata={"step": n}))
        steps, page = [], await manager.list(limit=10)
        while page:
            steps += [one.metadata["step"] for one in page]
            page = await manager.list(limit=10, after=page[-1].id)
        return steps

    assert list(reversed(range(25))) == asyncio.run(main())


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(data=plain | st.binary(), metadata=st.dictionaries(st.text("ab\0ü"), plain, max_size=3))
def test_what_is_saved_comes_back(manager, data, metadata):
    """Any JSON value, and any bytes; size and checksum are those of what is downloaded."""

    async def main():
        saved = await manager.save(ArtifactIn(data=data, metadata=metadata))
        return saved, await manager.get(saved.id), await manager.content(saved.id)

    saved, found, content = asyncio.run(main())
    assert saved == found
    assert data == found.data
    assert type(data) is type(found.data)
    assert metadata == found.metadata
    assert (found.size, found.sha256) == (len(content.content), content.sha256)
    assert data == (content.content if isinstance(data, bytes) else json.loads(content.content))


def test_media_types_are_those_of_the_data(manager):
    """Unless they are told."""

    async def main():
        kinds = [{"data": 1}, {"data": b""}, {"data": bytearray(b"x"), "media_type": "image/png"}]
        kinds.append({"data": {}, "media_type": "application/geo+json"})
        return [(await manager.save(ArtifactIn(**kind))).media_type for kind in kinds]

    expected = ["application/json", "application/octet-stream", "image/png", "application/geo+json"]
    assert expected == asyncio.run(main())


def endless():
    """A list that holds itself."""
    made = []
    made.append(made)
    return made


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"data": {"rows": [1, {2}]}}, r"data\['rows'\]\[1\] is not JSON: set is not one of"),
        ({"data": {"at": datetime(2026, 1, 1, tzinfo=UTC)}}, r"data\['at'\] is not JSON: datetime"),
        ({"data": [[b"x"]]}, r"data\[0\]\[0\] is bytes.* artifact of their own"),
        ({"data": [float("nan")]}, r"data\[0\] is not JSON: NaN"),
        ({"data": {"a": {1: 2}}}, r"data\['a'\] has a key of type int"),
        ({"data": ["\ud800"]}, r"data\[0\] is not JSON: it holds a lone surrogate"),
        ({"data": endless()}, "data is not JSON: Circular reference"),
        ({"data": object()}, "data is not JSON: object"),
        ({"data": 1, "metadata": {"a": [{2}]}}, r"metadata\['a'\]\[0\] is not JSON: set"),
        ({"data": 1, "parent_id": "7"}, "parent_id\n.*is no id: write a UUID"),
        ({"data": 1, "id": "7"}, "id\n.*is no id: write a UUID"),
        ({"data": b"", "media_type": "image"}, "is no media type"),
        ({"data": b"", "media_type": "a/b\r\nX: y"}, "is no media type"),
        ({"data": "<p>", "media_type": "text/html"}, "data of text/html is bytes"),
        ({"data": 1, "parent": "x"}, "Extra inputs are not permitted"),
        ({}, "Field required"),
    ],
)
def test_what_cannot_be_saved_is_refused_on_the_callers_line(given, said):
    """With the place of it, and without its value."""
    with pytest.raises(ValidationError, match=said) as caught:
        ArtifactIn(**given)
    assert "input_value" not in str(caught.value)


def test_levels_are_those_of_the_parents(manager):
    """However they are saved later."""

    async def main():
        root = await manager.save(ArtifactIn(data=0))
        child = await manager.save(ArtifactIn(data=1, parent_id=root.id))
        leaf = await manager.save(ArtifactIn(data=2, parent_id=child.id.upper()))
        again = await manager.save(ArtifactIn(id=leaf.id, data=3))
        return [root, child, leaf, again]

    root, child, leaf, again = asyncio.run(main())
    assert [0, 1, 2, 2] == [one.level for one in (root, child, leaf, again)]
    assert [None, root.id, child.id, child.id] == [
        one.parent_id for one in (root, child, leaf, again)
    ]


def test_a_parent_that_is_not_there_is_refused(manager):
    """And nothing is saved."""
    nobody = "01900000-0000-7000-8000-000000000000"

    async def main():
        with pytest.raises(ArtifactError, match=f"no artifact {nobody} to be the parent"):
            await manager.save(ArtifactIn(data=1, parent_id=nobody))
        with pytest.raises(ArtifactError, match="to be the parent"):
            await manager.save(ArtifactIn(data=1, parent_id=nobody, id=nobody))
        return await manager.list()

    assert [] == asyncio.run(main())


def test_an_artifact_that_is_saved_again_has_new_data_and_stays_where_it_is(manager):
    """Its first moment stays, too."""

    async def main():
        id_ = "01900000-0000-4000-8000-00000000000A"
        first = await manager.save(ArtifactIn(id=id_, data=1, metadata={"a": 1}))
        other = await manager.save(ArtifactIn(data=2))
        second = await manager.save(ArtifactIn(id=id_, data=b"bytes", parent_id=None))
        with pytest.raises(ArtifactError, match="stays where it is"):
            await manager.save(ArtifactIn(id=id_, data=3, parent_id=other.id))
        return first, second, await manager.get(id_)

    first, second, found = asyncio.run(main())
    assert second == found
    assert (b"bytes", {}, "application/octet-stream") == (
        found.data,
        found.metadata,
        found.media_type,
    )
    assert first.created_at == found.created_at <= found.updated_at
    assert first.id == found.id == "01900000-0000-4000-8000-00000000000a"


def test_one_id_that_many_save_at_once_is_one_artifact(manager):
    """The last one counts, and nobody fails."""
    id_ = "01900000-0000-7000-8000-000000000000"

    async def main():
        await asyncio.gather(*[manager.save(ArtifactIn(id=id_, data=n)) for n in range(20)])
        return await manager.list()

    assert [id_] == [one.id for one in asyncio.run(main())]


def test_what_is_not_there_is_said_to_be_missing(manager):
    """By each verb but `find`."""

    async def main():
        gone = await manager.save(ArtifactIn(data=1))
        assert 1 == await manager.delete(gone.id)
        assert await manager.find(gone.id) is None
        assert await manager.find("nonsense") is None
        verbs = (manager.get, manager.expand, manager.tree, manager.metadata, manager.content)
        for verb in (*verbs, manager.delete):
            with pytest.raises(ArtifactNotFoundError, match=f"no artifact '{gone.id}'"):
                await verb(gone.id)

    asyncio.run(main())


async def family(manager, children=2):
    """A root with children, each with one leaf."""
    root = await manager.save(ArtifactIn(data="root"))
    for n in range(children):
        child = await manager.save(ArtifactIn(data=n, parent_id=root.id, metadata={"n": n}))
        await manager.save(ArtifactIn(data=b"leaf", parent_id=child.id))
    return root


def shape(node):
    """Data, label and children of a node."""
    children = node.children if node.children is None else [shape(c) for c in node.children]
    return (node.data, node.level_label, children)


def test_a_tree_has_all_that_is_below_an_artifact(manager):
    """In the order in which it was saved; leaves have no children."""

    async def main():
        root = await family(manager)
        await family(manager)
        return await manager.tree(root.id)

    tree = asyncio.run(main())
    leaf = (None, "level_2", [])
    expected = ("root", "task_run", [(0, "step", [leaf]), (1, "step", [leaf])])
    assert expected == shape(tree)
    assert "task_results" == tree.hierarchy


def test_a_tree_is_as_deep_as_it_is_asked_to_be(manager):
    """What was not looked at is None; so is what was not asked for."""

    async def main():
        root = await family(manager, 1)
        expanded = await manager.expand(root.id)
        shallow = await manager.tree(root.id, depth=1, data=False)
        return shape(expanded), shape(shallow)

    expanded, shallow = asyncio.run(main())
    assert ("root", "task_run", None) == expanded
    assert (None, "task_run", [(None, "step", None)]) == shallow


def test_a_tree_that_is_too_large_is_refused_with_what_to_do(manager, monkeypatch):
    """By the number of its artifacts, and by the bytes of its data."""
    monkeypatch.setattr("rotulus.service.artifacts.tree.MOST", 4)
    monkeypatch.setattr("rotulus.service.artifacts.tree.MOST_BYTES", 30)

    async def main():
        root = await family(manager)
        with pytest.raises(ArtifactError, match="More than 4 artifacts are below"):
            await manager.tree(root.id)
        assert 2 == len((await manager.tree(root.id, depth=1)).children)
        large = await manager.save(ArtifactIn(data="x" * 40))
        with pytest.raises(ArtifactError, match="more than 30 bytes of data.* without data"):
            await manager.tree(large.id)
        assert (await manager.tree(large.id, data=False)).data is None

    asyncio.run(main())


def test_children_of_a_deleted_artifact_have_no_parent(manager):
    """They stay on their level, unless all below it is deleted."""

    async def main():
        first, second = await family(manager), await family(manager)
        assert 1 == await manager.delete(first.id)
        assert 5 == await manager.delete(second.id, recursive=True)
        return await manager.list()

    left = asyncio.run(main())
    assert [2, 1, 2, 1] == [one.level for one in left]
    assert [None, None] == [one.parent_id for one in left if one.level == 1]


def test_a_list_is_narrowed_by_parent_and_level(manager):
    """By either, or both."""

    async def main():
        root = await family(manager)
        await family(manager)
        by_parent = await manager.list(parent_id=root.id)
        by_level = await manager.list(level=1)
        return by_parent, by_level, await manager.list(parent_id=root.id, level=2)

    by_parent, by_level, neither = asyncio.run(main())
    assert [1, 0] == [one.metadata["n"] for one in by_parent]
    assert (4, 0) == (len(by_level), len(neither))


def test_a_repository_leaves_its_transaction_to_the_user(db):
    """An artifact is saved with other data, or not at all."""

    async def main():
        async with db.session() as session:
            await session.execute(text("CREATE TABLE notes (note TEXT)"))
            await session.commit()
        for commit in (False, True):
            async with db.session() as session:
                await session.execute(text("INSERT INTO notes VALUES ('x')"))
                saved = await ArtifactRepository(session).save(ArtifactIn(data=1))
                child = ArtifactIn(data=2, parent_id=saved.id)
                await ArtifactRepository(session).save(child)
                assert [child.data] == [
                    (await ArtifactRepository(session).get(one.id)).data
                    for one in await ArtifactRepository(session).children(saved.id)
                ]
                if commit:
                    await session.commit()
        async with db.session() as session:
            notes = await session.scalar(text("SELECT count(*) FROM notes"))
            return notes, len(await ArtifactRepository(session).list())

    assert (1, 2) == asyncio.run(main())


def test_a_manager_does_not_see_what_a_session_has_not_committed(shared_url):
    """And does not commit it."""

    async def main():
        db = Database(shared_url)
        await db.init()
        async with db.session() as session:
            manager = ArtifactManager(ArtifactRepository(session))
            mine = await ArtifactRepository(session).save(ArtifactIn(data="mine"))
            assert await manager.find(mine.id) is None
            await session.rollback()
            await manager.save(ArtifactIn(data="its"))
        assert 1 == len(await manager.list())

    asyncio.run(main())


def test_a_manager_that_waits_for_the_users_own_transaction_says_so(file_url, monkeypatch):
    """SQLite has one writer: after a while it gives up, and says what to do."""
    monkeypatch.setattr("rotulus.service.database_sqlite.BUSY_TIMEOUT", 0.05)

    async def main():
        db = Database(file_url)
        await db.init()
        async with db.session() as session:
            await ArtifactRepository(session).save(ArtifactIn(data="mine"))
            manager = ArtifactManager(ArtifactRepository(session))
            with pytest.raises(StoreBusyError, match="a session of yours, commit that first"):
                await manager.save(ArtifactIn(data="its"))

    asyncio.run(main())


def test_a_session_of_an_engine_of_ones_own_will_do(tmp_path):
    """A manager goes on on that engine; keys are kept though nobody enforces them."""
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'own.db'}")

    async def main():
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        async with AsyncSession(engine) as session:
            manager = ArtifactManager(ArtifactRepository(session))
        root = await family(manager)
        await manager.delete(root.id)
        left = await manager.list(level=1)
        await engine.dispose()
        return [one.parent_id for one in left]

    assert [None, None] == asyncio.run(main())


def test_a_manager_may_be_made_of_a_database_alone(db):
    """And says that it is closed, when it is."""

    async def main():
        manager = ArtifactManager(db)
        saved = await manager.save(ArtifactIn(data=1))
        assert f"level_{saved.level}" == (await manager.expand(saved.id)).level_label
        await db.dispose()
        with pytest.raises(StoreClosedError):
            await manager.get(saved.id)

    asyncio.run(main())
