/** A table of any number of rows, of which only those in sight are drawn. */
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
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
	rows: readonly R[];
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

/** The table. `j` and `k` go through the rows, `x` chooses, Enter opens. */
export function Grid<R>(props: GridProps<R>) {
	const { rows, columns, idOf, chosen, choose, more } = props;
	const box = useRef<HTMLDivElement>(null);
	const top = useSignal(0);
	const size = useSignal({ width: 1000, height: 700 });
	const active = useSignal<string | null>(null);
	const hovered = useRef(false);
	const narrow = size.value.width < NARROW;
	const high = narrow ? CARD : HEIGHTS[density.value];
	const head = narrow ? 0 : HEAD;
	const sight = inSight(top.value - head, size.value.height, high, rows.length);
	const at = active.value === null ? -1 : rows.findIndex((row) => idOf(row) === active.value);

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

	const tellRest = () => props.rest?.(top.peek() < 4 && !hovered.current);
	const move = (by: number) => {
		const next = Math.max(0, Math.min(rows.length - 1, at < 0 ? 0 : at + by));
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
	const here = useRef({ move, toggle, row: rows[at], props });
	here.current = { move, toggle, row: rows[at], props };
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
				top.value = event.currentTarget.scrollTop;
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
				{rows.slice(sight.begin, sight.end).map((row, offset) => {
					const id = idOf(row);
					const index = sight.begin + offset;
					const isNew = Date.now() - (changed.get(id) ?? 0) < TINTED;
					return (
						<div
							key={id}
							id={`row-${id}`}
							role="row"
							aria-rowindex={index + 2}
							aria-selected={choose ? !!chosen?.has(id) : undefined}
							class={`grid-row${id === active.value ? " active" : ""}${isNew ? " fresh" : ""}`}
							style={{
								gridTemplateColumns: template,
								transform: `translateY(${index * high}px)`,
								height: `${high}px`,
							}}
						>
							{choose && !narrow && (
								<div class="choose" role="gridcell">
									<input
										type="checkbox"
										aria-label="Choose"
										checked={!!chosen?.has(id)}
										onChange={() => toggle(id)}
										tabIndex={-1}
									/>
								</div>
							)}
							{narrow ? (
								<div class="grid-card" role="gridcell">
									<a href={props.open(row)} tabIndex={-1}>
										{props.card(row)}
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
				})}
			</div>
			{props.foot}
		</div>
	);
}

function ChooseAll<R>(props: Pick<GridProps<R>, "rows" | "idOf" | "chosen" | "choose">) {
	const { rows, idOf, chosen, choose } = props;
	const all = rows.length > 0 && rows.every((row) => chosen?.has(idOf(row)));
	return (
		<div class="choose" role="columnheader">
			<input
				type="checkbox"
				aria-label="Choose all that are shown"
				checked={all}
				indeterminate={!all && !!chosen?.size}
				onChange={() => choose?.(all ? new Set() : new Set(rows.map(idOf)))}
			/>
		</div>
	);
}

interface Here<R> {
	current: {
		move: (by: number) => void;
		toggle: (id: string) => void;
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
