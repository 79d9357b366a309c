/** A table of any number of rows, of which only those in sight are drawn. */
import { useSignal } from "@preact/signals";
import { Component, type ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { useKeys } from "../keys";
import { changed } from "../live/stream";
import { inSight } from "../logic/window";
import { density } from "../preferences";

export interface Column<R> {
	name: string;
	title: string;
	/** Its share of the width, as CSS: `90px`, `minmax(120px, 2fr)`. */
	width: string;
	cell: (row: R) => ComponentChildren;
	/** Numbers stand at the right. */
	right?: boolean;
}

export interface GridProps<R> {
	/** Undefined: a row that is read again when it comes into sight. */
	rows: readonly (R | undefined)[];
	columns: readonly Column<R>[];
	idOf: (row: R) => string;
	/** What stands in a narrow table: two lines. */
	card: (row: R) => ComponentChildren;
	open: (row: R) => string;
	label: string;
	/** How many rows there are; -1: more than are known. */
	total: number;
	/** Called when the last rows come into sight. */
	more?: (() => void) | undefined;
	/** Is told which rows are in sight. */
	sight?: ((begin: number, end: number) => void) | undefined;
	/** Chosen rows, by id; without it nothing can be chosen. */
	chosen?: ReadonlySet<string> | undefined;
	choose?: ((ids: ReadonlySet<string>) => void) | undefined;
	/** Called when the table is at its top, or is not; and when the pointer comes or goes. */
	rest?: ((isAtRest: boolean) => void) | undefined;
	foot?: ComponentChildren;
}

const NARROW = 640;
const HEIGHTS = { comfortable: 36, compact: 32 };
const CARD = 60;
const HEAD = 32;
const TINTED = 1200;
const AT_ONCE = 4; // rows that are scrolled past before others are drawn

/** The table. `j` and `k` go through the rows, `x` chooses, Enter opens. */
export function Grid<R>(props: GridProps<R>) {
	const { rows, columns, idOf, chosen, choose, more } = props;
	const box = useRef<HTMLDivElement>(null);
	const top = useRef(0);
	const step = useSignal(0);
	const size = useSignal({ width: 1000, height: 700 });
	const active = useSignal<string | null>(null);
	const hovered = useRef(false);
	const narrow = size.value.width < NARROW;
	const high = narrow ? CARD : HEIGHTS[density.value];
	const head = narrow ? 0 : HEAD;
	const shift = AT_ONCE * high;
	const sight = inSight(step.value * shift - head, size.value.height + shift, high, rows.length);
	const isActive = (row: R | undefined) => row !== undefined && idOf(row) === active.value;
	const last = useRef(-1);
	if (active.value === null) last.current = -1;
	else if (!isActive(rows[last.current])) last.current = rows.findIndex(isActive);
	const at = last.current;

	useLayoutEffect(() => {
		const element = box.current;
		if (!element) return;
		const look = () => {
			size.value = { width: element.clientWidth, height: element.clientHeight };
		};
		const watching = new ResizeObserver(look);
		watching.observe(element);
		look();
		return () => watching.disconnect();
	}, [size]);

	useEffect(() => props.sight?.(sight.begin, sight.end), [props.sight, sight.begin, sight.end]);
	useEffect(() => {
		if (more && sight.end >= rows.length - 10) more();
	}, [more, sight.end, rows.length]);

	const tellRest = () => props.rest?.(top.current < 4 && !hovered.current);
	const move = (by: number) => {
		// Without an active row, or after it was let go: the first in sight.
		const to = at < 0 ? Math.ceil(top.current / high) : at + by;
		const next = Math.max(0, Math.min(rows.length - 1, to));
		const row = rows[next];
		if (!row || !box.current) return;
		active.value = idOf(row);
		const begin = head + next * high;
		const element = box.current;
		if (begin - head < element.scrollTop) element.scrollTop = begin - head;
		const end = begin + high;
		if (end > element.scrollTop + element.clientHeight)
			element.scrollTop = end - element.clientHeight;
		element.focus({ preventScroll: true });
	};
	const toggle = (id: string) => {
		if (!chosen || !choose) return;
		const next = new Set(chosen);
		if (!next.delete(id)) next.add(id);
		choose(next);
	};
	// Keys go on from the row whose box was pressed.
	const activate = (id: string) => {
		active.value = id;
	};
	const here = useRef({ move, toggle, activate, row: rows[at], props });
	here.current = { move, toggle, activate, row: rows[at], props };
	useKeys(useMemo(() => keysOf(here), []));

	const grid = columns.map((one) => one.width).join(" ");
	const template = choose && !narrow ? `32px ${grid}` : grid;
	return (
		<div
			ref={box}
			class={`grid${narrow ? " narrow" : ""}${at >= 0 ? " has-active" : ""}`}
			role="grid"
			tabIndex={0}
			aria-label={props.label}
			aria-rowcount={props.total < 0 ? -1 : props.total + 1}
			aria-colcount={columns.length}
			aria-multiselectable={!!choose}
			aria-activedescendant={
				at >= sight.begin && at < sight.end ? `row-${active.value}` : undefined
			}
			onScroll={(event) => {
				top.current = event.currentTarget.scrollTop;
				step.value = Math.floor(top.current / shift);
				tellRest();
			}}
			onPointerEnter={(event) => {
				hovered.current = event.pointerType === "mouse";
				tellRest();
			}}
			onPointerLeave={() => {
				hovered.current = false;
				tellRest();
			}}
		>
			<div class="grid-head" role="row" aria-rowindex={1} style={{ gridTemplateColumns: template }}>
				{choose && !narrow && <ChooseAll rows={rows} {...{ idOf, chosen, choose }} />}
				{columns.map((one) => (
					<div key={one.name} role="columnheader" class={one.right ? "right" : ""}>
						{one.title}
					</div>
				))}
			</div>
			<div class="grid-body" role="rowgroup" style={{ height: `${rows.length * high}px` }}>
				{Array.from(rows.slice(sight.begin, sight.end), (row, offset) => {
					const index = sight.begin + offset;
					if (row === undefined)
						return <Absent key={`at ${index}`} top={index * high} high={high} />;
					const id = idOf(row);
					return (
						<Row
							key={id}
							{...{ row, id, index, high, template, columns, here, narrow }}
							isChosen={choose && !!chosen?.has(id)}
							isActive={id === active.value}
							isNew={Date.now() - (changed.get(id) ?? 0) < TINTED}
						/>
					);
				})}
			</div>
			{props.foot}
		</div>
	);
}

interface RowProps<R> {
	row: R;
	id: string;
	index: number;
	high: number;
	template: string;
	columns: readonly Column<R>[];
	here: Here<R>;
	narrow: boolean;
	/** Undefined: rows cannot be chosen. */
	isChosen: boolean | undefined;
	isActive: boolean;
	isNew: boolean;
}

/** A row, which is drawn again only if something of it is another: most stay while one scrolls. */
class Row<R> extends Component<RowProps<R>> {
	override shouldComponentUpdate(next: RowProps<R>): boolean {
		const own = this.props;
		return (Object.keys(next) as (keyof RowProps<R>)[]).some((name) => next[name] !== own[name]);
	}

	override render() {
		const { row, id, index, high, template, columns, here, narrow, isChosen } = this.props;
		return (
			<div
				id={`row-${id}`}
				role="row"
				aria-rowindex={index + 2}
				aria-selected={isChosen}
				class={`grid-row${this.props.isActive ? " active" : ""}${this.props.isNew ? " fresh" : ""}`}
				style={{
					gridTemplateColumns: template,
					transform: `translateY(${index * high}px)`,
					height: `${high}px`,
				}}
			>
				{isChosen !== undefined && !narrow && (
					<div class="choose" role="gridcell">
						<input
							type="checkbox"
							aria-label="Choose"
							checked={isChosen}
							onChange={() => here.current.toggle(id)}
							onFocus={() => here.current.activate(id)}
							tabIndex={-1}
						/>
					</div>
				)}
				{narrow ? (
					<div class="grid-card" role="gridcell">
						<a href={here.current.props.open(row)} tabIndex={-1}>
							{here.current.props.card(row)}
						</a>
					</div>
				) : (
					columns.map((one) => (
						<div key={one.name} role="gridcell" class={one.right ? "right" : ""}>
							{one.cell(row)}
						</div>
					))
				)}
			</div>
		);
	}
}

/** The place of a row that is read again. */
function Absent({ top, high }: { top: number; high: number }) {
	return (
		<div
			class="grid-row quiet"
			role="row"
			aria-busy="true"
			style={{ transform: `translateY(${top}px)`, height: `${high}px` }}
		>
			<div role="gridcell">…</div>
		</div>
	);
}

function ChooseAll<R>(props: Pick<GridProps<R>, "rows" | "idOf" | "chosen" | "choose">) {
	const { rows, idOf, chosen, choose } = props;
	// Of rows that were let go nobody knows the ids: they stay as they are.
	const isChosen = (row: R | undefined) => row === undefined || !!chosen?.has(idOf(row));
	const all = !!chosen?.size && rows.every(isChosen);
	const ids = () => rows.flatMap((row) => (row === undefined ? [] : idOf(row)));
	return (
		<div class="choose" role="columnheader">
			<input
				type="checkbox"
				aria-label="Choose all that are shown"
				checked={all}
				indeterminate={!all && !!chosen?.size}
				onChange={() => choose?.(new Set(all ? [] : [...(chosen ?? []), ...ids()]))}
			/>
		</div>
	);
}

interface Here<R> {
	current: {
		move: (by: number) => void;
		toggle: (id: string) => void;
		activate: (id: string) => void;
		row: R | undefined;
		props: GridProps<R>;
	};
}

function keysOf<R>(here: Here<R>) {
	const onRow = (act: (row: R) => void) => () => {
		const { row } = here.current;
		if (row) act(row);
	};
	const link = (row: R) => {
		const id = here.current.props.idOf(row);
		const found = document.querySelector<HTMLElement>(`#${CSS.escape(`row-${id}`)} a`);
		found?.click();
	};
	return [
		{ keys: "j", does: "Next row", run: () => here.current.move(1) },
		{ keys: "k", does: "Row before", run: () => here.current.move(-1) },
		{
			keys: "x",
			does: "Choose the row",
			run: onRow((row) => here.current.toggle(here.current.props.idOf(row))),
		},
		{ keys: "Enter", does: "Open the row", run: onRow(link) },
	];
}
